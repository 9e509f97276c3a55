"""How each geometry layer of city.gpkg looks when QGIS opens it: QML of QGIS 3, in the colours of the light theme."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree as ET

from data.schema import CATEGORIES, LEVELS, Layer

# Light-theme roles, in the order of data.schema.
_CATEGORY = dict(
    zip(
        CATEGORIES,
        ("#C8452A", "#B98500", "#1B82BE", "#8E2F7C", "#0B8566", "#343F9E", "#75858F", "#AEBBC7"),
        strict=True,
    )
)
_LEVEL = dict(
    zip(
        LEVELS,
        (("#3A4A57", 0.9), ("#3A4A57", 0.7), ("#5B6E7E", 0.5), ("#B3C0CB", 0.35), ("#D3DBE2", 0.26)),
        strict=True,
    )
)
_LEVEL_LABEL = dict(zip(LEVELS, ("省", "市", "区（县）", "街道（乡镇）", "社区（村）"), strict=True))
_ACCENT, _GOOD, _BAD, _MUTED, _PANEL = "#0C659C", "#005F52", "#A5230E", "#75858F", "#FFFFFF"
_GRID_LINE, _WATER, _BUILDING, _ROAD = "#D3DBE2", "#C3D9E6", "#E2E7EB", "#AEBBC7"
_GEOMETRY = {"Point": 0, "MultiLineString": 1, "Polygon": 2, "MultiPolygon": 2}


@dataclass(frozen=True)
class _Look:
    """One symbol. ``expression`` picks its features (empty: all); sizes and widths are millimetres on paper."""

    label: str
    fill: str | None
    line: str | None = None
    width_mm: float = 0.1
    size_mm: float = 1.6
    opacity: float = 1.0
    expression: str = ""


def _looks(layer: Layer) -> list[_Look]:
    match layer.name:
        case "area":
            return [
                _Look(_LEVEL_LABEL[level], None, *_LEVEL[level], expression=f"\"level\" = '{level}'")
                for level in LEVELS
            ]
        case "grid":
            return [_Look(layer.title, None, _GRID_LINE)]
        case "incident":
            looks = [
                _Look(name, colour, _PANEL, expression=f"\"category\" = '{name}'") for name, colour in _CATEGORY.items()
            ]
            return [*looks, _Look("未列出", _MUTED, _PANEL, expression="ELSE")]
        case "camera":
            return [
                _Look("在线", _GOOD, _PANEL, expression='"online"'),
                _Look("离线", _BAD, _PANEL, expression='NOT "online"'),
                _Look("状态不明", _PANEL, _MUTED, 0.3, expression='"online" IS NULL'),
            ]
        case "camera_coverage":
            return [
                _Look("在线", _ACCENT, opacity=0.22, expression='"online"'),
                _Look("离线或不明", _MUTED, opacity=0.22, expression="ELSE"),
            ]
        case "key_place":
            return [_Look(layer.title, _ACCENT, _PANEL, 0.2, 2.4)]
        case "key_area":
            return [_Look(layer.title, "#CFE3F0", _ACCENT, 0.4, opacity=0.7)]
        case "key_line":
            return [_Look(layer.title, None, _ACCENT, 0.7)]
        case "base_road":
            return [_Look(layer.title, None, _ROAD, 0.3)]
        case "base_building":
            return [_Look(layer.title, _BUILDING, _GRID_LINE)]
        case "base_water":
            return [_Look(layer.title, _WATER)]
    raise KeyError(layer.name)


def qml(layer: Layer) -> str:
    """The style of a geometry layer as a QML document.

    Raises
    ------
    KeyError
        The layer has no style (plain tables have none).
    """
    looks = _looks(layer)
    root = ET.Element("qgis", version="3.22.0", styleCategories="Symbology")
    renderer = ET.SubElement(
        root, "renderer-v2", type="RuleRenderer", symbollevels="0", enableorderby="0", forceraster="0"
    )
    rules = ET.SubElement(renderer, "rules", key=f"yanpan_{layer.name}")
    symbols = ET.SubElement(renderer, "symbols")
    for number, look in enumerate(looks):
        rule = ET.SubElement(rules, "rule", key=f"yanpan_{layer.name}_{number}", symbol=str(number), label=look.label)
        if look.expression:
            rule.set("filter", look.expression)
        _symbol(symbols, str(number), layer.geometry, look)
    ET.SubElement(root, "layerGeometryType").text = str(_GEOMETRY[layer.geometry])
    return "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n" + ET.tostring(root, encoding="unicode")


def _symbol(parent: ET.Element, name: str, geometry: str, look: _Look) -> None:
    kind, drawer, properties = {
        0: (
            "marker",
            "SimpleMarker",
            {
                "name": "circle",
                "color": _rgba(look.fill),
                "outline_color": _rgba(look.line),
                "outline_width": look.width_mm,
                "outline_width_unit": "MM",
                "size": look.size_mm,
                "size_unit": "MM",
            },
        ),
        1: (
            "line",
            "SimpleLine",
            {
                "line_color": _rgba(look.line),
                "line_width": look.width_mm,
                "line_width_unit": "MM",
                "capstyle": "round",
                "joinstyle": "round",
            },
        ),
        2: (
            "fill",
            "SimpleFill",
            {
                "color": _rgba(look.fill),
                "style": "solid" if look.fill else "no",
                "outline_color": _rgba(look.line),
                "outline_style": "solid" if look.line else "no",
                "outline_width": look.width_mm,
                "outline_width_unit": "MM",
                "joinstyle": "bevel",
            },
        ),
    }[_GEOMETRY[geometry]]
    symbol = ET.SubElement(
        parent, "symbol", type=kind, name=name, alpha=str(look.opacity), clip_to_extent="1", force_rhr="0"
    )
    drawn = ET.SubElement(symbol, "layer", {"class": drawer, "enabled": "1", "locked": "0", "pass": "0"})
    options = ET.SubElement(drawn, "Option", type="Map")
    for key, value in properties.items():
        ET.SubElement(options, "Option", name=key, type="QString", value=str(value))


def _rgba(colour: str | None) -> str:
    if colour is None:
        return "0,0,0,0"
    return ",".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5)) + ",255"
