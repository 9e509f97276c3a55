"""Every method of geo/ says what it takes, gives and refuses, cites what stands in the bibliography, and its example runs."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import geo

MODULES = sorted(m.name for m in pkgutil.walk_packages(geo.__path__, "geo."))
# The rooms that the design names; what they export is public.
ROOMS = ("crs", "regions", "density", "autocorrelation", "spacetime", "change", "coverage", "siting", "evaluation")
DESIGN = {
    "crs": "wgs84_to_gcj02 gcj02_to_wgs84 gcj02_to_bd09 bd09_to_gcj02 metre_crs detect_datum",
    "regions": "assign topology dissolve",
    "density": "kernel_density density_change",
    "autocorrelation": "contiguity getis_ord_star local_moran empirical_bayes_rate",
    "spacetime": "knox near_repeat emerging_hotspots scan_permutation mann_kendall",
    "change": "poisson_e_test poisson_z control_band verdict",
    "coverage": "sector visible_area coverage_summary rule_check",
    "siting": "maximal_cover",
    "evaluation": (
        "prediction_accuracy_index prediction_efficiency_index weighted_displacement_difference concentration"
    ),
}


def public(room: str) -> dict:
    module = importlib.import_module(f"geo.{room}")
    names = getattr(module, "__all__", None) or [n for n in vars(module) if not n.startswith("_")]
    return {
        name: value
        for name in names
        if inspect.isfunction(value := getattr(module, name)) and value.__module__.startswith("geo.")
    }


FUNCTIONS = {f"{room}.{name}": value for room in ROOMS for name, value in public(room).items()}


@pytest.mark.parametrize("room", DESIGN)
def test_the_design_s_functions_are_there(room):
    assert set(DESIGN[room].split()) <= set(public(room))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_public_function_explains_itself(name):
    text = inspect.getdoc(FUNCTIONS[name])
    assert text, name
    told = re.search(r"^Parameters\b", text, re.M) or re.search(
        r"Parameters and result as in :func:|`sector` for many", text
    )
    assert told, f"{name} does not say what it takes"
    assert re.search(r"^Examples\n-+", text, re.M), f"{name} has no example"


def test_citations_stand_in_the_bibliography():
    root = Path(geo.__file__).parent
    keys = re.findall(r"^@\w+\{(\w+),", (root / "references.bib").read_text("utf-8"), re.M)
    assert len(keys) == len(set(keys))
    cited = set()
    for path in root.rglob("*.py"):
        cited |= set(re.findall(r"\[([A-Z]\w+)\]_", path.read_text("utf-8")))
    assert cited - set(keys) == set()
    assert set(keys) - cited == set()


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0
