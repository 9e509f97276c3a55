"""A pack as one HTML file that needs nothing else: styles, pictures and charts stand inside it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping

from dashboard.components import html
from dashboard.pictures.palette import LIGHT
from dashboard.reports.files.colours import SERIES, shade
from dashboard.reports.model import Block, Chart, Pack, Section, Table

_WIDE, _HIGH, _LEFT, _BOTTOM = 720, 240, 54, 34
_COLOURS = ";".join(f"--{name}:{value}" for name, value in LIGHT.items())
_STYLE = (
    f":root{{{_COLOURS}}}"
    + """
body{margin:0;background:var(--bg);color:var(--t1);font:15px/1.7 "Source Han Sans SC","Noto Sans CJK SC","Microsoft YaHei",sans-serif;font-variant-numeric:tabular-nums}
main{max-width:1080px;margin:24px auto;background:var(--panel);border:1px solid var(--line);border-radius:6px;padding:28px 44px}
header.running{color:var(--t3);font-size:12px;border-bottom:1px solid var(--line);padding-bottom:8px}
h1{font-size:28px;margin:20px 0 4px}h2{font-size:20px;margin:34px 0 6px;border-bottom:2px solid var(--accent);padding-bottom:4px}h3{font-size:15px;margin:18px 0 4px}
.lead{font-size:18px;font-weight:700}ul{margin:6px 0;padding-left:22px}.note,.period{color:var(--t3);font-size:12px;margin:4px 0}
.warning{background:var(--warn-fill);color:var(--warn);padding:4px 12px;border-radius:4px;margin:4px 0}.draft{border:1px solid var(--line2);border-radius:4px;padding:0 8px;font-size:12px;color:var(--t2);margin-left:8px}
.comment{border-left:3px solid var(--accent);padding:2px 12px;background:var(--raised)}
table{border-collapse:collapse;width:100%;font-size:13px}th{text-align:right;color:var(--t3);font-weight:400;font-size:12px}th,td{padding:3px 8px;border-bottom:1px solid var(--line);text-align:right}
th.w,td.w{text-align:left}tr.total td{font-weight:700}img{max-width:100%;border:1px solid var(--line)}
.bad{color:var(--bad)}.warn{color:var(--warn)}.good{color:var(--good)}.narrow td,.narrow th{padding:3px 2px;text-align:center;border-color:var(--panel)}
svg text{font-size:12px;fill:var(--t3)}@media print{body{background:none}main{border:0;margin:0;padding:0;max-width:none}h2{break-after:avoid}table,figure,img{break-inside:avoid}}
"""
)


Ink = Callable[[str], str]  # a colour's name as the style of a page writes it


def in_file(name: str) -> str:
    """A colour as it is."""
    return LIGHT[name]


def on_page(name: str) -> str:
    """A colour of the page's theme."""
    return f"var(--{name})"


def write_html(pack: Pack, pictures: Mapping[str, bytes]) -> bytes:
    """The file.

    Parameters
    ----------
    pictures : mapping of a picture's name to its PNG
    """
    said = [html.P(text, className="warning") for text in pack.warnings]
    units = [html.P("签到单位：" + "、".join(pack.units), className="note")] if pack.units else []
    signed = [html.P(pack.signed, className="note")] if pack.signed else []
    body = html.element(
        "main",
        {},
        [html.Header(pack.header, className="running"), html.H1(pack.title),
         html.P(f"{pack.period} · 对比{pack.compared} · 数据截至 {pack.data_as_of}", className="period"), *said, *units, *signed,
         *(section_parts(i, one, pictures, in_file) for i, one in enumerate(pack.sections, 1))],
    )  # fmt: skip
    text = (
        f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>{html.to_text(pack.title)}</title>'
        f'<meta name="viewport" content="width=device-width"><meta name="release" content="{html.to_text(pack.release)}">'
        f"<style>{_STYLE}</style></head><body>{html.to_text(body)}</body></html>"
    )
    return text.encode()


def section_parts(number: int, section: Section, pictures: Mapping[str, bytes | str], ink: Ink) -> html.Element:
    """A section.

    Parameters
    ----------
    pictures : mapping of a picture's name to its PNG, or to its address
    ink : callable
        ``in_file`` or ``on_page``.
    """
    draft = html.Span("草稿", className="draft") if section.draft else None
    first, *rest = section.findings or (None,)
    lead = [html.P(first.text, className=f"lead {first.tone}")] if first else []
    more = [html.Ul([html.Li(one.text, className=one.tone) for one in rest])] if rest else []
    comment = [html.P(section.comment, className="comment")] if section.comment else []
    head = html.H2([html.Span(f"{number} "), html.Span(section.title), draft])
    return html.Section(
        [head, *lead, *more, *comment, *(_block(one, pictures, ink) for one in section.blocks)], id=section.key
    )


def _block(block: Block, pictures: Mapping[str, bytes | str], ink: Ink) -> html.Element:
    note = html.P(block.note, className="note") if block.note else None
    if isinstance(block, Table):
        return html.Div([html.H3(block.title), table(block, ink), note])
    if isinstance(block, Chart):
        return html.Div(
            [html.H3([block.title, html.Span(f"　{block.unit}", className="note")]), chart(block, ink), note]
        )
    shown = pictures.get(block.name)
    if shown is None:
        return html.Div([html.H3(block.title), html.P("没有中文字体，图画不出。", className="note"), note])
    source = shown if isinstance(shown, str) else "data:image/png;base64," + base64.b64encode(shown).decode()
    return html.Div([html.H3(block.title), html.element("img", {"src": source, "alt": block.title}, []), note])


def table(block: Table, ink: Ink) -> html.Element:
    """A table."""

    def kind(i: int) -> str:
        return "w" if i < block.texts else ""

    head = html.element("tr", {}, [html.element("th", {"class": kind(i)}, [name]) for i, name in enumerate(block.head)])
    rows = []
    for row in block.rows:
        cells = []
        for i, cell in enumerate(row):
            told = {"class": f"{kind(i)} {cell.tone}".strip()}
            if cell.shade is not None:
                text, ground = shade(cell.shade)
                told["style"] = f"color:{ink(text)};background:{ink(ground)}"
            cells.append(html.element("td", told, [cell.text]))
        total = {"class": "total"} if row and row[0].text == "合计" else {}
        rows.append(html.element("tr", total, cells))
    narrow = {"class": "narrow"} if len(block.head) > 12 else {}
    return html.element("table", narrow, [html.element("thead", {}, [head]), html.element("tbody", {}, rows)])


def chart(block: Chart, ink: Ink) -> html.Element:
    """A chart as SVG: lines, the first strong; or bars side by side."""
    values = [v for _, series in block.series for v in series if v is not None]
    top = _nice(max(values, default=1.0) or 1.0)
    count = max(len(block.labels), 1)
    step = (_WIDE - _LEFT - 12) / count

    def x(i: float) -> float:
        return _LEFT + step * (i + 0.5)

    def y(v: float) -> float:
        return 12 + (_HIGH - _BOTTOM - 12) * (1 - v / top)

    parts = []
    for i in range(5):
        value = top * i / 4
        parts += [_svg("line", x1=_LEFT, x2=_WIDE - 12, y1=y(value), y2=y(value), stroke=ink("line")),
                  _svg("text", f"{value:,.10g}", x=_LEFT - 8, y=y(value) + 4, **{"text-anchor": "end"})]  # fmt: skip
    every = max(1, round(count / 13))
    parts += [
        _svg("text", label, x=x(i), y=_HIGH - 14, **{"text-anchor": "middle"})
        for i, label in enumerate(block.labels)
        if i % every == 0
    ]
    for n, (_, series) in enumerate(block.series):
        colour = ink(SERIES[min(n, len(SERIES) - 1)] if block.kind == "bar" or n < block.solid else SERIES[1])
        if block.kind == "bar":
            wide = step * 0.76 / len(block.series)
            parts += [
                _svg(
                    "rect",
                    x=x(i) - step * 0.38 + n * wide,
                    y=y(v),
                    width=wide * 0.92,
                    height=max(0, y(0) - y(v)),
                    fill=colour,
                )
                for i, v in enumerate(series)
                if v is not None
            ]
        else:
            path = "".join(
                ("M" if i == 0 or series[i - 1] is None else "L") + f"{x(i):.1f} {y(v):.1f}"
                for i, v in enumerate(series)
                if v is not None
            )
            dash = {} if n < block.solid else {"stroke-dasharray": "4 4"}
            parts.append(
                _svg(
                    "path",
                    d=path,
                    fill="none",
                    stroke=colour,
                    **{"stroke-width": 2.5 if n < block.solid else 1.2},
                    **dash,
                )
            )
            if n < block.solid:
                parts += [
                    _svg("circle", cx=x(i), cy=y(v), r=3.5, fill=colour) for i, v in enumerate(series) if v is not None
                ]
    key = html.P(
        [
            part
            for n, (name, _) in enumerate(block.series)
            for part in (html.Span("■ ", style={"color": ink(SERIES[min(n, 2)])}), f"{name}　")
        ],
        className="note",
    )
    return html.Div(
        [html.element("svg", {"viewBox": f"0 0 {_WIDE} {_HIGH}", "role": "img", "aria-label": block.title}, parts), key]
    )


def _svg(tag: str, text: str = "", **attributes) -> html.Element:
    told = {name: f"{v:.1f}" if isinstance(v, float) else str(v) for name, v in attributes.items()}
    return html.element(tag, told, [text] if text else [])


def _nice(value: float) -> float:
    """A round number not below a value, that four steps divide."""
    power = 1.0
    while power * 10 <= value:
        power *= 10
    return next(power * n for n in (1, 2, 4, 8, 10) if power * n >= value)
