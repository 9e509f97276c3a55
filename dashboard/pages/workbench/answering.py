"""How the page's functions answer: in the visitor's language, without old numbers after a fault, and kept."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable
from functools import wraps

from dashboard import language
from dashboard.components import html
from dashboard.language import say
from dashboard.pages.caller import caller_language
from dashboard.pages.workbench import ids
from data.errors import YanpanError
from data.store import Release, Scope

_log = logging.getLogger(__name__)


def cleared(empty_answer: Callable[[str], object]):
    """Answer in the visitor's language, and a fault with one line in place of numbers: no old value under a new name."""

    def decorate(function):
        @wraps(function)
        def answer(*arguments):
            language.use(caller_language())
            try:
                return function(*arguments)
            except YanpanError as fault:
                return empty_answer(language.said(fault))
            except Exception:
                _log.exception("%s", function.__name__)
                return empty_answer(say("程序内部错误，已记入日志"))

        return answer

    return decorate


def kept(function):
    """Keep what a function of (release, scope, texts) answers for a release, by question, scope and language: going back,
    playing the same weeks again, and the click a colleague made a minute ago then cost nothing.

    It is kept as bytes, whose weight in memory is known, and each asker gets a copy of their own.
    """

    @wraps(function)
    def answer(release: Release, scope: Scope, *asked: str):
        key = ("page", function.__name__, scope, asked, language.current())
        return pickle.loads(release.remember(key, lambda: pickle.dumps(function(release, scope, *asked))))

    return answer


def parts(**shown) -> dict:
    """Parts of the page by id, as the browser draws them; None empties one."""
    return {f"{ids.PAGE}-{name.replace('_', '-')}": html.part(part) for name, part in shown.items()}
