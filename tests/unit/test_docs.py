"""The methods page says what the docstrings say, shows every figure and names every method of the design."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def page():
    spec = importlib.util.spec_from_file_location("methods_page", DOCS / "drawing" / "page.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_its_sources_make(page):
    captions = json.loads((DOCS / "figures" / "captions.json").read_text("utf-8"))
    assert (DOCS / "methods.md").read_text("utf-8") == page.page(captions, page.tables()), "run make docs"


def test_every_figure_is_there_and_used(page):
    used = {name for _, cards in page.CARDS for card in cards for name in card.figure.split()}
    drawn = {path.stem for path in (DOCS / "figures").glob("*.png")}
    assert used == drawn
    assert used == set(json.loads((DOCS / "figures" / "captions.json").read_text("utf-8")))


def test_every_method_has_its_card(page):
    from test_docstrings import DESIGN

    shown = {name for _, cards in page.CARDS for card in cards for name in card.functions.split()}
    assert {f"{room}.{name}" for room, names in DESIGN.items() for name in names.split()} <= shown
