"""Figures of geo.autocorrelation and of the emerging classes."""

from __future__ import annotations

import numpy as np
import pandas as pd
from canvas import ACCENT, BAD, COUNT, LINE, QUIET, SIDES, areas, key, land, outline, ruler, sheet
from releases import City

from geo.autocorrelation import getis_ord_star, local_moran
from geo.change import dispersion
from geo.spacetime import emerging_hotspots, mann_kendall

_QUADRANTS = {"HH": "#97500F", "HL": "#F2CC98", "LH": "#B4D2E7", "LL": "#1C5C92", "none": "#EDEEEC"}
_WEEKS = pd.date_range("2024-12-02", "2025-12-01", freq="7D")


_FOUR_WEEKS = pd.date_range("2024-11-04", "2025-11-03", freq="28D")  # before the window, of its length


def _phi(cube: np.ndarray, days: float = 7.0) -> float:
    return float(dispersion(cube, np.full(cube.shape[1], days), pooled=True).phi[0])


def _last_four_weeks(city: City, kind: str) -> tuple[np.ndarray, float]:
    """Counts of four weeks, and phi from the periods of that length before them."""
    phi = _phi(city.cube(_FOUR_WEEKS, kind), 28.0)
    return city.counted(city.events("2025-11-03", "2025-12-01", kind)), phi


def gi_star(philadelphia: City, demo: City):
    """Burglaries of four weeks: counts beside the tested map."""
    counts, phi = _last_four_weeks(philadelphia, "Burglary Residential")
    found = getis_ord_star(counts, philadelphia.near, dispersion=phi)
    figure, (left, right) = sheet(2)
    shapes = philadelphia.grids.geometry.values
    land(left, title="起数（2025-11-03 起四周）")
    ruler(figure, areas(left, shapes, values=counts, cmap=COUNT), left, "起")
    land(right, title="Gi*：经得起检验的")
    areas(
        right,
        shapes,
        colours=[SIDES[name if sure else "none"] for name, sure in zip(found.label, found.flagged, strict=True)],
    )
    outline(right, philadelphia.outline)
    key(right, {"高，q≤0.01": SIDES["hot99"], "高，q≤0.05": SIDES["hot95"], "低，q≤0.05": SIDES["cold95"]})
    return figure, (
        f"费城 408 个普查区，入室盗窃 {counts.sum()} 起，2025-11-03 起四周；离散 φ={phi:.2f}（此前 {len(_FOUR_WEEKS) - 1}"
        f" 个四周合并），q≤0.05 的 {found.flagged.sum()} 个。"
    )


def moran(philadelphia: City, demo: City):
    """The same four weeks by local Moran."""
    counts, phi = _last_four_weeks(philadelphia, "Theft from Vehicle")
    found = local_moran(counts, philadelphia.near, dispersion=phi)
    figure, (left, right) = sheet(2)
    shapes = philadelphia.grids.geometry.values
    land(left, title="起数（2025-11-03 起四周）")
    ruler(figure, areas(left, shapes, values=counts, cmap=COUNT), left, "起")
    land(right, title="局部 Moran：与邻居像不像")
    areas(right, shapes, colours=[_QUADRANTS.get(name, "#FFFFFF") for name in found.label])
    outline(right, philadelphia.outline)
    names = {"高—高": "HH", "高—低": "HL", "低—高": "LH", "低—低": "LL"}
    key(right, {text: _QUADRANTS[name] for text, name in names.items()})
    sides = {text: int((found.label == name).sum()) for text, name in names.items()}
    return figure, (
        f"费城，车内盗窃 {counts.sum()} 起，2025-11-03 起四周；φ={phi:.2f}（此前 {len(_FOUR_WEEKS) - 1} 个四周合并）；q≤0.05："
        + "、".join(f"{text} {n}" for text, n in sides.items())
        + "。"
    )


def emerging(philadelphia: City, demo: City):
    """Classes of the demo city over twelve weeks, with the series of the planted place."""
    edges = pd.date_range("2026-08-24", "2026-11-16", freq="7D")
    cube = demo.cube(edges)
    phi = _phi(demo.cube(pd.date_range("2025-08-25", "2026-08-24", freq="7D")))
    found = emerging_hotspots(cube, demo.near, dispersion=phi)
    kinds = pd.Series(found.label).str.rsplit("_", n=1, expand=True)
    figure, (left, right) = sheet(2, width=7.4)
    colours = {
        "new": "#F2CC98", "consecutive": "#D98C3B", "persistent": "#97500F", "intensifying": "#6A2350",
        "diminishing": "#B33F4D", "sporadic": "#F6D9C0", "oscillating": "#C9A0DC", "historical": "#5B9ACA",
        "none": "#EDEEEC",
    }  # fmt: skip
    land(left, title="十二周的类别")
    areas(left, demo.grids.geometry.values, colours=[colours[kind] for kind in kinds[0]], line=LINE, width=0.2)
    west, south, east, north = demo.grids.geometry[found.label != "none"].total_bounds
    left.set(xlim=(west - 900, east + 900), ylim=(south - 900, north + 900))
    seen = {
        "new": "新增", "consecutive": "连续", "intensifying": "加强", "persistent": "持续", "diminishing": "减弱",
        "sporadic": "零星", "oscillating": "反复", "historical": "已过",
    }  # fmt: skip
    key(left, {text: colours[name] for name, text in seen.items() if (kinds[0] == name).any()}, loc="center left")
    hot = np.flatnonzero(found.label == "consecutive_hot")
    place = hot[np.argmax(found.z[hot, -1])]
    right.plot(range(1, 13), cube[place], color=QUIET, marker="o", markersize=3, label="本格起数（起/周）")
    right.plot(range(1, 13), found.z[place], color=ACCENT, label="时空 Gi* 的 z（无单位）")
    flagged = np.flatnonzero(found.side[place] == 1)
    right.plot(flagged + 1, found.z[place][flagged], "o", color=BAD, label="q≤0.05")
    right.set_title(f"网格 {demo.grids['grid_code'][place][-6:]}：连续热点")
    right.set_xlabel("周（2026-08-24 起）")
    right.legend(loc="upper left")
    counted = pd.Series(found.label).value_counts()
    return figure, (
        f"演示市（合成）2,800 格 × 12 周；φ={phi:.2f}，邻域含前一周；连续热点 {counted.get('consecutive_hot', 0)} 格，"
        f"持续热点 {counted.get('persistent_hot', 0)} 格。种下的新热点在最近六周，已连着几周，所以叫“连续”；“新增”只指最后一周才有。"
    )


def trend(philadelphia: City, demo: City):
    """Monthly car thefts with their Theil-Sen slope."""
    months = pd.date_range("2023-07-01", "2026-01-01", freq="MS")
    series = philadelphia.cube(months, "Motor Vehicle Theft").sum(axis=0)
    found = mann_kendall(series)
    figure, axis = sheet(height=2.6)
    at = np.arange(len(series))
    axis.plot(at, series, color=QUIET, marker="o", markersize=3)
    middle = np.median(series) + found.slope * (at - np.median(at))
    axis.plot(at, middle, color=ACCENT, label=f"Theil–Sen：每月 {found.slope:+.1f} 起")
    axis.set_xticks(at[::6], [f"{m:%Y-%m}" for m in months[:-1:6]])
    axis.set_ylabel("起/月")
    axis.set_title("机动车被盗")
    axis.legend()
    words = {"rising": "上升", "falling": "下降", "none": "看不出趋势"}
    return figure, (
        f"费城，机动车被盗，2023-07 至 2025-12 共 {found.n} 个月；S={found.s:.0f}，τ={found.tau:.2f}，p={found.p:.2g}：{words[found.trend]}。"
    )


FIGURES = {"gi_star": gi_star, "moran": moran, "emerging": emerging, "trend": trend}
