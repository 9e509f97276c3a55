"""Chinese type for pictures: which installed font draws it, how wide a text is, and how it fits a width.

Every text names its font itself; nothing of matplotlib's global settings is read or changed.
"""

from __future__ import annotations

from functools import cache

from matplotlib.font_manager import FontProperties, fontManager
from matplotlib.textpath import TextToPath

from dashboard.pictures import FontMissing

FAMILIES = ("Source Han Sans SC", "Noto Sans CJK SC", "Microsoft YaHei", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei")
MM_PER_POINT = 25.4 / 72
_NOT_FIRST = "，。；：、）》」』！？,.;:)%"  # never at the start of a line
_BETWEEN = " · "  # where a line is best broken
_MEASURE = TextToPath()


@cache
def family() -> str:
    """The first installed of ``FAMILIES``.

    Raises
    ------
    FontMissing
    """
    installed = {font.name for font in fontManager.ttflist}
    for name in FAMILIES:
        if name in installed:
            return name
    raise FontMissing(
        "服务器没有中文字体，画不出图", where="字体", found="无", expected=" 或 ".join(FAMILIES),
        remedy="安装 fonts-noto-cjk（Debian、Ubuntu）或 google-noto-sans-cjk-fonts（麒麟、openEuler）后重启服务；表格导出不受影响",
    )  # fmt: skip


def font(size: float, *, bold: bool = False) -> FontProperties:
    """The font at a size in points."""
    return FontProperties(family=family(), size=size, weight="bold" if bold else "normal")


def width_mm(text: str, size: float, *, bold: bool = False) -> float:
    """How wide a text is."""
    if not text:
        return 0.0
    return _MEASURE.get_text_width_height_descent(text, font(size, bold=bold), ismath=False)[0] * MM_PER_POINT


def lines(text: str, most_mm: float, size: float, *, bold: bool = False, most_lines: int = 2) -> list[str]:
    """A text in lines no wider than ``most_mm``; what does not fit ends in …"""
    found, rest = [], text.strip()
    while rest and len(found) < most_lines:
        cut = _fits(rest, most_mm, size, bold)
        if cut < len(rest) and len(found) == most_lines - 1:
            found.append(shortened(rest, most_mm, size, bold=bold))
            return found
        found.append(rest[:cut].rstrip(" ·"))
        rest = rest[cut:].lstrip()
    return found


def shortened(text: str, most_mm: float, size: float, *, bold: bool = False) -> str:
    """A text no wider than ``most_mm``, cut with … where it is."""
    if width_mm(text, size, bold=bold) <= most_mm:
        return text
    cut = _fits(text, most_mm - width_mm("…", size, bold=bold), size, bold, by_word=False)
    return text[:cut].rstrip() + "…"


def _fits(text: str, most_mm: float, size: float, bold: bool, *, by_word: bool = True) -> int:
    """How many characters fit; words of other scripts stay whole where they can, and no line begins with a full stop."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if width_mm(text[:middle], size, bold=bold) <= most_mm else (low, middle - 1)
    if low == len(text) or not by_word:
        return low
    between = text.rfind(_BETWEEN, 0, low)
    if between > low * 0.6:
        return between + len(_BETWEEN)
    cut = low
    while cut > 1 and (text[cut] in _NOT_FIRST or (_of_word(text[cut]) and _of_word(text[cut - 1]))):
        cut -= 1
    return cut if cut > low // 2 else low


def _of_word(character: str) -> bool:
    return (character.isascii() and not character.isspace()) or character in "−—·"
