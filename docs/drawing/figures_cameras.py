"""Figures of camera coverage and siting, from the demo city."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
from canvas import ACCENT, BAD, GOOD, LINE, QUIET, WARN, areas, key, land, outline, sheet
from releases import City

from geo.coverage import (
    RULES,
    camera_areas,
    coverage_summary,
    covered_points,
    repair_order,
    road_junctions,
    rule_check,
    visible_areas,
    working_cameras,
)
from geo.siting import maximal_cover


def _cameras(demo: City) -> tuple[gpd.GeoDataFrame, np.ndarray]:
    frame = demo.layer("camera")
    seen = camera_areas(frame.geometry.x, frame.geometry.y, frame["bearing_deg"], frame["fov_deg"], frame["range_m"])
    return frame, np.asarray(seen.areas)


def _quarter(demo: City) -> np.ndarray:
    """Points of the events of the last 13 weeks."""
    return demo.points(demo.events("2026-08-17", "2026-11-16"))


def visibility(philadelphia: City, demo: City):
    """A camera among buildings: sector and what walls leave of it."""
    buildings = demo.layer("base_building").geometry.values
    frame, sectors = _cameras(demo)
    near = shapely.STRtree(buildings).query(sectors, predicate="intersects")
    camera = int(np.argmax(np.bincount(near[0], minlength=len(sectors))))
    centre = frame.geometry.values[camera]
    reach = 150.0
    block = buildings[shapely.distance(buildings, centre) < reach * 1.3]
    found = visible_areas([centre.x], [centre.y], range_m=[reach], obstacles=block)
    figure, axis = sheet(width=4.6, height=3.8)
    land(axis, title="圆、扇形与遮挡后的可视区")
    areas(axis, block, colours=["#B3C0CB"] * len(block))
    outline(axis, centre.buffer(reach), colour=LINE)
    areas(axis, found.areas, colours=["#CFE3F0"], line=ACCENT, width=0.8)
    outline(axis, sectors[camera], colour=WARN, width=1.2)
    axis.plot(centre.x, centre.y, "o", color=BAD, markersize=4)
    axis.set_xlim(centre.x - reach * 1.1, centre.x + reach * 1.1)
    axis.set_ylim(centre.y - reach * 1.1, centre.y + reach * 1.1)
    share = found.areas[0].area / centre.buffer(reach, quad_segs=64).area
    return figure, (
        f"演示市（合成），{frame['camera_code'].iloc[camera]} 处，半径 {reach:.0f} 米，{len(block)} 栋建筑："
        f"灰圈内全向可视面积（蓝）是圆的 {100 * share:.0f}%；橙线是它登记的视域（{frame['fov_deg'].iloc[camera]:.0f} 度、{frame['range_m'].iloc[camera]:.0f} 米）。"
    )


def summary(philadelphia: City, demo: City):
    """The figures of the demo city, all cameras beside those online."""
    frame, sectors = _cameras(demo)
    points = _quarter(demo)
    places = demo.layer("key_place")
    places = places[~places.geometry.isna() & ~places.geometry.is_empty]
    roads = demo.layer("base_road").geometry.values
    found = coverage_summary(
        sectors, online=frame["online"].to_numpy(bool), city=demo.outline, roads=roads, places=places, incidents=points
    )
    names = ("area", "road", "places", "incidents", "incidents_backup")
    labels = ("面积", "道路长度", "重点点位", "事件", "事件（两路以上）")
    figure, axis = sheet(height=2.6)
    for offset, group, colour in ((-0.18, found.all, "#97C3DF"), (0.18, found.online, ACCENT)):
        shares = [getattr(group, name).share_pct for name in names]
        bars = axis.barh(np.arange(5) + offset, shares, height=0.34, color=colour)
        axis.bar_label(bars, [f"{share:.1f}%" for share in shares], padding=3, fontsize=8)
    axis.set_yticks(range(5), labels)
    axis.invert_yaxis()
    axis.set_title("覆盖率：全部摄像机与在线的")
    key(axis, {"全部": "#97C3DF", "在线": ACCENT})
    area = found.all.area
    return figure, (
        f"演示市（合成），{found.cameras:,} 台（在线 {found.cameras_online:,}）；面积 {area.numerator:,.1f}/{area.denominator:,.0f} {area.unit}，"
        f"道路 {found.all.road.denominator / 1000:,.0f} 公里，点位 {found.all.places.denominator:,.0f} 处，事件为最近 13 周"
        f" {found.all.incidents.denominator:,.0f} 起。分母不同，不能互相代替。"
    )


def rules(philadelphia: City, demo: City):
    """The nine rules: covered, failing, not judged."""
    frame = demo.layer("camera")
    points = demo.layer("key_place")
    shapes = demo.layer("key_area")
    crossings = road_junctions(demo.layer("base_road"))
    columns = {
        name: np.append(points[name].to_numpy(object), shapes[name].to_numpy(object))
        for name in ("place_id", "kind", "parent_id")
    }
    extra = {
        "place_id": [f"LK{i:05d}" for i in range(len(crossings))],
        "kind": ["路口"] * len(crossings),
        "parent_id": [None] * len(crossings),
    }
    places = gpd.GeoDataFrame(
        {name: np.append(columns[name], np.array(extra[name], object)) for name in columns},
        geometry=np.concatenate([points.geometry.values, shapes.geometry.values, shapely.points(crossings)]), crs=points.crs,
    )  # fmt: skip
    found = [rule_check(places, frame, name) for name in RULES]
    figure, axis = sheet(height=3.0)
    for i, check in enumerate(found):
        whole = check.judged + check.not_judged
        if not whole:
            axis.text(1, i, "未评估：没有这类点位", va="center", color=QUIET)
            continue
        parts = (check.covered, check.judged - check.covered, check.not_judged)
        left = 0.0
        for count, colour in zip(parts, (GOOD, BAD, LINE), strict=True):
            axis.barh(i, 100 * count / whole, left=left, color=colour, height=0.6)
            left += 100 * count / whole
        axis.text(101, i, f"{check.covered}/{check.judged}", va="center", color=QUIET)
    axis.set_yticks(range(len(found)), [f"{name} {check.rule.words}" for name, check in zip(RULES, found, strict=True)])
    axis.set(xlim=(0, 122), ylim=(-0.7, len(found) + 0.9), title="天网、地网九条规则（%，右侧：覆盖/评估）")
    axis.invert_yaxis()
    axis.set_xticks([0, 50, 100])
    key(axis, {"已覆盖": GOOD, "未覆盖": BAD, "未评估": LINE}, loc="lower center", ncols=3)
    return figure, (
        f"演示市（合成），{len(points) + len(shapes)} 处重点点位与区域，{len(crossings):,} 个路口（道路的三岔以上结点）；"
        "没有出入口数据的是“未评估”，不算未覆盖。演示的摄像机随街道随机布设，没有对着点位装。"
    )


def repair(philadelphia: City, demo: City):
    """Which broken cameras to repair first."""
    frame, sectors = _cameras(demo)
    points = _quarter(demo)
    works = working_cameras(frame).works
    found = repair_order(sectors, points, online=works, codes=frame["camera_code"])
    top = np.asarray(found.order[:10])
    figure, axis = sheet(height=2.8)
    axis.barh(range(len(top)), found.gain[top], color=ACCENT, height=0.6)
    axis.set_yticks(range(len(top)), frame["camera_code"].to_numpy()[top])
    axis.invert_yaxis()
    axis.set_title("先修哪一台：修好后多看到的事件")
    axis.set_xlabel("起（最近 13 周，只有它能看到）")
    return figure, (
        f"演示市（合成），不在用的 {int((~works).sum())} 台；最近 13 周 {found.events:,} 起中在用摄像机看到 {found.events_covered:,} 起。"
    )


def siting(philadelphia: City, demo: City):
    """Ten more cameras where the events are that nobody sees."""
    frame, sectors = _cameras(demo)
    points = _quarter(demo)
    unseen = points[covered_points(points, sectors[working_cameras(frame).works]) == 0]
    candidates = road_junctions(demo.layer("base_road"))
    found = maximal_cover(unseen, candidates, k=10, radius_m=80)
    figure, axis = sheet(width=5.4)
    land(axis, title="再装十台，装在哪里")
    outline(axis, demo.outline, colour=LINE)
    axis.scatter(*unseen.T, s=2, color=QUIET, alpha=0.4, linewidths=0)
    axis.scatter(*candidates[found.chosen].T, s=40, color=BAD, marker="^", linewidths=0)
    for rank, site in enumerate(found.chosen, 1):
        axis.annotate(str(rank), candidates[site], xytext=(5, 3), textcoords="offset points", weight="bold")
    west, south, east, north = shapely.MultiPoint(candidates[found.chosen]).buffer(1500).bounds
    axis.set(xlim=(west, east), ylim=(south, north))
    return figure, (
        f"演示市（合成），没有在用摄像机看到的 {len(unseen):,} 起（13 周），候选 {len(candidates)} 处路口，半径 80 米；"
        f"新覆盖 {found.covered:.0f} 起，{'最优' if found.method == 'exact' else f'距最优至多 {found.gap_pct:.1f}%'}。"
    )


FIGURES = {
    "visibility": visibility, "summary": summary, "rules": rules, "repair": repair, "siting": siting,
}  # fmt: skip
