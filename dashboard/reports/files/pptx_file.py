"""A pack as PPTX, 16:9: a finding as the title, native tables and charts that can be edited, maps as pictures."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from math import ceil

from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.dml.color import RGBColor
from pptx.enum.chart import XL_CHART_TYPE, XL_LEGEND_POSITION
from pptx.enum.dml import MSO_LINE
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml.ns import qn
from pptx.util import Emu, Mm, Pt

from dashboard.pictures.lettering import MM_PER_POINT
from dashboard.reports.files.colours import SERIES, hex_of, shade
from dashboard.reports.model import Chart, Finding, Pack, Picture, Section, Table

FONT = "Microsoft YaHei"  # what offices have; others draw it with their own Chinese face
WIDE, HIGH, MARGIN = 338.7, 190.5, 16.0  # millimetres
_TOP, _FOOT = 56.0, 184.0  # of the body of a slide
_LINE_MM = 25.4 / 72 * 1.2  # of a line, for a point of its size
_ROWS = 13  # of a table on one slide
_TITLE, _TITLE_ONLY = 0, 5  # layouts of the default template


def write_pptx(pack: Pack, pictures: Mapping[str, bytes]) -> bytes:
    """The file.

    Parameters
    ----------
    pictures : mapping of a picture's name to its PNG
    """
    deck = Presentation()
    deck.slide_width, deck.slide_height = Mm(WIDE), Mm(HIGH)
    deck.core_properties.title = pack.title
    deck.core_properties.author = ""
    deck.core_properties.keywords = pack.release
    _cover(deck, pack)
    for number, section in enumerate(pack.sections, 1):
        for slide in _slides(section):
            _draw(deck, pack, number, section, slide, pictures)
    out = io.BytesIO()
    deck.save(out)
    return out.getvalue()


def _slides(section: Section) -> Iterator[tuple[tuple[Finding, ...], tuple]]:
    """What each slide of a section holds: findings, then one or two blocks side by side, long tables in parts."""
    blocks = [part for block in section.blocks for part in (_parts(block) if isinstance(block, Table) else [block])]
    findings = section.findings
    if len(findings) > 4 or not blocks:  # many sentences have a slide of their own
        yield findings, ()
        findings = findings[:1]
    while blocks:
        held = [blocks.pop(0)]
        if blocks and _need(held[0]) + _need(blocks[0]) <= 1.0:
            held.append(blocks.pop(0))
        yield findings, tuple(held)
        findings = findings[:1]


def _need(block) -> float:
    """The share of a slide's width that a block wants."""
    if not isinstance(block, Table):
        return 0.42
    words = sum(block.widths) > 7.2 or any(len(cell.text) > 40 for row in block.rows for cell in row)
    return 1.0 if len(block.head) > 9 or (words and len(block.head) < 7) else 0.5 if len(block.head) <= 6 else 0.58


def _parts(table: Table) -> list[Table]:
    """A table in as many parts as slides hold its rows."""
    long = any(len(cell.text) > 40 for row in table.rows for cell in row)
    size = 5 if long else _ROWS
    if len(table.rows) <= size:
        return [table]
    cuts = range(0, len(table.rows), size)
    return [
        Table(
            table.title if i == 0 else f"{table.title}（续）",
            table.head,
            table.rows[i : i + size],
            table.texts,
            table.note if i + size >= len(table.rows) else "",
            table.widths,
        )
        for i in cuts
    ]


def _cover(deck, pack: Pack) -> None:
    slide = deck.slides.add_slide(deck.slide_layouts[_TITLE])
    title, under = slide.shapes.title, slide.placeholders[1]
    _place(title, MARGIN + 8, 48, WIDE - 2 * MARGIN - 16, 30)
    _write(title.text_frame, [(pack.title, 40, "t1", True)])
    _place(under, MARGIN + 8, 80, WIDE - 2 * MARGIN - 16, 78)
    lines = [(pack.period, 24, "t1", False), (f"对比{pack.compared} · {pack.filters}", 16, "t2", False),
             (f"数据截至 {pack.data_as_of} · 发布 {pack.release} · {pack.mark}", 16, "t2", False)]  # fmt: skip
    lines += [(text, 16, "warn", False) for text in pack.warnings]
    lines += [("签到单位：" + "、".join(pack.units), 14, "t2", False)] if pack.units else []
    lines += [(pack.signed, 14, "t2", False)] if pack.signed else []
    _write(under.text_frame, lines)
    _bar(slide, MARGIN, 52, 3, 24)
    _header(slide, pack)


def _draw(deck, pack: Pack, number: int, section: Section, slide: tuple, pictures: Mapping[str, bytes]) -> None:
    findings, blocks = slide
    page = deck.slides.add_slide(deck.slide_layouts[_TITLE_ONLY])
    _header(page, pack)
    _text(
        page,
        MARGIN,
        16,
        120,
        7,
        f"{number} {section.title}" + ("（草稿）" if section.draft else ""),
        14,
        "accent",
        bold=True,
    )
    title = page.shapes.title
    _place(title, MARGIN, 23, WIDE - 2 * MARGIN, 18)
    first = findings[0] if findings else Finding(section.title)
    _write(title.text_frame, [(first.text, _fit(first.text), first.tone or "t1", True)])
    more = findings[1:]
    if not blocks:
        lines = [(f"{i}. {one.text}", 18, one.tone or "t1", False) for i, one in enumerate(more, 1)]
        lines += [(section.comment, 16, "accent", False)] if section.comment else []
        _text_lines(page, MARGIN, _TOP - 10, WIDE - 2 * MARGIN, _FOOT - _TOP + 8, lines)
        return
    top = 23 + _lines(first.text, _fit(first.text), WIDE - 2 * MARGIN) * _fit(first.text) * _LINE_MM + 2
    told = [(one.text, 14, one.tone or "t2", False) for one in more[:3]] + (
        [(section.comment, 14, "accent", False)] if section.comment else []
    )
    for line in told:
        high = _lines(line[0], 14, WIDE - 2 * MARGIN) * 14 * _LINE_MM
        _text_lines(page, MARGIN, top, WIDE - 2 * MARGIN, high, [line])
        top += high
    top += 4
    gap = 10.0
    needs = [_need(block) for block in blocks]
    left = MARGIN
    for block, need in zip(blocks, needs, strict=True):
        width = (WIDE - 2 * MARGIN - gap * (len(blocks) - 1)) * need / sum(needs)
        _text(
            page,
            left,
            top,
            width,
            7,
            block.title + (f"（{block.unit}）" if isinstance(block, Chart) else ""),
            14,
            "t1",
            bold=True,
        )
        note = _lines(block.note, 10, width) * 10 * _LINE_MM if block.note else 0
        room = _FOOT - note - top - 10
        if isinstance(block, Table):
            _table(page, block, left, top + 8, width, room)
        elif isinstance(block, Chart):
            _chart(page, block, left, top + 7, width, room)
        elif isinstance(block, Picture):
            _picture(page, block, pictures, left, top + 8, width, room)
        if block.note:
            _text(page, left, _FOOT - note, width, note, block.note, 10, "t3")
        left += width + gap


def _lines(text: str, size: float, width: float) -> int:
    """Lines a text takes in a width: a Chinese character is as wide as high, another a little over half."""
    lines = 0
    for part in text.splitlines() or [""]:
        ems = sum(1.0 if ord(one) > 0x2E7F else 0.58 for one in part)
        lines += max(1, ceil(ems * size * MM_PER_POINT / (width * 0.9)))  # faces differ, lines break early
    return lines


def _fit(text: str) -> float:
    return 26 if len(text) <= 32 else 22 if len(text) <= 50 else 18 if len(text) <= 90 else 15


def _header(page, pack: Pack) -> None:
    _text(page, MARGIN, 7, WIDE - 2 * MARGIN, 6, pack.header, 10, "t3")


def _place(shape, left: float, top: float, width: float, height: float) -> None:
    shape.left, shape.top, shape.width, shape.height = (Mm(v) for v in (left, top, width, height))


def _bar(page, left: float, top: float, width: float, height: float) -> None:
    shape = page.shapes.add_shape(1, Mm(left), Mm(top), Mm(width), Mm(height))
    shape.fill.solid()
    shape.fill.fore_color.rgb = RGBColor.from_string(hex_of("accent"))
    shape.line.fill.background()


def _text(page, left, top, width, height, text: str, size: float, colour: str, *, bold: bool = False) -> None:
    _text_lines(page, left, top, width, height, [(text, size, colour, bold)])


def _text_lines(page, left, top, width, height, lines: list[tuple]) -> None:
    box = page.shapes.add_textbox(Mm(left), Mm(top), Mm(width), Mm(height))
    _write(box.text_frame, lines)


def _write(frame, lines: list[tuple]) -> None:
    """Paragraphs of (text, size, colour, bold)."""
    frame.word_wrap = True
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
    frame.vertical_anchor = MSO_ANCHOR.TOP
    for i, (text, size, colour, bold) in enumerate(lines):
        paragraph = frame.paragraphs[0] if i == 0 else frame.add_paragraph()
        paragraph.alignment = PP_ALIGN.LEFT
        paragraph.line_spacing = 1.15
        run = paragraph.add_run()
        run.text = text
        _face(run.font, size, colour, bold)


def _face(font, size: float, colour: str, bold: bool = False) -> None:
    font.size, font.bold = Pt(size), bold
    font.name = FONT
    font.color.rgb = RGBColor.from_string(hex_of(colour))
    for tag in ("a:ea", "a:cs"):  # Chinese is drawn by the East Asian face
        own = font._element.find(qn(tag))
        if own is None:
            own = font._element.makeelement(qn(tag), {})
            font._element.append(own)
        own.set("typeface", FONT)


def _table(page, block: Table, left: float, top: float, width: float, room: float) -> None:
    rows, columns = len(block.rows) + 1, len(block.head)
    height = min(9.0, max(5.0, room / rows))
    frame = page.shapes.add_table(rows, columns, Mm(left), Mm(top), Mm(width), Mm(height * rows))
    table = frame.table
    table.horz_banding = False
    own = frame._element.graphic.graphicData.tbl.tblPr.find(qn("a:tableStyleId"))
    own.text = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"  # no style, no grid: our own lines
    shares = block.widths or (1.0,) * columns
    for column, share in zip(table.columns, shares, strict=True):
        column.width = Emu(int(Mm(width) * share / sum(shares)))
    size = 12.0 if columns <= 9 else 9.0
    if columns > 5 and width < 200:
        size = 10.5 if columns <= 7 else 9.5
    if any(len(cell.text) > 40 for row in block.rows for cell in row):
        size = 10.0
    inside = [width * share / sum(shares) - 3.4 for share in shares]
    texts = [block.head, *([cell.text for cell in row] for row in block.rows)]
    for row, told in zip(table.rows, texts, strict=True):
        lines = max(_lines(text, size, wide) for text, wide in zip(told, inside, strict=True)) if columns <= 12 else 1
        row.height = Mm(max(height, lines * size * _LINE_MM + 1.4))
    for i, name in enumerate(block.head):
        _cell(table.cell(0, i), name, size, "t3", i < block.texts, ground=hex_of("raised"), narrow=columns > 12)
    for r, row in enumerate(block.rows, 1):
        total = bool(row) and row[0].text == "合计"
        for i, cell in enumerate(row):
            text, ground = shade(cell.shade) if cell.shade is not None else (cell.tone or "t1", "FFFFFF")
            _cell(
                table.cell(r, i),
                cell.text,
                size,
                text,
                i < block.texts,
                ground=hex_of(ground),
                bold=total,
                narrow=columns > 12,
            )


def _cell(
    cell, text: str, size: float, colour: str, left: bool, *, ground: str, bold: bool = False, narrow: bool = False
) -> None:
    cell.margin_left = cell.margin_right = Mm(0.4 if narrow else 1.6)
    cell.margin_top = cell.margin_bottom = Mm(0.5)
    cell.vertical_anchor = MSO_ANCHOR.MIDDLE
    cell.fill.solid()
    cell.fill.fore_color.rgb = RGBColor.from_string(ground)
    paragraph = cell.text_frame.paragraphs[0]
    paragraph.alignment = PP_ALIGN.LEFT if left else PP_ALIGN.CENTER if narrow else PP_ALIGN.RIGHT
    run = paragraph.add_run()
    run.text = text
    _face(run.font, size, colour, bold)
    _line_under(cell)


def _line_under(cell) -> None:
    properties = cell._tc.get_or_add_tcPr()
    line = properties.makeelement(qn("a:lnB"), {"w": "6350"})
    fill = line.makeelement(qn("a:solidFill"), {})
    colour = fill.makeelement(qn("a:srgbClr"), {"val": hex_of("line")})
    fill.append(colour)
    line.append(fill)
    properties.insert(0, line)


def _chart(page, block: Chart, left: float, top: float, width: float, room: float) -> None:
    data = CategoryChartData()
    data.categories = block.labels
    for name, values in block.series:
        data.add_series(name, values)
    kind = XL_CHART_TYPE.LINE_MARKERS if block.kind == "line" else XL_CHART_TYPE.COLUMN_CLUSTERED
    chart = page.shapes.add_chart(kind, Mm(left), Mm(top), Mm(width), Mm(room), data).chart
    chart.font.size, chart.font.name = Pt(11), FONT
    chart.has_legend = len(block.series) > 1
    if chart.has_legend:
        chart.legend.position, chart.legend.include_in_layout = XL_LEGEND_POSITION.BOTTOM, False
    chart.has_title = False
    chart.value_axis.major_gridlines.format.line.color.rgb = RGBColor.from_string(hex_of("line"))
    chart.value_axis.format.line.fill.background()
    chart.value_axis.minimum_scale = 0
    for i, series in enumerate(chart.plots[0].series):
        strong = i < block.solid or block.kind == "bar"
        colour = RGBColor.from_string(hex_of(SERIES[min(i, 2)] if strong else SERIES[1]))
        if block.kind == "bar":
            series.format.fill.solid()
            series.format.fill.fore_color.rgb = colour
            continue
        series.smooth = False
        series.format.line.color.rgb = colour
        series.format.line.width = Pt(2.5 if strong else 1.0)
        if strong:
            series.marker.format.fill.solid()
            series.marker.format.fill.fore_color.rgb = colour
        else:
            series.format.line.dash_style = MSO_LINE.DASH
            series.marker.style = None
            series.marker._element.get_or_add_marker().get_or_add_symbol().set("val", "none")


def _picture(
    page, block: Picture, pictures: Mapping[str, bytes], left: float, top: float, width: float, room: float
) -> None:
    png = pictures.get(block.name)
    if png is None:
        _text(page, left, top, width, 8, "没有中文字体，图画不出。", 14, "warn")
        return
    picture = page.shapes.add_picture(io.BytesIO(png), Mm(left), Mm(top), height=Mm(room))
    picture.name = block.title
    if picture.width > Mm(width):
        picture.height = int(picture.height * Mm(width) / picture.width)
        picture.width = Mm(width)
    picture.left = Mm(left) + (Mm(width) - picture.width) // 2
    picture._element.nvPicPr.cNvPr.set("descr", block.title)
