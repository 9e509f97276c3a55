"""Figures of geo.evaluation and of the datum test."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely
from canvas import ACCENT, BAD, GOOD, LINE, QUIET, areas, key, land, sheet
from releases import City

from geo.autocorrelation import getis_ord_star
from geo.change import dispersion
from geo.crs import detect_datum, gcj02_to_wgs84, wgs84_to_gcj02
from geo.evaluation import choose_controls, hotspot_report, prediction_accuracy_index, weighted_displacement_difference
from geo.regions import area_m2, topology


def accuracy(philadelphia: City, demo: City):
    """Four weeks of hotspots judged by the four weeks after, through a year."""
    kind = "Theft from Vehicle"
    edges = pd.date_range("2024-12-02", "2026-01-01", freq="28D")
    cube = philadelphia.cube(edges, kind)
    past = philadelphia.cube(pd.date_range("2023-12-04", "2024-12-02", freq="28D"), kind)
    phi = float(dispersion(past, np.full(past.shape[1], 28.0), pooled=True).phi[0])
    km2 = area_m2(philadelphia.grids) / 1e6
    reports = []
    for step in range(cube.shape[1] - 1):
        star = getis_ord_star(cube[:, step], philadelphia.near, dispersion=phi)
        hot = star.flagged & np.char.startswith(star.label, "hot")
        reports.append(hotspot_report(hot, cube[:, step], cube[:, step + 1], km2))
    figure, (left, right) = sheet(2, height=2.8)
    at = np.arange(len(reports))
    left.plot(at, [r.hit_pct for r in reports], color=BAD, marker="o", markersize=3, label="Gi* 热点")
    left.plot(
        at, [r.naive_hit_pct for r in reports], color=QUIET, marker="s", markersize=3, label="上期件数最多的同样面积"
    )
    left.plot(at, [r.area_pct for r in reports], color=LINE, label="随机（面积占比）")
    left.set(title="命中率 %", ylim=(0, None), xlabel="第几次（四周对下四周）")
    left.legend()
    curve = prediction_accuracy_index(cube[:, -1], cube[:, -2] / km2, size=km2)
    right.plot(curve.size_pct, curve.pai, color=ACCENT)
    right.axhline(1, color=LINE)
    right.set(title="PAI 随面积", xlabel="面积 %", xlim=(0, 50))
    wins = sum(r.beats_naive for r in reports)
    return figure, (
        f"费城，车内盗窃，{len(reports)} 次四周对下四周；热点命中平均 {np.mean([r.hit_pct for r in reports]):.1f}%，"
        f"按上期件数取同样面积 {np.mean([r.naive_hit_pct for r in reports]):.1f}%；热点胜出 {wins} 次。胜不过就照实说。"
    )


def displacement(philadelphia: City, demo: City):
    """The demo city's action: treated place, ring, controls."""
    import json

    truth = json.loads((demo.gpkg.parents[2] / "truth.json").read_text("utf-8"))["planted"]["acted_on"]
    index = pd.Index(demo.grids["grid_code"])
    day = pd.Timestamp(truth["action_date"])
    edges = pd.date_range(day - pd.Timedelta(weeks=56), day + pd.Timedelta(weeks=12), freq="7D")
    cube = demo.cube(edges)
    places = [index.get_indexer(c["grids"]) for c in truth["controls"]]
    treated = index.get_indexer(truth["grids"])
    controls = choose_controls(
        [treated, *places], 0, [cube[p, :52].sum() for p in (treated, *places)], demo.near
    )  # fmt: skip

    def pair(grids) -> tuple[int, int]:
        rows = cube[np.asarray(grids, int)]
        return int(rows[:, :52].sum()), int(rows[:, 56:].sum())

    chosen = np.concatenate([([treated, *places][i]) for i in controls.chosen])
    ring = np.concatenate(controls.rings)
    found = weighted_displacement_difference(
        pair(chosen), pair(treated), pair(ring), pair(controls.treated_ring), exposure=(52 * 7, 12 * 7),
        control_weight=controls.control_weight,
    )  # fmt: skip
    figure, axis = sheet(height=2.8)
    at = np.arange(-56, 12)
    axis.plot(at, pd.Series(cube[treated].sum(axis=0)).rolling(4).mean(), color=BAD, label="处置地点")
    axis.plot(
        at,
        pd.Series(cube[chosen].sum(axis=0) * controls.control_weight).rolling(4).mean(),
        color=QUIET,
        label="对照（平均）",
    )
    axis.plot(at, pd.Series(cube[controls.treated_ring].sum(axis=0)).rolling(4).mean(), color=ACCENT, label="外环")
    axis.axvline(0, color=GOOD)
    axis.axvspan(-4, 0, color=LINE, alpha=0.5)
    axis.set(title="处置前后（四周滑动平均）", xlabel="距处置周数", ylabel="起/周")
    axis.legend(loc="upper right", ncols=3)
    axis.set_ylim(0, axis.get_ylim()[1] * 1.2)
    before, after = pair(treated)
    return figure, (
        f"演示市（合成）；处置地点折成 12 周由 {before * 12 / 52:.0f} 起到 {after} 起；处置前 52 周对后 12 周，挂牌四周不计；对照 {len(controls.chosen)} 处；WDD {found.estimate:+.1f} 起"
        f"（95% {found.low:.1f} 至 {found.high:.1f}），z={found.z:.2f}（φ=1）。种下的效果是 −45%，外环 +6%。"
    )


def datum(philadelphia: City, demo: City):
    """Share of points inside their grid under the three readings."""
    frame = demo.grids.to_crs(4490)
    events = demo.incidents[demo.incidents["location_quality"] == "exact"].to_crs(4490)
    place = pd.Index(demo.grids["grid_code"]).get_indexer(events["grid_code"])
    lon, lat = wgs84_to_gcj02(events.geometry.x, events.geometry.y)
    found = detect_datum(lon, lat, regions=frame, declared=place)
    names = {"wgs84": "WGS 84", "gcj02": "GCJ-02", "bd09": "BD-09"}
    figure, axis = sheet(height=2.0)
    shares = [100 * found.evidence[name] for name in names]
    bars = axis.barh(range(3), shares, color=[BAD if name == found.hypothesis else LINE for name in names], height=0.6)
    axis.bar_label(bars, [f"{s:.1f}%" for s in shares], padding=3)
    axis.set_yticks(range(3), list(names.values()))
    axis.invert_yaxis()
    axis.set_title("落入申报网格的点")
    back = gcj02_to_wgs84(lon, lat)
    off = float(np.max(np.abs(np.column_stack(back) - np.column_stack([events.geometry.x, events.geometry.y]))))
    return figure, (
        f"演示市（合成），把 {found.n:,} 个点移到 GCJ-02 再问：判为 {names.get(found.hypothesis, found.hypothesis)}；"
        f"反算回来最多差 {off:.0e} 度。"
    )


def regions(philadelphia: City, demo: City):
    """Some grids of the demo city, one moved and one lost: what topology says."""
    shapes = demo.grids.geometry.values
    heart = shapely.centroid(shapes[len(shapes) // 2])
    block = shapes[shapely.distance(shapes, heart) < 900].copy()
    inner = np.argsort(shapely.distance(shapely.centroid(block), heart))
    block[inner[0]] = shapely.transform(block[inner[0]], lambda xy: xy + np.array([60.0, 25.0]))
    lost = inner[4]
    block = np.delete(block, lost)
    found = topology(block)
    figure, axis = sheet(width=4.6, height=3.4)
    land(axis, title="一个网格移了 65 米，一个丢了")
    areas(axis, block, colours=["#EEF4F8"] * len(block), line=LINE, width=0.8)
    over = [shapely.intersection(block[o.first], block[o.second]) for o in found.overlaps]
    areas(axis, over, colours=[BAD] * len(over))
    areas(axis, [gap.polygon for gap in found.gaps], colours=["#F2CC98"] * len(found.gaps))
    key(axis, {"重叠": BAD, "缝隙": "#F2CC98"})
    return figure, (
        f"演示市（合成）{len(block)} 个网格，容差 {found.tolerance_m2:g} m²：重叠 {len(found.overlaps)} 处"
        f" {sum(o.area_m2 for o in found.overlaps):,.0f} m²，缝隙 {len(found.gaps)} 处 {sum(g.area_m2 for g in found.gaps):,.0f} m²。"
    )


FIGURES = {"accuracy": accuracy, "displacement": displacement, "datum": datum, "regions": regions}
