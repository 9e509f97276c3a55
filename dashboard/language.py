"""The words of the pages in the reader's language, from one catalogue.

Chinese text stands in the code and is the key; ``words/en.json`` holds the other language. Scripts in ``assets/`` read
the same file through ``yanpan.say``. Names of areas, categories of the source and other data are shown as they are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

from data.errors import YanpanError

LANGUAGES = ("zh", "en")
COOKIE = "yanpan-language"
WORDS = Path(__file__).parent / "words"
_language: ContextVar[str] = ContextVar("language", default="zh")


def use(language: str | None) -> None:
    """Answer what follows, in this request, in a language; an unknown one is Chinese."""
    _language.set(language if language in LANGUAGES else "zh")


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Answer in a language inside the block, whatever is in use: packs are Chinese on every page."""
    token = _language.set(language)
    try:
        yield
    finally:
        _language.reset(token)


def current() -> str:
    """The language in use."""
    return _language.get()


@cache
def catalogue(language: str) -> dict[str, str]:
    """Chinese text -> text in ``language``; empty for Chinese."""
    return {} if language == "zh" else json.loads((WORDS / f"{language}.json").read_text("utf-8"))


def say(text: str, **values: object) -> str:
    """``text`` in the language in use, its ``{names}`` filled in; Chinese where the catalogue lacks it.

    An entry ``one|many`` is taken by the number ``n``.
    """
    words = catalogue(current()).get(text)
    if words is None:
        words = text
    elif "|" in words:
        words = words.split("|")[0 if str(values.get("n")) == "1" else 1]
    return words.format(**values) if values else words


def said(fault: YanpanError) -> str:
    """A fault as one line in the language in use; parts the catalogue lacks stay as they are."""
    labelled = (("位置", fault.where), ("发现", fault.found), ("应为", fault.expected), ("处理", fault.remedy))
    parts = [say(fault.what)] + [f"{say(label)}: {say(text)}" for label, text in labelled if text]
    return " | ".join(" ".join(part.split()) for part in parts)
