"""Figures of densities and of events in space and time."""

from __future__ import annotations

import numpy as np
import pandas as pd
from canvas import ACCENT, BAD, CHANGE, COUNT, DENSITY, GROUND, INK, LINE, QUIET, land, outline, ruler, sheet, surface
from matplotlib.patches import Circle
from releases import City

from geo.density import density_change, kernel_density
from geo.evaluation import concentration, repeat_places
from geo.spacetime import aoristic, knox, near_repeat, near_repeat_links, scan_permutation

_RULES = {
    "given": "给定",
    "standard distance": "标准距离",
    "finest grid": "最细格网",
    "eighth of frame": "范围的八分之一",
}


def density(philadelphia: City, demo: City):
    """Robberies of a year, with and without the correction at the border."""
    xy = philadelphia.points(philadelphia.events("2025-01-01", "2026-01-01", "Robbery Firearm"))
    figure, (left, right) = sheet(2)
    found = kernel_density(xy, boundary=philadelphia.outline, days=365)
    plain = kernel_density(
        xy, boundary=philadelphia.outline, days=365, bandwidth_m=found.bandwidth_m, cell_m=found.cell_m, edge=False
    )
    top = float(np.nanmax(found.values))
    for axis, shown, title in ((left, found, "边界校正"), (right, plain, "不校正：边上少算")):
        land(axis, title=title)
        drawn = surface(axis, shown.values, shown.bounds_m, cmap=DENSITY, limits=(0, top))
        outline(axis, philadelphia.outline)
        axis.text(0.98, 0.02, f"合计 {shown.mass:,.1f} 起", transform=axis.transAxes, ha="right", color=QUIET)
    ruler(figure, drawn, [left, right], "起/km²·年")
    return figure, (
        f"费城，持枪抢劫 {found.n:,} 起（2025 年，市界外 {found.outside} 起不计）；四次核，带宽 {found.bandwidth_m:,.0f} 米"
        f"（规则：{_RULES.get(found.bandwidth_rule, found.bandwidth_rule)}），格 {found.cell_m:,.0f} 米。"
    )


def density_difference(philadelphia: City, demo: City):
    """Two half-years of car thefts."""
    kind = "Motor Vehicle Theft"
    windows = [("2025-01-01", "2025-07-01", 181), ("2025-07-01", "2026-01-01", 184)]
    now, before = (
        kernel_density(
            philadelphia.points(philadelphia.events(start, end, kind)), boundary=philadelphia.outline,
            bandwidth_m=1500, cell_m=250, days=days,
        )
        for start, end, days in reversed(windows)
    )  # fmt: skip
    found = density_change(now, before)
    most = float(np.nanmax(np.abs(found.values)))
    figure, axis = sheet(width=4.6)
    land(axis, title="机动车被盗：下半年减上半年")
    ruler(
        figure,
        surface(axis, found.values, found.bounds_m, cmap=CHANGE, limits=(-most, most)),
        axis,
        f"起/km²·{now.days:g}天",
    )
    outline(axis, philadelphia.outline)
    return figure, (
        f"费城，2025-07-01 起 184 天 {found.n:,} 起，此前 181 天 {found.n_before:,} 起；带宽 1,500 米，格 250 米；已折成等长。"
        "图上没有检验：涨跌是否超出偶然，看分区域的 E 检验。"
    )


def repeats(philadelphia: City, demo: City):
    """Places with the most shop and other thefts, and how concentrated they are."""
    events = philadelphia.events("2025-01-01", "2026-01-01", "Thefts")
    found = repeat_places(philadelphia.points(events), minimum=2)
    figure, axis = sheet(width=5.4)
    land(axis, title="同一坐标上的盗窃（最多的 60 处）")
    outline(axis, philadelphia.outline, colour=LINE)
    top = slice(0, 60)
    axis.scatter(found.x[top], found.y[top], s=np.sqrt(found.count[top]) * 9, color=BAD, alpha=0.55, linewidths=0)
    for i in range(3):
        axis.annotate(f"{found.count[i]:.0f} 起", (found.x[i], found.y[i]), xytext=(6, 4), textcoords="offset points")
    return figure, (
        f"费城，2025 年盗窃（Thefts）{found.events:,} 起落在 {found.places:,} 处坐标，2 起及以上的 {len(found.count):,} 处占"
        f" {found.share_pct.sum():.1f}%。街区级取整的坐标，所以“处”是街区。"
    )


def curve(philadelphia: City, demo: City):
    """The 80/20 curve of the same events over tracts and over places."""
    events = philadelphia.events("2025-01-01", "2026-01-01", "Thefts")
    found = concentration(philadelphia.counted(events))
    figure, axis = sheet(width=4.4, height=3.4)
    axis.plot(np.append(0, found.places_pct), np.append(0, found.events_pct), color=ACCENT, linewidth=2)
    axis.plot([0, 100], [0, 100], color=LINE)
    axis.plot([found.places_80_pct] * 2 + [0], [0, 80, 80], color=QUIET, linestyle=":")
    axis.set(xlabel="普查区 %", ylabel="事件 %", title="集中度曲线", xlim=(0, 100), ylim=(0, 101))
    return figure, (
        f"费城 {found.places} 个普查区，2025 年盗窃 {found.events:,.0f} 起；一半事件在 {found.places_50_pct:.1f}% 的区，八成在"
        f" {found.places_80_pct:.1f}%；基尼系数（校正） {found.gini_adjusted:.2f}。"
    )


def knox_test(philadelphia: City, demo: City):
    """Pairs of burglaries that are near in both, against what chance gives."""
    events = philadelphia.events("2025-01-01", "2026-01-01", "Burglary Residential")
    events = events[events["location_quality"] == "exact"]
    xy = philadelphia.points(events)
    days = (events["occurred_from"] - pd.Timestamp("2025-01-01")).dt.total_seconds().to_numpy() / 86400
    limits = [3, 7, 14, 28, 56]
    answers = [knox(xy, days, distance_m=200, days=limit, permutations=499, seed=1) for limit in limits]
    figure, axis = sheet(height=2.8)
    axis.bar(
        range(len(limits)), [a.ratio for a in answers], color=[BAD if a.p <= 0.05 else LINE for a in answers], width=0.6
    )
    axis.axhline(1, color=QUIET, linewidth=0.8)
    for i, a in enumerate(answers):
        axis.text(i, a.ratio, f"{a.observed:,.0f}/{a.expected:,.0f}\np={a.p:.3f}", ha="center", va="bottom", fontsize=8)
    axis.set_xticks(range(len(limits)), [f"≤{limit}天" for limit in limits])
    axis.set(
        title="入室盗窃：200 米内的成对事件，实际/期望", ylabel="比值", ylim=(0, max(a.ratio for a in answers) * 1.25)
    )
    return (
        figure,
        f"费城，2025 年入室盗窃 {answers[0].n:,} 起（同一坐标的也算近）；499 次置换（p 最小 0.002），随机种子 1；柱上为实际/期望对数。",
    )


def near_repeat_table(philadelphia: City, demo: City):
    """The table of bands for the same burglaries."""
    events = philadelphia.events("2025-01-01", "2026-01-01", "Burglary Residential")
    events = events[events["location_quality"] == "exact"]
    days = (events["occurred_from"] - pd.Timestamp("2025-01-01")).dt.total_seconds().to_numpy() / 86400
    found = near_repeat(
        philadelphia.points(events), days, distance_bands_m=[100, 200, 400, 800], day_bands=[3, 7, 14, 28, 56],
        permutations=499, seed=1,
    )  # fmt: skip
    ratio, q = np.asarray(found.ratio), np.asarray(found.q)
    figure, axis = sheet(width=5.6, height=2.8)
    axis.imshow(np.where(q <= 0.05, ratio, np.nan), cmap=DENSITY, vmin=1, vmax=np.nanmax(ratio), aspect="auto")
    for i in range(ratio.shape[0]):
        for j in range(ratio.shape[1]):
            axis.text(
                j,
                i,
                f"{ratio[i, j]:.2f}",
                ha="center",
                va="center",
                color=QUIET if not q[i, j] <= 0.05 else GROUND if ratio[i, j] > 0.7 * np.nanmax(ratio) else INK,
            )
    axis.set_xticks(range(ratio.shape[1]), found.day_labels)
    axis.set_yticks(range(ratio.shape[0]), ["同一地点", *found.distance_labels[1:]])
    axis.set(xlabel="相隔（天）", ylabel="相距（米）")
    axis.set_title("实际/期望（着色：q≤0.05）")
    axis.spines[:].set_visible(False)
    return figure, (
        f"费城，2025 年入室盗窃 {found.n:,} 起；左上一格实际 {found.observed[0, 0]:.0f} 对；499 次置换，整表一起做 Benjamini–Hochberg。"
        "时间是派警时间：同一地点紧挨着的两条可能是同一起的重复报警。"
    )


def links(philadelphia: City, demo: City):
    """Which events of one month are tied together."""
    events = demo.events("2026-08-24", "2026-11-16", "电动车被盗")
    events = events[events["location_quality"] == "exact"]
    xy = demo.points(events)
    days = (events["occurred_from"] - pd.Timestamp("2026-08-24")).dt.total_seconds().to_numpy() / 86400
    found = near_repeat_links(xy, days, distance_m=300, days=14)
    figure, axis = sheet(width=5.4)
    land(axis, title="近重复：连线的成对事件")
    outline(axis, demo.outline, colour=LINE)
    axis.scatter(*xy.T, s=3, color=QUIET, alpha=0.5, linewidths=0)
    for i, j in zip(found.first, found.second, strict=True):
        axis.plot(*xy[[i, j]].T, color=ACCENT, linewidth=0.3, alpha=0.6)
    sure = np.asarray(found.q) <= 0.05
    middle = np.median(xy[sure], axis=0)
    axis.set(xlim=(middle[0] - 1500, middle[0] + 1500), ylim=(middle[1] - 1000, middle[1] + 1000))
    axis.scatter(*xy[sure].T, s=14, color=BAD, linewidths=0)
    return figure, (
        f"演示市（合成），2026-08-24 起 12 周全市电动车被盗 {len(xy)} 起，300 米、14 天内相连 {len(found.first)} 对（图是其中最密的 3 × 2 公里）；"
        f"红点：全市 {int(sure.sum())} 起的邻近事件多得不像偶然（q≤0.05），多在种下的新热点。"
    )


def scan(philadelphia: City, demo: City):
    """The likeliest clusters of shootings within a quarter."""
    start = pd.Timestamp("2025-07-01")
    events = philadelphia.events("2025-07-01", "2025-10-01", "Aggravated Assault Firearm")
    events = events[events["location_quality"] == "exact"]
    xy = philadelphia.points(events)
    day = (events["occurred_from"].dt.normalize() - start).dt.days.to_numpy()
    found = scan_permutation(xy, day, max_radius_m=1500, max_days=14, permutations=499, seed=1)
    figure, axis = sheet(width=5.4)
    land(axis, title="时空扫描：最可能的聚集")
    outline(axis, philadelphia.outline, colour=LINE)
    axis.scatter(*xy.T, s=4, color=QUIET, alpha=0.5, linewidths=0)
    words = []
    for rank, cluster in enumerate(found.clusters.head(3).itertuples(), 1):
        axis.add_patch(Circle(
            (cluster.x, cluster.y), max(cluster.radius_m, 150), fill=False, linewidth=1.6,
            edgecolor=BAD if cluster.p <= 0.05 else QUIET,
        ))  # fmt: skip
        axis.annotate(str(rank), (cluster.x, cluster.y), xytext=(8, 8), textcoords="offset points", weight="bold")
        first, last = (start + pd.Timedelta(days=int(day)) for day in (cluster.start, cluster.end - 1))
        words.append(
            f"{rank}：{first:%m-%d} 至 {last:%m-%d}，半径 {cluster.radius_m:,.0f} 米，{cluster.observed:.0f} 起（期望"
            f" {cluster.expected:.1f}），p={cluster.p:.3f}"
        )
    return (
        figure,
        f"费城，2025 年三季度持枪伤害 {found.n} 起；半径≤1,500 米、窗口≤14 天，499 次置换；红圈 p≤0.05（画的半径至少 150 米）。"
        + "；".join(words)
        + "。",
    )


def aoristic_week(philadelphia: City, demo: City):
    """Hours of the week of the demo city's police calls, spans shared by minutes."""
    events = demo.events("2026-05-18", "2026-11-16")
    found = aoristic(events["occurred_from"], events["occurred_to"])
    figure, axis = sheet(height=2.4)
    drawn = axis.imshow(found.weights, cmap=COUNT, aspect="auto", vmin=0)
    axis.set_yticks(range(7), list("一二三四五六日"))
    axis.set_xticks(range(0, 24, 3), [f"{h}时" for h in range(0, 24, 3)])
    axis.spines[:].set_visible(False)
    axis.set_title("星期 × 时段")
    ruler(figure, drawn, axis, "起")
    return figure, (
        f"演示市（合成），2026-05-18 起 26 周 {found.n:,} 起，合计权重 {found.weights.sum():,.1f}；"
        f"{int(events['occurred_to'].notna().sum())} 起只知时段，按分钟摊开。"
    )


FIGURES = {
    "density": density, "density_difference": density_difference, "repeats": repeats, "curve": curve,
    "knox": knox_test, "near_repeat": near_repeat_table, "links": links, "scan": scan, "aoristic": aoristic_week,
}  # fmt: skip
