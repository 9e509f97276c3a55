"""One catalogue: whatever the pages say has its English, and nothing is said past it."""

import ast
import json
import re
import string
from datetime import date
from pathlib import Path

import pytest

from dashboard import language
from dashboard.components import words
from data.errors import UsageError

ROOT = Path(language.__file__).parent
CHINESE = re.compile(r"[\u3400-\u9fff]")
FOLDERS = ("pages", "components", "exports", "pictures")
SHARED = (
    "alert_words",
    "compared",
    "layers",
    "measures",
    "peak_hours",
    "supervised",
    "told_hotspots",
    "trend_steps",
)  # by pages and pictures
PYTHON = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
PYTHON += [ROOT / f"{name}.py" for name in SHARED]
SCRIPTS = sorted((ROOT / "assets").rglob("*.js"))
# Names, and letters that words are put together from: nothing that is shown in English as it stands.
NOT_SAID = {"中文", "研判", "一二三四五六日", "一二三四", "万"}
# A date or quarter of the English may write with these what the Chinese writes with those.
INSTEAD = {"mon": "m", "mon2": "m2", "day": "d", "n": "q"}


def docstrings(tree: ast.AST) -> set[int]:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    first = [node.body[0] for node in ast.walk(tree) if isinstance(node, kinds) and node.body]
    texts = [node.value for node in first if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)]
    # A string that stands alone documents what is above it.
    texts += [
        node.value for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    ]
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
    assert [
        zh for zh, en in english.items() if not all(n in names(zh) or INSTEAD.get(n) in names(zh) for n in names(en))
    ] == []
    assert [zh for zh, en in english.items() if not en.strip() and zh.strip()] == []


def test_one_and_many(monkeypatch):
    monkeypatch.setattr(language, "catalogue", lambda name: {"{n}天": "{n} day|{n} days", "起": "incident|incidents"})
    assert [language.say("{n}天", n=n) for n in (0, 1, "1", 2)] == ["0 days", "1 day", "1 day", "2 days"]
    assert (language.say("起"), language.say("起", n=1)) == ("incidents", "incident")


def test_words_follow_the_language_in_use(monkeypatch):
    monkeypatch.setattr(
        language, "catalogue", lambda name: {"共{n}起": "{n} in all", "位置": "where"} if name == "en" else {}
    )
    language.use("en")
    try:
        assert language.say("共{n}起", n=3) == "3 in all" and language.say("没有的词") == "没有的词"
        assert language.said(UsageError("坏了", where="area", found="x")) == "坏了 | where: area | 发现: x"
        language.use("de")
        assert language.current() == "zh" and language.say("共{n}起", n=3) == "共3起"
    finally:
        language.use("zh")


@pytest.fixture
def in_english():
    language.use("en")
    yield
    language.use("zh")


@pytest.mark.parametrize(("window", "text", "name"), [
    ((date(2026, 11, 9), date(2026, 11, 16)), "9–15 Nov", "Week 46 of 2026"),
    ((date(2026, 10, 26), date(2026, 11, 2)), "26 Oct – 1 Nov", "Week 44 of 2026"),
    ((date(2026, 2, 1), date(2026, 3, 1)), "Feb 2026", "Feb 2026"),
    ((date(2026, 7, 1), date(2026, 10, 1)), "Q3 2026", "Q3 2026"),
    ((date(2026, 11, 16), date(2026, 12, 1)), "16–30 Nov", "Nov 2026, 2nd half"),
    ((date(2025, 12, 30), date(2026, 1, 2)), "30 Dec 2025 – 1 Jan 2026", "3 days"),
    ((date(2026, 11, 3), date(2026, 11, 4)), "3 Nov", "1 day"),
])  # fmt: skip
def test_windows_have_english_names(in_english, window, text, name):
    assert words.window_text(window) == text
    assert words.period_name(window) == name


def test_english_days_are_never_two_bare_numbers(in_english):
    assert words.window_text((date(2026, 11, 9), date(2026, 11, 16)), year=True) == "9–15 Nov 2026"
    assert words.tick_days([date(2026, 10, 30), date(2026, 10, 31), date(2026, 11, 1)]) == ["30 Oct", "31", "1 Nov"]
    assert words.moment("2026-11-09T06:05:00", date(2026, 12, 1)) == "9 Nov, 06:05"
    assert words.moment("2025-11-09T06:05:00", date(2026, 12, 1)) == "9 Nov 2025, 06:05"
    assert words.weekdays_text((1, 7)) == "Mon, Sun" and words.hours_text((18, 23)) == "18:00–24:00"
    language.use("zh")
    assert words.tick_days([date(2026, 10, 31), date(2026, 11, 1)]) == ["10/31", "11/1"]
    assert words.moment("2026-11-09T06:05:00", date(2026, 12, 1)) == "11-09 06:05"


def test_what_is_not_reported_has_the_width_of_a_number(in_english):
    assert words.whole(None) == "n/r" and words.whole(1234) == "1,234" and language.say("未报") == "Not reported"
