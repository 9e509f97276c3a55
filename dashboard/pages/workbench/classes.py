"""Classes a unit can be in, by method: label of geo/, words, and the colour it takes on the map."""

from __future__ import annotations

from dataclasses import dataclass

from dashboard.pages.workbench.state import EMERGING, GI, LISA


@dataclass(frozen=True)
class UnitClass:
    """``label`` as geo/ gives it, ``words`` for the legend, ``colour`` a token of the style sheet without ``--``."""

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
