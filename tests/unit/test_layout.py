"""The rooms of the project and the direction in which they may look."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAY_IMPORT = {"geo": set(), "data": {"geo"}, "etl": {"geo", "data"}, "dashboard": {"geo", "data"}}
EFFECTS = {"os", "pathlib", "socket", "subprocess", "tempfile", "requests", "urllib", "time", "dash", "sqlite3"}


def imports(path: Path) -> set[str]:
    """Top-level names a module imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_imports_go_one_way(folder):
    others = set(MAY_IMPORT) - {folder} - MAY_IMPORT[folder]
    wrong = {
        str(path.relative_to(ROOT)): sorted(imports(path) & (others | {"yanpan", "tests"}))
        for path in (ROOT / folder).rglob("*.py")
    }
    assert {k: v for k, v in wrong.items() if v} == {}


def test_geo_is_pure():
    wrong = {path.name: sorted(imports(path) & EFFECTS) for path in (ROOT / "geo").rglob("*.py")}
    assert {k: v for k, v in wrong.items() if v} == {}


def test_the_walk_sees_a_wrong_import(tmp_path):
    module = tmp_path / "m.py"
    module.write_text("def f():\n    from etl.pipeline import run\n    import dashboard.app\n")
    assert imports(module) == {"etl", "dashboard"}


def test_locks_hold_names_and_versions_alone():
    for name in ("requirements.lock", "requirements-test.lock"):
        lines = (ROOT / name).read_text("utf-8").split("\n")
        assert [line for line in lines if line and "==" not in line] == []
        assert [line for line in lines if "/" in line or "@" in line] == []
