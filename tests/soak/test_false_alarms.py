"""How often each method flags pure noise, and how often it finds a planted cluster: the table of docs/false_alarms.md.

Poisson noise of means 0.2, 2 and 20, nominal 5 %. The table is printed; keep what it says in the document.
"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from maps import MEANS, allowed, lattice, noise_maps

from geo.autocorrelation import as_neighbours, contiguity, funnel_limits, getis_ord_star, local_moran
from geo.change import (
    benjamini_hochberg,
    control_band,
    cusum_run_length,
    dispersion,
    poisson_e_test,
    slow_drift,
    widen,
)
from geo.spacetime import emerging_hotspots, knox, near_repeat, near_repeat_links, scan_permutation

pytestmark = pytest.mark.soak
MAPS, SIDE = 1000, 20
NEAR = as_neighbours(lattice(SIDE), SIDE * SIDE)
HEART = SIDE * SIDE // 2 + SIDE // 2
HOOD = np.append(NEAR[HEART], HEART)
ADDED = dict(zip(MEANS, (2, 4, 12), strict=True))  # events a cell of the planted block of nine


def row(name: str, cells, maps, power, *, budget: int = MAPS) -> None:
    """One line of the table; maps above the budget fail."""
    print(
        f"| {name} | " + " | ".join(f"{100 * v:.1f}" for v in cells) + " | "
        + " | ".join(f"{100 * v:.1f}" for v in maps) + " | " + " | ".join(f"{100 * v:.0f}" for v in power) + " |"
    )  # fmt: skip
    assert max(maps) <= allowed(0.05, budget), name


def planted(mean: float, seed: int, maps: int) -> np.ndarray:
    counts = noise_maps(mean, maps, SIDE, seed)
    counts[:, HOOD] += np.random.default_rng(seed).poisson(ADDED[mean], (maps, 9))
    return counts


def of_maps(method, noise, cluster):
    """Share of cells with p <= 0.05, of maps with any flag, of planted hearts flagged."""
    found = [method(x) for x in noise]
    return (
        np.mean([np.nanmean(f.p <= 0.05) for f in found]),
        np.mean([f.flagged.any() for f in found]),
        np.mean([method(x).flagged[HEART] for x in cluster]),
    )


def test_maps_of_noise():
    print("\n| 方法 | p≤0.05 的格 %：0.2 | 2 | 20 | 有 q≤0.05 的图 %：0.2 | 2 | 20 | 找到种下的 %：0.2 | 2 | 20 |")
    print("|---|" + "---|" * 9)
    for name, method in (("Gi*，精确 p", getis_ord_star), ("局部 Moran，精确 p", local_moran)):
        row(
            f"{name}",
            *zip(
                *(
                    of_maps(lambda x, m=method: m(x, NEAR), noise_maps(mean, MAPS, SIDE, 1), planted(mean, 2, 300))
                    for mean in MEANS
                ),
                strict=True,
            ),
        )
    few = 300
    rng = np.random.default_rng(3)
    shares = []
    for mean in MEANS:
        noise = [x + rng.gamma(2.0, 0.25, x.size) for x in noise_maps(mean, few, SIDE, 4).astype(float)]
        cluster = [x + rng.gamma(2.0, 0.25, x.size) for x in planted(mean, 5, 100).astype(float)]
        shares.append(of_maps(lambda x: local_moran(x, NEAR), noise, cluster))
    row("局部 Moran，置换（率）", *zip(*shares, strict=True), budget=few)
    shares = []
    for mean in MEANS:
        rng = np.random.default_rng([6, int(10 * mean)])
        noise = [emerging_hotspots(rng.poisson(mean, (400, 12)), NEAR) for _ in range(few)]
        hits = []
        for _ in range(100):
            cube = rng.poisson(mean, (400, 12))
            cube[HOOD, -3:] += rng.poisson(ADDED[mean], (9, 3))
            hits.append(emerging_hotspots(cube, NEAR).label[HEART].endswith("_hot"))
        shares.append(
            (
                np.mean([np.mean(f.p <= 0.05) for f in noise]),
                np.mean([(f.side != 0).any() for f in noise]),
                np.mean(hits),
            )
        )
    row("时空 Gi*（12 期）", *zip(*shares, strict=True), budget=few)
    shares = []
    for mean in MEANS:
        rng = np.random.default_rng([7, int(10 * mean)])
        now, before = rng.poisson(mean, (2, MAPS, 400))
        p = poisson_e_test(now, 7, before, 7).p
        q = np.array([benjamini_hochberg(line) for line in p])
        now[:, HEART] = rng.poisson(mean + 4 * ADDED[mean], MAPS)
        hit = [
            benjamini_hochberg(poisson_e_test(a, 7, b, 7).p)[HEART] < 0.05
            for a, b in zip(now[:300], before[:300], strict=True)
        ]
        shares.append((np.mean(p < 0.05), np.mean((q < 0.05).any(axis=1)), np.mean(hit)))
    row("E 检验，两周（种下 +8、+16、+48）", *zip(*shares, strict=True))
    shares = []
    for mean in MEANS:
        rng = np.random.default_rng([8, int(10 * mean)])
        base = rng.uniform(0.5, 1.5, 400) * 1000
        rate = mean * base / base.mean()
        found = [funnel_limits(rng.poisson(rate), base) for _ in range(MAPS)]
        more = rate.copy()
        more[HEART] += 6 * ADDED[mean]
        hit = [np.asarray(funnel_limits(rng.poisson(more), base).q)[HEART] <= 0.05 for _ in range(200)]
        shares.append(
            (
                np.mean([np.mean(np.asarray(f.p) <= 0.05) for f in found]),
                np.mean([(np.asarray(f.q) <= 0.05).any() for f in found]),
                np.mean(hit),
            )
        )
    row("漏斗（种下 +12、+24、+72）", *zip(*shares, strict=True))


def test_overdispersed_noise():
    print("\n| 离散 φ=2 的噪声 | 有 q≤0.05 的图 %：不用 φ，2 | 20 | 用 φ，2 | 20 |\n|---|---|---|---|---|")
    for name, method in (("Gi*", getis_ord_star), ("局部 Moran", local_moran)):
        shares = [
            np.mean([method(x, NEAR, dispersion=phi).flagged.any() for x in noise_maps(mean, MAPS, SIDE, 9, phi=2.0)])
            for phi in (1.0, 2.0)
            for mean in (2.0, 20.0)
        ]
        print(f"| {name} | " + " | ".join(f"{100 * s:.1f}" for s in shares) + " |")
        assert max(shares[2:]) <= allowed(0.05, MAPS)


def test_series_of_noise():
    print("\n| 序列 | 均值 0.2 | 2 | 20 |\n|---|---|---|---|")
    outside, rise = [], []
    for mean in MEANS:
        rng = np.random.default_rng([10, int(10 * mean)])
        outside.append(np.mean([control_band(rng.poisson(mean, 60)).outside[8:].mean() for _ in range(1000)]))
        series = rng.poisson(mean, (400, 60))
        series[:, -1] = rng.poisson(mean * 2 + 6, 400)
        rise.append(np.mean([control_band(s).outside[-1] for s in series]))
    print("| 控制带：越界的周 %（名义 0.27） | " + " | ".join(f"{100 * v:.2f}" for v in outside) + " |")
    print("| 控制带：找到一周翻番再加 6 起的 % | " + " | ".join(f"{100 * v:.0f}" for v in rise) + " |")
    assert max(outside) <= 0.01
    weeks, runs = [], []
    for mean in (2.0, 20.0):
        rng = np.random.default_rng([11, int(10 * mean)])
        drift = slow_drift(rng.poisson(mean, 200), mean=mean)
        weeks.append(cusum_run_length(mean, drift.reference_up, drift.limit_up))
        first = []
        for _ in range(200):
            rises = slow_drift(rng.poisson(1.2 * mean, 600), mean=mean).rise
            first.append(np.argmax(rises) + 1 if rises.any() else 600)
        runs.append(np.mean(first))
    print(f"| 累积和：误报平均隔几周 | – | {weeks[0]:,.0f} | {weeks[1]:,.0f} |")
    print(f"| 累积和：上升两成后平均几周发现 | – | {runs[0]:.0f} | {runs[1]:.0f} |")
    assert min(weeks) >= 1000


def test_points_of_noise():
    print("\n| 点过程（噪声 200 个，每个 300 起） | p 或 q ≤0.05 的 % | 种下的找到 % |\n|---|---|---|")

    def noise(rng, n=300):
        return rng.uniform(0, 5000, (n, 2)), rng.uniform(0, 180, n)

    def repeated(rng):
        xy, t = noise(rng, 260)
        parent = rng.integers(0, 260, 40)
        return np.vstack([xy, xy[parent] + rng.normal(0, 40, (40, 2))]), np.append(
            t, t[parent] + rng.uniform(0.5, 6, 40)
        )

    def gathered(rng):
        xy, t = noise(rng, 280)
        return np.vstack([xy, rng.normal(2500, 120, (20, 2))]), np.append(t, rng.uniform(90, 97, 20))

    methods = {
        "Knox（200 米、7 天）": (lambda xy, t, s: knox(xy, t, distance_m=200, days=7, permutations=199, seed=s).p <= 0.05, repeated),
        "近重复表，整表 q": (
            lambda xy, t, s: np.nanmin(near_repeat(xy, t, distance_bands_m=[100, 200, 400], day_bands=[7, 14, 28], permutations=199, seed=s).q) <= 0.05, repeated,
        ),
        "近重复连线，q": (lambda xy, t, s: (np.asarray(near_repeat_links(xy, t, distance_m=200, days=7).q) <= 0.05).any(), gathered),
        "时空扫描（≤600 米、≤14 天）": (
            lambda xy, t, s: scan_permutation(xy, t.astype(int), max_radius_m=600, max_days=14, permutations=99, seed=s).p <= 0.05, gathered,
        ),
    }  # fmt: skip
    for name, (claims, plant) in methods.items():
        rng = np.random.default_rng(12)
        false = np.mean([bool(claims(*noise(rng), s)) for s in range(200)])
        hits = np.mean([bool(claims(*plant(rng), s)) for s in range(60)])
        print(f"| {name} | {100 * false:.1f} | {100 * hits:.0f} |")
        assert false <= allowed(0.05, 200), name


def test_placebo_windows_of_philadelphia(real_data):
    """Windows between which nothing can have changed: odd against even days of four weeks, and week against week."""
    warnings.simplefilter("ignore")
    import geopandas as gpd

    from geo.regions import assign

    parts = [
        pd.read_csv(path, usecols=["dispatch_date", "text_general_code", "point_x", "point_y"])
        for path in sorted((real_data / "philadelphia").glob("incidents_202[2-5].csv.gz"))
    ]
    frame = pd.concat(parts, ignore_index=True)
    tracts = gpd.read_file(f"/vsigzip/{real_data}/philadelphia/census_tracts_2020_population.geojson.gz")
    districts = gpd.read_file(f"/vsigzip/{real_data}/philadelphia/planning_districts.geojson.gz")
    day = (pd.to_datetime(frame["dispatch_date"]) - pd.Timestamp("2022-01-03")).dt.days.to_numpy()
    near = contiguity(tracts)
    print("\n| 费城安慰剂窗口 | 层级 | 窗口数 | p<0.05 的 % | 有 q<0.05 的窗口 % |\n|---|---|---|---|---|")
    for level, shapes in (("普查区", tracts), ("规划区", districts)):
        place = assign(frame["point_x"].to_numpy(), frame["point_y"].to_numpy(), shapes)
        keep = (place >= 0) & (day >= 0) & (day < 1456)
        counts = np.zeros((len(shapes), 1456), int)
        np.add.at(counts, (place[keep], day[keep]), 1)
        weekly = counts.reshape(len(shapes), 208, 7).sum(axis=2)
        alike, weeks = [], []
        for week in range(60, 204, 4):
            block = counts[:, 7 * week : 7 * week + 28]
            phi = dispersion(
                counts[:, 7 * week - 364 : 7 * week].reshape(len(shapes), 26, 14).sum(axis=2),
                np.full(26, 14.0),
                pooled=level == "普查区",
            ).phi
            alike.append(widen(poisson_e_test(block[:, ::2].sum(axis=1), 14, block[:, 1::2].sum(axis=1), 14).p, phi))
            phi = dispersion(weekly[:, week - 53 : week - 1], np.full(52, 7.0), pooled=level == "普查区").phi
            weeks.append(widen(poisson_e_test(weekly[:, week], 7, weekly[:, week - 1], 7).p, phi))
        for name, tests in (("四周里隔日对隔日", alike), ("一周对上一周", weeks)):
            any_q = np.mean([(benjamini_hochberg(p) < 0.05).any() for p in tests])
            cells = np.mean([np.mean(p < 0.05) for p in tests])
            print(f"| {name} | {level} {len(shapes)} | {len(tests)} | {100 * cells:.1f} | {100 * any_q:.1f} |")
    flags, cells = [], []
    place = assign(frame["point_x"].to_numpy(), frame["point_y"].to_numpy(), tracts)
    keep = (place >= 0) & (day >= 0) & (day < 1456)
    rng = np.random.default_rng(13)
    for week in range(60, 204, 4):
        total = int(np.sum(keep & (day // 7 == week)))
        found = getis_ord_star(rng.multinomial(total, np.full(len(tracts), 1 / len(tracts))), near)
        flags.append(found.flagged.any())
        cells.append(np.mean(found.p <= 0.05))
    print(
        f"| Gi*：同样件数随机撒到各区 | 普查区 {len(tracts)} | {len(flags)} | {100 * np.mean(cells):.1f} | {100 * np.mean(flags):.1f} |"
    )


def test_peers_on_the_same_noise():
    """What the usual defaults do on such maps; nothing is asserted of other people's code."""
    warnings.simplefilter("ignore")
    from esda import G_Local, Moran_Local
    from libpysal.weights import W
    from scipy.stats import norm

    few = 200
    weights = W({i: list(map(int, near)) for i, near in enumerate(NEAR)}, silence_warnings=True)
    print(f"\n| 别的做法（每种均值 {few} 幅） | 0.2 | 2 | 20 |\n|---|---|---|---|")
    normal, moran, cells = [], [], []
    for mean in MEANS:
        maps = noise_maps(mean, few, SIDE, 20).astype(float)
        scores = [G_Local(x, weights, transform="B", star=True, permutations=0).Zs for x in maps]
        normal.append(np.mean([(benjamini_hochberg(2 * norm.sf(np.abs(z))) <= 0.05).any() for z in scores]))
        found = [Moran_Local(x, weights, permutations=999, seed=1).p_sim for x in maps[:40]]
        cells.append(np.mean([np.mean(p <= 0.05) for p in found]))
        moran.append(np.mean([(benjamini_hochberg(p) <= 0.05).any() for p in found]))
    for name, shares in (
        ("esda Gi* 正态 p 加 BH：有误报的图 %", normal),
        ("esda 局部 Moran 默认 p_sim：p≤0.05 的格 %（40 幅）", cells),
        ("esda 局部 Moran 默认 p_sim 加 BH：有误报的图 %（40 幅）", moran),
    ):
        print(f"| {name} | " + " | ".join(f"{100 * share:.1f}" for share in shares) + " |")
