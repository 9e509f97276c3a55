"""The self-check: the numbers of a finished pack are worked out again from the release, and a pack that disagrees is refused.

Four ways: counts of incidents are recounted row by row in plain SQL; sums, differences and percents of tables are worked out again
from the printed figures; every text of the pack must stand in the finished file; and all text of the file is compared with that of
one written anew, from the release opened anew, so that a number nobody recounts (of disputes, cameras, tests) is at least computed
twice. What is drawn in the maps is not read back.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable

import numpy as np
import pypdfium2
import sqlalchemy as sa
from docx import Document
from lxml import etree
from pptx import Presentation

from dashboard.reports.disagrees import PackDisagrees
from dashboard.reports.model import Fact, Pack, Table
from data.index import INCIDENT_LEVELS
from data.schema import CATEGORIES, INVALID, LOCATION_QUALITIES
from data.store import Release, Scope
from data.store.filters import day_window
from data.store.hotspots.events import LEFT_OUT
from geo.change import percent_text

_RATIO = re.compile(r"^([\d,.]+) ÷ ([\d,.]+)$")
_SHARE = re.compile(r"^[\d.]+%$")
_CHANGE = re.compile(r"^([+−]?[\d,]+)(?:（([^）]*)）)?$")
_SUMMED = ("本期", "上期")
_PDF_TEXT = 6  # characters


def check_counts(release: Release, scope: Scope, facts: Iterable[Fact]) -> int:
    """Recount every fact from single incidents; how many there were.

    Raises
    ------
    PackDisagrees
    """
    checked = 0
    for fact in facts:
        found = recount(release, scope, fact)
        if found != fact.value:
            raise PackDisagrees("材料与发布不符，未发布", where=fact.label, found=f"{fact.value:,}", expected=f"{found:,}（逐行重数）",
                                remedy="重新生成；仍不符请告知维护者")  # fmt: skip
        checked += 1
    return checked


def recount(release: Release, scope: Scope, fact: Fact) -> int:
    """The incidents of a fact, counted in plain SQL."""
    start, end = day_window((fact.start, fact.end))
    where = [f"day >= {start}", f"day < {end}", f"category <> {CATEGORIES.index(INVALID)}"]
    if monthly := release.reports.coarser(start, end):
        where.append(f"source NOT IN ({', '.join(map(str, monthly))})")
    if fact.category is not None:
        where.append(f"category = {CATEGORIES.index(fact.category)}")
    if fact.hours is not None:
        where.append(f"hour BETWEEN {fact.hours[0]} AND {fact.hours[1]}")
    places = release.units.scope_places(scope) if fact.area is None else (release.units.find(fact.area),)
    if places is not None:
        where.append("(" + " OR ".join(_inside(release, place) for place in places) + ")")
    if fact.units:
        left = ", ".join(str(LOCATION_QUALITIES.index(name)) for name in LEFT_OUT)
        where += [f"grid IN ({', '.join(map(str, fact.units))})", f"quality NOT IN ({left})"]
    # Whole numbers alone stand in the text of the query.
    return int(release.rows(sa.text(f"SELECT count(*) AS n FROM incident WHERE {' AND '.join(where)}"))["n"][0].as_py())


def _inside(release: Release, place) -> str:
    level = place.level if place.level in INCIDENT_LEVELS else INCIDENT_LEVELS[0]
    inside = np.flatnonzero(release.units.inside(level, place))
    return f"{level} IN ({', '.join(map(str, inside.tolist())) or '-1'})"


def check_arithmetic(pack: Pack, decimals: int = 1) -> int:
    """Do the arithmetic of every table again from its printed figures; how many results there were.

    Raises
    ------
    PackDisagrees
    """
    done = 0
    for section in pack.sections:
        for table in (one for one in section.blocks if isinstance(one, Table)):
            for row in table.rows:
                done += _check_row(section.title, table, [cell.text for cell in row], decimals)
            done += _check_sums(section.title, table)
    return done


def _check_row(section: str, table: Table, row: list[str], decimals: int) -> int:
    done = 0
    ratio = next((found for text in row if (found := _RATIO.match(text))), None)
    shares = [text for text in row if _SHARE.match(text)]
    if ratio and shares:
        above, below = (float(part.replace(",", "")) for part in ratio.groups())
        done += _agree(section, table, row, shares[0], percent_text(_whole(above), _whole(below), decimals=decimals))
    by = dict(zip(table.head, row, strict=True))
    now, before, told = (by.get(name, "") for name in ("本期", "上期", "环比" if "环比" in by else "差"))
    change = _CHANGE.match(told)
    if change and "差只按" not in table.note and _is_count(now) and _is_count(before):
        difference = _int(now) - _int(before)
        done += _agree(section, table, row, str(_int(change[1])), str(difference))
        if change[2] and change[2].endswith("%"):
            done += _agree(
                section, table, row, change[2], percent_text(difference, _int(before), signed=True, decimals=decimals)
            )
    return done


def _check_sums(section: str, table: Table) -> int:
    """The total of a table is the sum of its rows, where all of them are counts."""
    total = next((row for row in table.rows if row and row[0].text == "合计"), None)
    done = 0
    for i, name in enumerate(table.head if total else ()):
        parts = [row[i].text for row in table.rows if row is not total]
        if name in _SUMMED and all(map(_is_count, [*parts, total[i].text])):
            done += _agree(section, table, [f"合计 {name}"], total[i].text, f"{sum(map(_int, parts)):,}")
    return done


def _agree(section: str, table: Table, row: list[str], found: str, expected: str) -> int:
    if found != expected:
        raise PackDisagrees(
            "材料中的算术不符，未发布", where=f"{section} {table.title} {row[0]}", found=found, expected=expected
        )
    return 1


def _whole(value: float) -> float | int:
    return int(value) if value.is_integer() else value


def _is_count(text: str) -> bool:
    return bool(re.fullmatch(r"[\d,]+", text))


def _int(text: str) -> int:
    return int(text.replace(",", "").replace("−", "-").replace("+", ""))


def check_file(form: str, finished: bytes, anew: bytes) -> int:
    """Compare what stands in a finished file with one written anew; how many texts there were.

    Raises
    ------
    PackDisagrees
    """
    found, expected = texts_of(form, finished), texts_of(form, anew)
    for told, wanted in zip(found, expected, strict=False):
        if told != wanted:
            raise PackDisagrees(
                "材料与发布不符，未发布",
                where=form,
                found=told[:80],
                expected=wanted[:80],
                remedy="重新生成；仍不符请告知维护者",
            )
    if len(found) != len(expected):
        raise PackDisagrees(
            "材料与发布不符，未发布", where=form, found=f"{len(found)} 处文字", expected=f"{len(expected)} 处"
        )
    return len(found)


def check_texts(form: str, finished: bytes, wanted: Iterable[str]) -> None:
    """Every text of the pack stands in the finished file; in a PDF, where lines and pages break texts, those of a few characters.

    Raises
    ------
    PackDisagrees
    """
    found = "".join("".join(texts_of(form, finished)).split())
    most = _PDF_TEXT if form == "pdf" else None
    for text in wanted:
        plain = "".join(text.split())
        if (most is None or len(plain) <= most) and plain not in found:
            raise PackDisagrees(
                "材料里少了一处，未发布", where=form, found="没有", expected=text[:80], remedy="请告知维护者"
            )


def texts_of(form: str, file: bytes) -> list[str]:
    """Every text of a finished file, in the file's order.

    Parameters
    ----------
    form : str
        ``pptx``, ``docx``, ``html`` or ``pdf``.
    """
    texts = {"pptx": _pptx, "docx": _docx, "html": _html, "pdf": _pdf}[form](file)
    return [text for one in texts if (text := " ".join(one.split()))]


def _pptx(file: bytes) -> Iterable[str]:
    for slide in Presentation(io.BytesIO(file)).slides:
        for shape in slide.shapes:
            if shape.has_text_frame:
                yield from (paragraph.text for paragraph in shape.text_frame.paragraphs)
            elif shape.has_table:
                yield from (cell.text for row in shape.table.rows for cell in row.cells)
            elif shape.has_chart:
                for series in shape.chart.plots[0].series:
                    yield series.name
                    yield from (f"{value}" for value in series.values)


def _docx(file: bytes) -> Iterable[str]:
    document = Document(io.BytesIO(file))
    for part in (document.element.body, document.sections[0].header._element):
        for paragraph in part.iter("{http://schemas.openxmlformats.org/wordprocessingml/2006/main}p"):
            yield "".join(
                text.text or ""
                for text in paragraph.iter("{http://schemas.openxmlformats.org/wordprocessingml/2006/main}t")
            )


def _html(file: bytes) -> Iterable[str]:
    root = etree.HTML(file.decode())
    for element in root.iter():
        if element.tag == "style":
            continue
        yield element.text or ""
        yield element.tail or ""


def _pdf(file: bytes) -> Iterable[str]:
    document = pypdfium2.PdfDocument(file)
    try:
        for page in document:
            yield from page.get_textpage().get_text_bounded().splitlines()
    finally:
        document.close()
