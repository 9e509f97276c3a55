"""The wording of the 天网 and 地网 texts as rules that can be checked, with every number a setting."""

from __future__ import annotations

from dataclasses import dataclass

SERVICEABLE_PCT = 98.0  # 发改高技〔2015〕996号: 完好率 of cameras in key public areas
POINT, AREA, ENTRANCE, GAP = "点位", "区域", "出入口", "补盲"
_CROSSING = ("6", "交叉路口")  # 照射具体位置 of the city ledgers


@dataclass(frozen=True)
class Rule:
    """One rule. Radii, numbers and shares are settings: no text gives them. Change them with ``dataclasses.replace``.

    Attributes
    ----------
    id, words : str
        Short name, and the words of the text.
    target : str
        点位 points; 区域 polygons; 出入口 the entrances of places; 补盲 points or lines the first network may miss.
    kinds : tuple of str
        Kinds of places the rule is about.
    radius_m : float
        How near a camera must be.
    k : int
        How many must be so near.
    facing : bool
        Whether a camera must also look at the point, or be registered as one for such a spot (``location_types``).
    location_types : tuple of str
        Values of ``location_type`` that stand for facing.
    min_share_pct : float
        Share that must be covered: of a polygon's area (区域 rules) by the cameras' sectors, of a line's length by
        circles of ``radius_m`` (by sectors where ``facing``). 0: measured and reported, not asked for.
    networks : tuple of str
        Networks whose cameras count; empty: all. For 补盲 the network that came first.
    fillers : tuple of str
        For 补盲 the networks that fill the gaps.
    serviceable_pct : float
        完好率 of the period from which on a camera counts as 完好.
    """

    id: str
    words: str
    target: str
    kinds: tuple[str, ...]
    radius_m: float
    k: int = 1
    facing: bool = False
    location_types: tuple[str, ...] = ()
    min_share_pct: float = 0.0
    networks: tuple[str, ...] = ()
    fillers: tuple[str, ...] = ()
    serviceable_pct: float = SERVICEABLE_PCT

    def __post_init__(self) -> None:
        if self.target not in (POINT, AREA, ENTRANCE, GAP):
            raise ValueError(f"rule {self.id}: target {self.target}, expected one of {POINT} {AREA} {ENTRANCE} {GAP}")
        if not (self.radius_m > 0 and self.k >= 1 and 0 <= self.min_share_pct <= 100):
            raise ValueError(
                f"rule {self.id}: expected radius_m over 0, k of 1 or more and min_share_pct from 0 to 100"
            )


def _gap(name: str, words: str, *kinds: str) -> Rule:
    return Rule(name, words, GAP, kinds, 50.0, min_share_pct=80.0, networks=("天网",), fillers=("地网",))


def find_rule(rule: Rule | str) -> Rule:
    """The rule itself, or the one of that id.

    Raises
    ------
    ValueError
        No such id.
    """
    if isinstance(rule, Rule):
        return rule
    if rule not in RULES:
        raise ValueError(f"rule {rule!r}, expected a Rule or one of {' '.join(RULES)}")
    return RULES[rule]


_ALL = (
    Rule(
        "tw1", "道路交叉口无死角", POINT, ("路口", "交叉口", "道路交叉口"), 50.0, facing=True, location_types=_CROSSING
    ),
    Rule(
        "tw2",
        "主要道路关键节点无盲区",
        POINT,
        ("桥梁", "隧道", "收费站", "界口", "关键节点"),
        50.0,
        facing=True,
        location_types=_CROSSING,
    ),
    Rule(
        "tw3", "人员密集区域无遗漏", AREA, ("广场", "市场", "车站", "校园", "商圈", "校园周边", "车站地区"), 50.0, k=2
    ),
    Rule(
        "tw4",
        "要害部位主要出入口全覆盖",
        ENTRANCE,
        ("学校", "幼儿园", "医院", "银行网点", "党政机关", "水厂", "电厂", "变电站", "加油站", "要害部位"),
        30.0,
    ),
    Rule("tw5", "案件高发区域主要出入口全覆盖", ENTRANCE, ("案件高发区域", "热点"), 30.0),
    Rule(
        "tw6",
        "治安复杂场所主要出入口全覆盖",
        ENTRANCE,
        ("治安复杂场所", "娱乐场所", "网吧", "旅馆", "洗浴场所", "市场", "车站"),
        30.0,
    ),
    _gap("dw1", "村组进出路口", "村组路口", "村口", "进出路口"),
    _gap("dw2", "小区的小街小巷", "小街小巷", "背街小巷", "小巷"),
    _gap("dw3", "沿街店面", "沿街店面", "店面", "商铺"),
)
RULES: dict[str, Rule] = {rule.id: rule for rule in _ALL}
