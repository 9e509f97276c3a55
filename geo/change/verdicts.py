"""From two counts to one of six words, and to one plain sentence with its evidence."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from numbers import Real
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from geo.change.counts import poisson_e_test
from geo.change.overdispersion import one_phi, widen
from geo.result import Result

CLEAR_RISE = "明显上升"
RISE = "需关注"
NORMAL = "正常波动"
FALL = "有所下降"
CLEAR_FALL = "明显下降"
NOT_COMPARABLE = "无法比较"
VERDICTS = (CLEAR_RISE, RISE, NORMAL, FALL, CLEAR_FALL, NOT_COMPARABLE)
MARKS = {CLEAR_RISE: "▲", RISE: "◆", NORMAL: "○", FALL: "▽", CLEAR_FALL: "▼", NOT_COMPARABLE: "–"}

NOTHING = "—"


@dataclass(frozen=True, eq=False)
class Verdict(Result):
    """One count beside the one before; unpacks as ``word, statement, p, z``.

    Attributes
    ----------
    word : str
        One of ``VERDICTS``.
    mark : str
        Its shape, from ``MARKS``.
    statement : str
        One plain sentence, for the reader as it is.
    now, before : int or None
        The counts; None is 未报.
    difference : int or None
        ``now - before``; None where nothing is compared.
    percent : float or None
        Of ``difference`` in ``before``, of the counts as they are; None also where the base is 0.
    rate, rate_before : float or None
        Events a day.
    z : float or None
        Score statistic of the rates, not widened; its sign decides between rise and fall.
    p : float or None
        The final two-sided p that decided the word.
    dispersion : float
        The phi by which p was widened.
    days, days_before : float
        Exposures.
    reason : str
        Why nothing can be compared, such as 上期未报; "" where it was.
    """

    unpacks: ClassVar[tuple[str, ...]] = ("word", "statement", "p", "z")

    word: str
    mark: str
    statement: str
    now: int | None
    before: int | None
    difference: int | None
    percent: float | None
    rate: float | None
    rate_before: float | None
    z: float | None
    p: float | None
    dispersion: float
    days: float
    days_before: float
    reason: str


def verdict_words(p: ArrayLike, z: ArrayLike, *, strong: float = 0.01, mild: float = 0.05) -> np.ndarray:
    """The word for each row.

    Parameters
    ----------
    p : array_like
        Final two-sided p (widened and adjusted); NaN where the row cannot be compared.
    z : array_like
        Only its sign is used: positive is a rise.
    strong, mild : float
        Thresholds; a p equal to one is not below it.

    Returns
    -------
    ndarray of str
        One of ``VERDICTS``.

    Examples
    --------
    >>> verdict_words([0.003, 0.03, 0.03, 0.3, float("nan")], [3.0, 2.2, -2.2, -1.0, 1.0]).tolist()
    ['明显上升', '需关注', '有所下降', '正常波动', '无法比较']
    """
    p, z = np.broadcast_arrays(np.asarray(p, dtype=float), np.asarray(z, dtype=float))
    rise, fall = z > 0, z < 0
    return np.select(
        [np.isnan(p), rise & (p < strong), rise & (p < mild), fall & (p < strong), fall & (p < mild)],
        [NOT_COMPARABLE, CLEAR_RISE, RISE, CLEAR_FALL, FALL],
        NORMAL,
    )


def verdict(
    now: float | None,
    before: float | None,
    *,
    days: float = 7,
    days_before: float | None = None,
    dispersion: float = 1.0,
    p_adjusted: float | None = None,
    missing: str = "",
    immature: bool = False,
    partial: bool = False,
    strong: float = 0.01,
    mild: float = 0.05,
) -> Verdict:
    """What two counts say about a change: a word, a sentence, and the evidence.

    Parameters
    ----------
    now, before : int or None
        Events in the window and in the one compared with; None or NaN is 未报, which is not 0.
    days, days_before : float
        Lengths of the windows, above 0; ``days_before`` is ``days`` unless given.
    dispersion : float
        Overdispersion phi of past counts, at least 1; see :func:`dispersion`.
    p_adjusted : float, optional
        The final p of this row where several were judged at once (widened, then :func:`benjamini_hochberg` over all of
        them); without it the E-test's p, widened, is final.
    missing : {"", "now", "before", "both"}
        Windows of which too many reports are missing although something was counted (缺报).
    immature : bool
        The latest days of the current window are not all in yet (未齐).
    partial : bool
        The current window is not over.
    strong, mild : float
        Thresholds; a p equal to one is not below it.

    Returns
    -------
    Verdict
        Never a percent on a base of 0; 无法比较 with its ``reason`` where a window is missing, not all in or not over.

    Raises
    ------
    ValueError
        A negative or fractional count, a length not above 0, a dispersion below 1, a p outside 0 to 1.

    Notes
    -----
    The test is the two-sided E-test of the daily rates [Krishnamoorthy2004]_, widened by phi; never the known-mean
    :func:`poisson_z`, which between two single counts would flag one noise pair in six.

    Examples
    --------
    >>> verdict(12, 7).statement
    '本期12起，上期7起，增加5起（+71.4%），p=0.27，属正常波动'
    >>> verdict(3, 0).statement
    '上期为0，增加3起，p=0.09，属正常波动'
    >>> verdict(12, None).statement
    '上期未报，无法比较'
    """
    days_before = days if days_before is None else days_before
    dispersion = one_phi(dispersion)
    _check(days, days_before, p_adjusted, missing)
    now, before = _count(now), _count(before)
    test = poisson_e_test(_or_nan(now), days, _or_nan(before), days_before)
    reason = (
        _of_windows(now is None, before is None, "未报")
        or _of_windows(missing in ("now", "both"), missing in ("before", "both"), "缺报")
        or ("本期未结束" if partial else "本期未齐" if immature else "")
    )
    if reason:
        return Verdict(
            NOT_COMPARABLE, MARKS[NOT_COMPARABLE], f"{reason}，{NOT_COMPARABLE}", now, before,
            *[None] * 6, float(dispersion), days, days_before, reason,
        )  # fmt: skip
    z = float(test.z)
    p = float(widen(test.p, dispersion) if p_adjusted is None else p_adjusted)
    word = str(verdict_words(p, z, strong=strong, mild=mild))
    parts = [_difference_text(now, before)]
    if days != days_before:
        rates = f"{_number_text(now, days)}起对{_number_text(before, days_before)}起"
        parts.append(f"两期天数不同，按日均比（{rates}）")
    parts += [p_text(p, strong, mild), "属正常波动" if word == NORMAL else word]
    return Verdict(
        word, MARKS[word], "，".join(parts), now, before, now - before, (now - before) * 100 / before if before else None,
        now / days, before / days_before, z, p, float(dispersion), days, days_before, "",
    )  # fmt: skip


def percent_text(numerator: float, denominator: float, *, signed: bool = False, decimals: int = 1) -> str:
    """A share or a change in percent as reports print it: rounded half up, a trailing .0 dropped.

    Parameters
    ----------
    numerator, denominator : float
        The part and the whole; for a change the difference and its base.
    signed : bool
        With + or − (U+2212) before the figure.
    decimals : int

    Returns
    -------
    str
        — where the denominator is 0.

    Examples
    --------
    >>> percent_text(278, 869), percent_text(8043, 8134), percent_text(-159, 1028, signed=True), percent_text(3, 0)
    ('32%', '98.9%', '−15.5%', '—')
    """
    if denominator == 0:
        return NOTHING
    text = _rounded(Decimal(str(numerator)) * 100 / Decimal(str(denominator)), decimals)
    sign = "" if text.strip("-") == "0" else "−" if text.startswith("-") else "+" if signed else ""
    return f"{sign}{text.strip('-')}%"


def p_text(p: float, strong: float = 0.01, mild: float = 0.05) -> str:
    """A p-value with as few decimals, at least two, as keep it on its side of the thresholds and of 0 and 1.

    Parameters
    ----------
    p : float
        0 to 1.
    strong, mild : float
        Thresholds of :func:`verdict`.

    Returns
    -------
    str

    Examples
    --------
    >>> [p_text(p) for p in (0.266, 0.0084, 0.0496, 0.00002, 1.0)]
    ['p=0.27', 'p=0.008', 'p=0.0496', 'p<0.001', 'p=1']
    """
    if p < 0.001:
        return "p<0.001"
    if p > 0.9995:
        return "p=1"
    for decimals in range(2, 9):
        shown = round(p, decimals)
        if 0 < shown < 1 and all((shown < limit) == (p < limit) for limit in (strong, mild)):
            break
    return f"p={shown:.{decimals}f}"


def _difference_text(now: int, before: int) -> str:
    if before == 0:
        return f"上期为0，增加{now}起" if now else "两期均为0"
    difference = now - before
    change = f"增加{difference}起" if difference > 0 else f"减少{-difference}起"
    share = percent_text(difference, before, signed=True)
    return f"本期{now}起，上期{before}起，" + (f"{change}（{share}）" if difference else "持平")


def _number_text(count: int, days: float) -> str:
    """A daily average: one decimal as reports print it, two below 1."""
    rate = Decimal(count) / Decimal(str(days))
    return _rounded(rate, 1 if rate >= 1 else 2)


def _rounded(value: Decimal, decimals: int) -> str:
    text = f"{value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP):f}"
    return text.removesuffix("." + "0" * decimals)


def _of_windows(now: bool, before: bool, what: str) -> str:
    return f"两期均{what}" if now and before else f"本期{what}" if now else f"上期{what}" if before else ""


def _count(value: float | None) -> int | None:
    if value is None or pd.isna(value):
        return None
    if not isinstance(value, Real):
        raise ValueError(f"counts must be numbers, found {value!r}")
    if not (value >= 0 and float(value).is_integer()):
        raise ValueError(f"counts must be whole numbers not below 0, found {value}")
    return int(value)


def _or_nan(value: int | None) -> float:
    return float("nan") if value is None else float(value)


def _check(days, days_before, p_adjusted, missing) -> None:
    if not (days > 0 and days_before > 0):
        raise ValueError(f"days are {days} and {days_before}, expected above 0")
    if p_adjusted is not None and not 0 <= p_adjusted <= 1:
        raise ValueError(f"p_adjusted is {p_adjusted}, expected 0 to 1")
    if missing not in ("", "now", "before", "both"):
        raise ValueError(f"missing is {missing!r}, expected '', 'now', 'before' or 'both'")
