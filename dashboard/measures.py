"""What colours the units of a map: the measures, their names, and the classes and colours of those that have classes."""

from __future__ import annotations

from dataclasses import dataclass

from geo.change import CLEAR_FALL, CLEAR_RISE, FALL, NORMAL, NOT_COMPARABLE, RISE

COUNT, DENSITY, RATE, BAYES, CHANGE = "count", "density", "rate", "eb", "change"
GI, LISA, EMERGING, DISPUTES = "gi", "lisa", "emerging", "disputes"
MEASURES = (COUNT, DENSITY, RATE, BAYES, CHANGE, GI, LISA, EMERGING, DISPUTES)
CLASSED = (GI, LISA, EMERGING)  # units in classes, each with its own test
MEASURE_NAMES = {
    COUNT: "起数", DENSITY: "每平方公里", RATE: "每千人", BAYES: "稳健率", CHANGE: "变化", GI: "Gi* 热点", LISA: "局部 Moran",
    EMERGING: "时空热点", DISPUTES: "纠纷排查",
}  # fmt: skip
CHANGE_COLOURS = {CLEAR_RISE: "change-6", RISE: "change-5", NORMAL: "change-3", FALL: "change-1",
                  CLEAR_FALL: "change-0", NOT_COMPARABLE: "sunk"}  # fmt: skip


@dataclass(frozen=True)
class UnitClass:
    """A class a unit can be in: ``label`` as geo/ gives it, ``words`` for the legend, ``colour`` a token of the style sheet without ``--``."""

    label: str
    words: str
    colour: str


_EMERGING_HOT = (
    ("new_hot", "新增热点", "density-5"),
    ("intensifying_hot", "加强热点", "density-4"),
    ("consecutive_hot", "连续热点", "density-4"),
    ("persistent_hot", "持续热点", "density-3"),
    ("diminishing_hot", "减弱热点", "density-2"),
    ("sporadic_hot", "零星热点", "density-2"),
    ("oscillating_hot", "振荡热点", "density-2"),
    ("historical_hot", "历史热点", "density-1"),
)
_EMERGING_COLD = (
    ("new_cold", "新增冷点", "change-0"),
    ("intensifying_cold", "加强冷点", "change-0"),
    ("consecutive_cold", "连续冷点", "change-1"),
    ("persistent_cold", "持续冷点", "change-1"),
    ("diminishing_cold", "减弱冷点", "change-2"),
    ("sporadic_cold", "零星冷点", "change-2"),
    ("oscillating_cold", "振荡冷点", "change-2"),
    ("historical_cold", "历史冷点", "change-2"),
)
_NONE = ("none", "不显著", "change-3")

CLASSES: dict[str, tuple[UnitClass, ...]] = {
    GI: tuple(
        UnitClass(*one)
        for one in (
            ("hot99", "热点 q≤0.01", "change-6"),
            ("hot95", "热点 q≤0.05", "change-5"),
            ("hot90", "偏热 q≤0.10", "change-4"),
            _NONE,
            ("cold90", "偏冷 q≤0.10", "change-2"),
            ("cold95", "冷点 q≤0.05", "change-1"),
            ("cold99", "冷点 q≤0.01", "change-0"),
        )
    ),
    LISA: tuple(
        UnitClass(*one)
        for one in (
            ("HH", "高—高 成片偏高", "change-6"),
            ("HL", "高—低 孤立偏高", "change-4"),
            _NONE,
            ("LH", "低—高 孤立偏低", "change-2"),
            ("LL", "低—低 成片偏低", "change-0"),
            ("island", "无邻接", "sunk"),
        )
    ),
    EMERGING: tuple(UnitClass(*one) for one in (*_EMERGING_HOT, _NONE, *_EMERGING_COLD)),
}
MISSING_LABEL = "missing"
