"""Draw the figures of the methods page: ``python docs/drawing/draw.py PHILADELPHIA_RELEASE DEMO_RELEASE [NAME …]``.

Both releases are folders with a ``city.gpkg`` (``make docs`` builds them). Captions, with the numbers that were seen,
go to docs/figures/captions.json; the page itself is written by page.py.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

import figures_cameras
import figures_change
import figures_effect
import figures_events
import figures_hotspots
from canvas import save
from releases import City

FOLDER = Path(__file__).resolve().parent.parent / "figures"
FIGURES = {
    name: work
    for module in (figures_hotspots, figures_events, figures_change, figures_cameras, figures_effect)
    for name, work in module.FIGURES.items()
}


def main(philadelphia: str, demo: str, *names: str) -> None:
    """Draw all, or those named."""
    warnings.filterwarnings("ignore", message="Glyph")
    cities = City("费城", Path(philadelphia) / "city.gpkg"), City("演示市", Path(demo) / "city.gpkg")
    kept = FOLDER / "captions.json"
    captions = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
    for name, work in FIGURES.items():
        if names and name not in names:
            continue
        figure, captions[name] = work(*cities)
        save(figure, FOLDER / f"{name}.png")
        print(f"{name}: {captions[name]}", flush=True)
    captions = {name: captions[name] for name in FIGURES if name in captions}
    kept.write_text(json.dumps(captions, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
