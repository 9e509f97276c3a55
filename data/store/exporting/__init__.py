"""What can be exported: each layer with its rows as Arrow batches, its question's meta and how it counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from data.selection import Selection
from data.store.counts import counts
from data.store.coverage import coverage
from data.store.disputes import disputes
from data.store.exporting.columns import meaning
from data.store.exporting.export import GEOJSON, POINT, Export
from data.store.exporting.hotspots import found_hotspots
from data.store.exporting.incidents import incidents
from data.store.exporting.places import cameras, key_places
from data.store.exporting.tables import of_areas, of_table
from data.store.profile import profile
from data.store.release import Release
from data.store.scope import Scope
from data.store.summary import summary
from data.store.trend import trend

__all__ = ["EXPORTS", "GEOJSON", "POINT", "Export", "Kind", "export", "meaning"]

_EVENTS = "按发生时间计入时段，含起始日、不含结束日；无效只在点名时计入；空为未报，0为零报或无"
_TESTED = "p 已按离散系数放宽，并在授权范围内的全部同级区域上校正"
_PLACES = "按所在网格归入所选区域，其余筛选条件不适用"
_Build = Callable[[Release, Selection, Scope, dict[str, str]], Export]


@dataclass(frozen=True)
class Kind:
    """A layer that can be exported.

    Attributes
    ----------
    title : str
        What it is called.
    rule : str
        How it counts.
    build : callable
        Release, Selection, Scope and its own parameters to the Export.
    defaults : dict
        Its own parameters, besides the Selection's, with what they are where not given.
    shaped : bool
        Whether it has places and so geographic formats.
    """

    title: str
    rule: str
    build: _Build
    defaults: dict[str, str]
    shaped: bool = False


def _of_areas(layer: str, question) -> _Build:
    def build(release: Release, selection: Selection, scope: Scope, own: dict[str, str]) -> Export:
        return of_areas(release, layer, selection, own["level"], question(release, selection, scope, own["level"]))

    return build


_LEVEL = {"level": "district"}
EXPORTS: dict[str, Kind] = {
    "counts": Kind("区域起数", f"{_EVENTS}；{_TESTED}", _of_areas("counts", counts), _LEVEL, True),
    "incidents": Kind("警情明细", f"每起一行；{_EVENTS}", lambda r, s, c, _: incidents(r, s, c), {}, True),
    "trend": Kind("走势", _EVENTS, lambda r, s, c, own: of_table("trend", s, trend(r, s, c, own["step"])), {"step": "day"}),
    "profile": Kind("时段 × 星期", f"{_EVENTS}；钟点不明的不在其中",
                    lambda r, s, c, _: of_table("profile", s, profile(r, s, c)), {}),
    "summary": Kind("指标", _EVENTS, lambda r, s, c, _: of_table("summary", s, summary(r, s, c)), {}),
    "disputes": Kind("矛盾纠纷", "按统计期计，只用一个来源，不相加；未化解数为最近一期；空为未报或来源未提供",
                     _of_areas("disputes", disputes), _LEVEL, True),
    "coverage": Kind("视频覆盖", "面积按正常工作的摄像机计；事件只计定位准确的；空为不明",
                     _of_areas("coverage", coverage), _LEVEL, True),
    "cameras": Kind("摄像机", _PLACES, lambda r, s, c, _: cameras(r, s, c), {}, True),
    "key_places": Kind("重点场所", _PLACES, lambda r, s, c, _: key_places(r, s, c), {}, True),
    "hotspots": Kind("热点", "只列通过检验的；在授权范围内的全部单元上校正",
                     lambda r, s, c, own: found_hotspots(r, s, c, own["method"], own["level"]),
                     {"method": "gi", "level": "grid"}, True),
}  # fmt: skip


def export(release: Release, selection: Selection, scope: Scope, layer: str, **own: str) -> Export:
    """The rows of one layer that a Selection holds within a scope.

    Parameters
    ----------
    layer : str
        One of ``EXPORTS``.
    own : str
        The layer's own parameters: ``level``, ``step``, ``method``.

    Raises
    ------
    ParameterError, OutsideScope, UnknownArea
    """
    kind = EXPORTS[layer]
    return kind.build(release, selection, scope, {**kind.defaults, **own})
