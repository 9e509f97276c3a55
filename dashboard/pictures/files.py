"""A figure as a file."""

from __future__ import annotations

import io
import re
import threading

from matplotlib.figure import Figure

PRINT_DPI = 300
# Matplotlib does not promise that two threads may draw at once; on few processors nothing is lost by taking turns.
_LEVEL = 4  # of compression: a fifth larger than the best, in half the time
_POINT = re.compile(rb"(?m)^([ML] -?\d+\.\d\d)\d* (-?\d+\.\d\d)\d*")  # of a path; a hundredth of a point is enough
_TURN = threading.Lock()


def picture(figure: Figure, form: str, *, title: str = "", description: str = "") -> bytes:
    """The file of a figure.

    Parameters
    ----------
    form : str
        ``png`` at 300 dots an inch, or ``svg`` with texts as outlines, so that it looks alike without the font.
    title, description : str
        For programs: they stand in the file, not in the picture.
    """
    out = io.BytesIO()
    said = {"Title": title, "Description": description}
    with _TURN:
        if form == "png":
            figure.savefig(out, format="png", dpi=PRINT_DPI, metadata={**said, "Software": None},
                           pil_kwargs={"compress_level": _LEVEL})  # fmt: skip
            return out.getvalue()
        figure.savefig(out, format="svg", metadata={**said, "Date": None, "Creator": None})
    return _POINT.sub(rb"\1 \2", out.getvalue())
