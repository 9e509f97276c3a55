"""A pack as paged PDF, A4 and 16:9, set by Typst with its fonts embedded; no browser, no network."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

import typst

from dashboard.components import html
from dashboard.pictures.lettering import family
from dashboard.pictures.palette import LIGHT
from dashboard.reports.files.colours import SERIES, shade
from dashboard.reports.files.html_file import chart, in_file
from dashboard.reports.model import Block, Chart, Pack, Table

PAGES = ("a4", "16x9")
_TEMPLATE = Path(__file__).with_name("pack.typ")


def write_pdf(pack: Pack, pictures: Mapping[str, bytes], page: str = "a4") -> bytes:
    """The file.

    Parameters
    ----------
    pictures : mapping of a picture's name to its PNG
    page : str
        ``a4`` or ``16x9``.

    Raises
    ------
    FontMissing
        Naming the fonts of which one is needed.
    """
    fonts = [family()]
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        (folder / "main.typ").write_bytes(_TEMPLATE.read_bytes())
        for name, png in pictures.items():
            (folder / f"{name}.png").write_bytes(png)
        sections = []
        for number, section in enumerate(pack.sections, 1):
            blocks = [_block(one, folder, f"{number}-{i}", pictures) for i, one in enumerate(section.blocks)]
            findings = [{"text": one.text, "tone": one.tone} for one in section.findings]
            sections.append({"heading": f"{number} {section.title}", "draft": section.draft, "findings": findings,
                             "comment": section.comment, "blocks": blocks})  # fmt: skip
        lines = ["签到单位：" + "、".join(pack.units)] if pack.units else []
        told = {
            "page": page, "title": pack.title, "period": pack.period, "release": pack.release, "header": pack.header, "fonts": fonts,
            "cover": f"对比{pack.compared} · {pack.filters} · 数据截至 {pack.data_as_of} · {pack.mark}", "warnings": pack.warnings,
            "lines": [*lines, *filter(None, [pack.signed])], "sections": sections, "colours": LIGHT,
        }  # fmt: skip
        (folder / "pack.json").write_text(json.dumps(told, ensure_ascii=False), "utf-8")
        return typst.compile(str(folder / "main.typ"), root=str(folder))


def _block(block: Block, folder: Path, name: str, pictures: Mapping[str, bytes]) -> dict:
    told = {
        "title": block.title,
        "note": block.note,
        "unit": "",
        "kind": "picture",
        "file": "",
        "keys": [],
        "head": [],
        "rows": [],
        "broad": False,
    }
    if isinstance(block, Table):
        rows = [[_cell(cell) for cell in row] for row in block.rows]
        widths = list(block.widths or (1.0,) * len(block.head))
        broad = any(len(cell.text) > 40 for row in block.rows for cell in row)
        return told | {
            "kind": "table",
            "head": block.head,
            "rows": rows,
            "texts": block.texts,
            "widths": widths,
            "broad": broad,
        }
    if isinstance(block, Chart):
        text = html.to_text(chart(block, in_file))
        drawing = re.search(r"<svg.*?</svg>", text, re.S)[0].replace(
            "<svg", '<svg xmlns="http://www.w3.org/2000/svg" font-size="12"', 1
        )
        (folder / f"{name}.svg").write_text(drawing, "utf-8")
        keys = [{"name": series, "ink": LIGHT[SERIES[min(i, 2)]]} for i, (series, _) in enumerate(block.series)]
        return told | {"kind": "chart", "file": f"{name}.svg", "unit": block.unit, "keys": keys}
    return told | {"file": f"{block.name}.png" if block.name in pictures else ""}


def _cell(cell) -> dict:
    ink, ground = (LIGHT[name] for name in shade(cell.shade)) if cell.shade is not None else ("", "")
    return {"text": cell.text, "tone": cell.tone, "ink": ink, "ground": ground}
