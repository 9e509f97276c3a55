"""Units in classes, each with its test: the change against the compared window, hotspots, neighbours alike."""

from __future__ import annotations

import numpy as np

from dashboard.components.verdict import TONES
from dashboard.components.words import before_name, signed
from dashboard.language import say
from dashboard.measures import CHANGE, CHANGE_COLOURS, CLASSES, MEASURE_NAMES, MISSING_LABEL
from dashboard.pictures.map_frame import HATCHED, PLAIN, Legend, Ranked, Swatch
from dashboard.pictures.painted import Asked, Painted, painted
from dashboard.pictures.palette import TONE_OF_VERDICT
from data.selection import ParameterError
from data.store.hotspots import unit_classes
from geo.change import MARKS, NORMAL, NOT_COMPARABLE


def change(asked: Asked) -> Painted:
    """By the verdict against the compared window."""
    window = (asked.selection.start, asked.selection.end)
    if asked.selection.compare_window is None:
        raise ParameterError("measure", "change", "count density rate eb；compare=none 时没有对比时段")
    past = before_name(window, asked.selection.compare)
    words = np.array(asked.counted.rows["verdict"].to_pylist(), dtype=object)
    missing = np.isnan(asked.column("count"))
    colours = np.array([CHANGE_COLOURS.get(word, PLAIN) for word in words], dtype="<U12")
    colours[missing] = HATCHED
    present = set(words.tolist())
    swatches = [
        Swatch(colour, f"{MARKS[word]} {say(word)}　{(words[~missing] == word).sum():,}")
        for word, colour in CHANGE_COLOURS.items()
        if word != NOT_COMPARABLE or word in present
    ]
    if missing.any():
        swatches.append(Swatch(HATCHED, f"{say('未报')}　{missing.sum():,}"))
    legend = Legend(say(MEASURE_NAMES[CHANGE]), say("{unit} · 与{past}比，{days}", unit=asked.level_name, past=past,
                                     days=say("{n}天", n=asked.selection.days)), swatches=tuple(swatches),
                    note=say("数为单元个数；p 在授权范围全部同级单元上校正"))  # fmt: skip
    p, difference = asked.column("p"), asked.column("difference")
    order = np.lexsort((-np.abs(np.nan_to_num(difference)), np.nan_to_num(p, nan=2.0)))
    ranked = [
        Ranked(asked.names[i], signed(int(difference[i])), MARKS[words[i]], TONE_OF_VERDICT[TONES[words[i]]])
        for i in order
        if words[i] is not None and not np.isnan(difference[i]) and words[i] != NOT_COMPARABLE
    ]
    beyond = [row for row in ranked if row.mark != MARKS[NORMAL]]
    if beyond:
        finding = say("{n}个{level}超出正常波动，最明显的是{name}，{value}起。", n=len(beyond), level=asked.level_name,
                      name=beyond[0].name, value=beyond[0].value)  # fmt: skip
    else:
        finding = say("没有一个{level}超出正常波动。", level=asked.level_name) if ranked else ""
    title = say("变化最明显") if beyond else say("差最大（都属正常波动）")
    return painted(asked, "change", asked.spread(colours, PLAIN), legend, (title, beyond or ranked), finding)


def classes(asked: Asked, measure: str) -> Painted:
    """By ``gi``, ``lisa`` or ``emerging``."""
    found = unit_classes(asked.release, asked.selection, asked.scope, measure, asked.level)
    colour_of = {one.label: one.colour for one in CLASSES[measure]} | {MISSING_LABEL: HATCHED}
    colours = np.array([colour_of.get(str(label), PLAIN) for label in found.label], dtype="<U12")
    number = {label: int(((found.label == label) & found.listed).sum()) for label in colour_of}
    swatches = [
        Swatch(one.colour, f"{say(one.words)}　{number[one.label]:,}")
        for one in CLASSES[measure]
        if number[one.label] or measure == "gi"
    ]
    if number[MISSING_LABEL]:
        swatches.append(Swatch(HATCHED, f"{say('未报')}　{number[MISSING_LABEL]:,}"))
    legend = Legend(say(MEASURE_NAMES[measure]), say("{unit} · 已校正多重检验", unit=asked.per), swatches=tuple(swatches),
                    note=say("数为单元个数"))  # fmt: skip
    ranked = [Ranked(f"{group.number}　{group.name}", f"{group.count:,}") for group in found.groups]
    groups = np.array([(g.lon, g.lat, g.number) for g in found.groups if g.lon is not None], dtype=float).reshape(-1, 3)
    notes = [say(part) for part in found.note.split("；") if part]
    finding = ""
    if measure != "lisa":
        first = found.groups[0] if found.groups else None
        finding = (
            say("热点{n}处，第1处在{name}，{k:,}起。", n=len(found.groups), name=first.name, k=first.count)
            if first
            else say("没有通过检验的热点。")
        )
    return painted(asked, measure, colours, legend, (say("热点（起数）"), ranked), finding, groups=groups, notes=notes)
