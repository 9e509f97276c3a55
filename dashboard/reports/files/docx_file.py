"""A pack as DOCX in the typography of official documents (GB/T 9704): A4, 版心156×225 mm, title 2号小标宋, body 3号仿宋, headings
黑体 and 楷体, lines of exactly 28 pt. Tables are native; charts are tables of their numbers.
"""

from __future__ import annotations

import io
from collections.abc import Mapping

from docx import Document
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from dashboard.reports.files.colours import hex_of, shade
from dashboard.reports.model import Cell, Chart, Pack, Section, Table

TITLE, BODY, HEAD, SUB = "方正小标宋简体", "仿宋_GB2312", "黑体", "楷体_GB2312"
LATIN = "Times New Roman"
_TWO, _THREE, _SMALL = 22.0, 16.0, 10.5  # 2号, 3号, 5号 in points
_LINE = 28.0
_NUMBERS = "一二三四五六七八九十"
_WIDTH_MM = 156.0


def write_docx(pack: Pack, pictures: Mapping[str, bytes]) -> bytes:
    """The file.

    Parameters
    ----------
    pictures : mapping of a picture's name to its PNG
    """
    document = Document()
    document.core_properties.title = pack.title
    document.core_properties.author = ""
    document.core_properties.keywords = pack.release
    _page(document, pack)
    _paragraph(document, pack.title, TITLE, _TWO, align=WD_ALIGN_PARAGRAPH.CENTER, line=36)
    _paragraph(document, f"（{pack.period}）", SUB, _THREE, align=WD_ALIGN_PARAGRAPH.CENTER)
    _paragraph(
        document,
        f"数据截至 {pack.data_as_of}，对比{pack.compared}，{pack.filters}，发布 {pack.release}，{pack.mark}。",
        BODY,
        _THREE,
    )
    for text in pack.warnings:
        _paragraph(document, text, SUB, _THREE, tone="warn")
    if pack.units:
        _paragraph(document, "签到单位：" + "、".join(pack.units) + "。", BODY, _THREE)
    for number, section in enumerate(pack.sections, 1):
        _section(document, number, section, pictures)
    if pack.signed:
        _paragraph(document, pack.signed, BODY, _THREE, align=WD_ALIGN_PARAGRAPH.RIGHT)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def chinese_number(number: int) -> str:
    """一 to 九十九."""
    tens, ones = divmod(number, 10)
    if number <= 10:
        return _NUMBERS[number - 1]
    return ("" if tens == 1 else _NUMBERS[tens - 1]) + "十" + (_NUMBERS[ones - 1] if ones else "")


def _page(document, pack: Pack) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin, section.right_margin, section.top_margin, section.bottom_margin = (
        Mm(28),
        Mm(26),
        Mm(37),
        Mm(35),
    )
    section.header_distance, section.footer_distance = Mm(20), Mm(25)
    header = section.header.paragraphs[0]
    _run(header, pack.header, BODY, 9.0, tone="t3")
    footer = section.footer.paragraphs[0]
    footer.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _run(footer, "— ", BODY, 14.0)
    _field(footer, "PAGE")
    _run(footer, " —", BODY, 14.0)
    style = document.styles["Normal"]
    style.font.name, style.font.size = LATIN, Pt(_THREE)
    style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), BODY)


def _section(document, number: int, section: Section, pictures: Mapping[str, bytes]) -> None:
    draft = "（草稿）" if section.draft else ""
    _paragraph(document, f"{chinese_number(number)}、{section.title}{draft}", HEAD, _THREE, heading=1, indent=True)
    several = len(section.findings) > 1
    for i, finding in enumerate(section.findings, 1):
        lead = f"{i}. " if several else ""
        _paragraph(document, f"{lead}{finding.text}", BODY, _THREE, indent=True)
    if section.comment:
        _paragraph(document, section.comment, SUB, _THREE, indent=True)
    for i, block in enumerate(section.blocks, 1):
        unit = f"（{block.unit}）" if isinstance(block, Chart) else ""
        _paragraph(document, f"（{chinese_number(i)}）{block.title}{unit}", SUB, _THREE, heading=2, indent=True)
        if isinstance(block, Table):
            _table(document, block)
        elif isinstance(block, Chart):
            _table(document, as_table(block))
        elif block.name in pictures:
            paragraph = document.add_paragraph()
            paragraph.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
            paragraph.add_run().add_picture(io.BytesIO(pictures[block.name]), width=Mm(_WIDTH_MM))
        else:
            _paragraph(document, "没有中文字体，图画不出。", BODY, _SMALL, tone="warn")
        if block.note:
            _paragraph(document, block.note, BODY, _SMALL, line=16, tone="t3")


def as_table(chart: Chart) -> Table:
    """The numbers of a chart."""

    def text(value: float | None) -> str:
        return "—" if value is None else f"{value:,.10g}"

    if len(chart.labels) > len(chart.series) * 3 and len(chart.labels) > 14:  # in two columns of rows it would be long
        half = -(-len(chart.labels) // 2)
        names = [name for name, _ in chart.series]
        rows = []
        for i in range(half):
            row = [Cell(chart.labels[i]), *(Cell(text(values[i])) for _, values in chart.series)]
            j = i + half
            row += (
                [Cell(chart.labels[j]), *(Cell(text(values[j])) for _, values in chart.series)]
                if j < len(chart.labels)
                else [Cell("")] * (1 + len(names))
            )
            rows.append(tuple(row))
        return Table(chart.title, ("", *names, "", *names), tuple(rows))
    rows = tuple(
        (Cell(label), *(Cell(text(values[i])) for _, values in chart.series)) for i, label in enumerate(chart.labels)
    )
    return Table(chart.title, ("", *(name for name, _ in chart.series)), rows)


def _paragraph(
    document,
    text: str,
    face: str,
    size: float,
    *,
    align=None,
    line: float = _LINE,
    indent: bool = False,
    heading: int = 0,
    tone: str = "",
):
    paragraph = document.add_paragraph()
    shape = paragraph.paragraph_format
    shape.alignment = align
    shape.space_before = shape.space_after = Pt(0)
    shape.line_spacing_rule, shape.line_spacing = WD_LINE_SPACING.EXACTLY, Pt(line)
    if indent:
        shape.first_line_indent = Pt(2 * size)
    if heading:
        shape.keep_with_next = True
        level = OxmlElement("w:outlineLvl")  # in the navigation pane, without a heading style's own face
        level.set(qn("w:val"), str(heading - 1))
        paragraph._p.get_or_add_pPr().append(level)
    _run(paragraph, text, face, size, tone=tone)
    return paragraph


def _run(paragraph, text: str, face: str, size: float, *, bold: bool = False, tone: str = "") -> None:
    run = paragraph.add_run(text)
    run.font.name, run.font.size, run.font.bold = LATIN, Pt(size), bold
    run._element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), face)
    if tone:
        run.font.color.rgb = RGBColor.from_string(hex_of(tone))


def _field(paragraph, name: str) -> None:
    run = paragraph.add_run()
    for kind, text in (("begin", None), (None, name), ("end", None)):
        element = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            element.set(qn("w:fldCharType"), kind)
        else:
            element.text = text
        run._element.append(element)


def _table(document, block: Table) -> None:
    columns = len(block.head)
    table = document.add_table(rows=1 + len(block.rows), cols=columns)
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    table.style = "Table Grid"
    table.autofit = False
    shares = block.widths or (1.0,) * columns
    size = _SMALL if columns <= 7 else 9.0 if columns <= 9 else 6.5
    for column, share in zip(table.columns, shares, strict=True):
        column.width = Mm(_WIDTH_MM * share / sum(shares))
    for r, row in enumerate([tuple(Cell(name) for name in block.head), *block.rows]):
        cells = table.rows[r].cells
        for i, cell in enumerate(row):
            _cell(
                cells[i],
                cell,
                size,
                left=i < block.texts,
                head=r == 0,
                narrow=columns > 12,
                wide=Mm(_WIDTH_MM * shares[i] / sum(shares)),
            )
    _repeat_head(table.rows[0])
    for row in table.rows:
        _keep_whole(row)


def _cell(target, cell: Cell, size: float, *, left: bool, head: bool, narrow: bool, wide) -> None:
    target.width = wide
    paragraph = target.paragraphs[0]
    shape = paragraph.paragraph_format
    shape.space_before = shape.space_after = Pt(0)
    shape.line_spacing_rule, shape.line_spacing = WD_LINE_SPACING.AT_LEAST, Pt(size * 1.35)
    shape.alignment = (
        WD_ALIGN_PARAGRAPH.LEFT if left else WD_ALIGN_PARAGRAPH.CENTER if head or narrow else WD_ALIGN_PARAGRAPH.RIGHT
    )
    tone = cell.tone
    if cell.shade is not None:
        tone, ground = shade(cell.shade)
        _ground(target, hex_of(ground))
    elif head:
        _ground(target, hex_of("raised"))
    _run(paragraph, cell.text, HEAD if head else BODY, size, tone=tone)
    if narrow:
        _margins(target)


def _ground(cell, colour: str) -> None:
    element = OxmlElement("w:shd")
    for name, value in (("val", "clear"), ("color", "auto"), ("fill", colour)):
        element.set(qn(f"w:{name}"), value)
    cell._tc.get_or_add_tcPr().append(element)


def _margins(cell) -> None:
    margins = OxmlElement("w:tcMar")
    for side in ("left", "right"):
        element = OxmlElement(f"w:{side}")
        element.set(qn("w:w"), "10")
        element.set(qn("w:type"), "dxa")
        margins.append(element)
    cell._tc.get_or_add_tcPr().append(margins)


def _repeat_head(row) -> None:
    element = OxmlElement("w:tblHeader")
    element.set(qn("w:val"), "true")
    row._tr.get_or_add_trPr().append(element)


def _keep_whole(row) -> None:
    row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
