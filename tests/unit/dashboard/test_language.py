"""One catalogue: whatever the pages say has its English, and nothing is said past it."""

import ast
import json
import re
import string
from pathlib import Path

import pytest

from dashboard import language
from data.errors import UsageError

ROOT = Path(language.__file__).parent
CHINESE = re.compile(r"[\u3400-\u9fff]")
FOLDERS = ("pages", "components", "exports", "pictures")
PYTHON = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
SCRIPTS = sorted((ROOT / "assets").glob("*.js"))
# Names, and letters that words are put together from: nothing that is shown in English as it stands.
NOT_SAID = {"中文", "研判", "一二三四五六日", "一二三四", "万"}
# A date or quarter of the English may write with these what the Chinese writes with those.
INSTEAD = {"mon": "m", "mon2": "m2", "day": "d", "n": "q"}


def docstrings(tree: ast.AST) -> set[int]:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    first = [node.body[0] for node in ast.walk(tree) if isinstance(node, kinds) and node.body]
    texts = [node.value for node in first if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)]
    # A string that stands alone documents what is above it.
    texts += [node.value for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)]
    return {id(text) for text in texts}


def python_texts(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    skipped = docstrings(tree)
    pieces = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    mixed = [node.lineno for node in ast.walk(tree) if id(node) in pieces and isinstance(node, ast.Constant)
             and CHINESE.search(str(node.value)) and node.value.strip("_") not in NOT_SAID]  # fmt: skip
    assert not mixed, f"{path.name}: Chinese inside f-strings at lines {mixed}; use say() with names"
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
            and id(node) not in skipped and id(node) not in pieces and CHINESE.search(node.value)
            and "|" not in node.value}  # a pattern to search by  # fmt: skip


def script_texts(path: Path) -> set[str]:
    code = re.sub(r"/\*.*?\*/|(?<![:\"'])//[^\n]*", "", path.read_text("utf-8"), flags=re.S)
    found = set(re.findall(r'"((?:[^"\\\n]|\\.)*)"', code)) | set(re.findall(r"'((?:[^'\\\n]|\\.)*)'", code))
    keys = set(re.findall(r"[{,]\s*([\u3400-\u9fff]+):", code))
    return {text for text in found if CHINESE.search(text)} - keys


@pytest.fixture(scope="module")
def english() -> dict[str, str]:
    return json.loads((ROOT / "words" / "en.json").read_text("utf-8"))


@pytest.mark.parametrize("path", [*PYTHON, *SCRIPTS], ids=lambda path: path.name)
def test_everything_said_has_its_english(path, english):
    texts = python_texts(path) if path.suffix == ".py" else script_texts(path)
    lacking = sorted(texts - set(english) - NOT_SAID)
    assert lacking == []


def names(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_the_english_is_english_and_fills_in_the_same_names(english):
    assert [zh for zh, en in english.items() if CHINESE.search(en)] == []
    assert [zh for zh, en in english.items() if {INSTEAD.get(n, n) if n not in names(zh) else n for n in names(en)} - names(zh)] == []
    assert [zh for zh, en in english.items() if not en.strip() and zh.strip()] == []


def test_words_follow_the_language_in_use(monkeypatch):
    monkeypatch.setattr(language, "catalogue", lambda name: {"共{n}起": "{n} in all", "位置": "where"} if name == "en" else {})
    language.use("en")
    try:
        assert language.say("共{n}起", n=3) == "3 in all" and language.say("没有的词") == "没有的词"
        assert language.said(UsageError("坏了", where="area", found="x")) == "坏了 | where: area | 发现: x"
        language.use("de")
        assert language.current() == "zh" and language.say("共{n}起", n=3) == "共3起"
    finally:
        language.use("zh")
