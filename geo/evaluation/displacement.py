"""What an action changed, against places left alone, events that moved to the ring counted in."""

from __future__ import annotations

from dataclasses import dataclass
from math import erfc, sqrt
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from geo.change import one_phi
from geo.result import Result

FEW = 10.0  # events expected after, by the before count, under which the normal tail is not trusted on its own
NO_CONTROL = "无对照，不作结论"


@dataclass(frozen=True, eq=False)
class WeightedDisplacement(Result):
    """Weighted displacement difference.

    Attributes
    ----------
    estimate : float
        Events the action changed, ring included, over the after period; negative is fewer.
    se, z : float
        Its standard error, and ``estimate / se``. ``z`` is NaN without a control or without any event.
    p : float
        Two-sided; NaN without a control, 1 without any event. From ``z``; where the treated place and its ring lead one
        to expect under ``FEW`` events, from the larger of ``se`` and the standard error were nothing changed.
    low, high : float
        95 % limits of the estimate by ``se``; NaN without a control.
    ratio : float
        r = after days / before days, by which each before count is multiplied.
    control_weight, dispersion : float
        As given.
    expected : float
        Events of the treated place and its ring expected after, from before: r x before.
    note : str
        What the user must know, "" for nothing.
    """

    unpacks: ClassVar[tuple[str, ...]] = ("estimate", "se", "z")

    estimate: float
    se: float
    z: float
    p: float
    low: float
    high: float
    ratio: float
    control_weight: float
    dispersion: float
    expected: float
    note: str


def weighted_displacement_difference(
    control: ArrayLike | None,
    treated: ArrayLike,
    displaced_control: ArrayLike | None,
    displaced_treated: ArrayLike | None,
    *,
    exposure: tuple[float, float] = (1, 1),
    control_weight: float = 1.0,
    dispersion: float = 1.0,
) -> WeightedDisplacement:
    """Change of the treated place and its ring less that of the controls and theirs [Wheeler2018]_.

    Parameters
    ----------
    control, treated : (before, after)
        Events of the control places together, and of the treated place. Without a control (None) nothing is concluded.
    displaced_control, displaced_treated : (before, after) or None
        Events of their rings, where events may have moved to; None for no ring.
    exposure : (before days, after days)
        Lengths of the two periods, above 0.
    control_weight : float
        1 / m for m control places summed.
    dispersion : float
        Variance to mean of the counts, 1 or more (see :func:`geo.change.dispersion`); widens ``se``.

    Returns
    -------
    WeightedDisplacement
        Unpacks as ``estimate, se, z``.

    Raises
    ------
    ValueError
        Negative or missing counts, something that is not a pair, exposure or weight not above 0, dispersion below 1.

    Notes
    -----
    With d = after - r before of the treated place T, its ring TD, the controls C and theirs CD, and w = 1 / m:

    .. math:: estimate = (d_T + d_{TD}) - w (d_C + d_{CD}), \\quad se^2 = \\phi \\sum weight^2 (after + r^2 before)

    The before period must leave out the window in which the places were flagged: hotspots fall of themselves
    afterwards (regression to the mean). Measured on Poisson noise with five controls, abs(z) > 1.96 comes up in 5 to
    6 % of cases from 10 expected events on; below, a short after period beside a long before period gives up to 15 %,
    nearly all on the side of a fall, which is why ``p`` then uses the larger standard error, r (before + after) in
    place of after + r^2 before, and says so.

    Examples
    --------
    >>> estimate, se, z = weighted_displacement_difference((308, 318), (207, 110), (150, 140), (178, 157))
    >>> estimate, round(se**2), round(z, 2)
    (-118.0, 1568, -2.98)
    >>> weighted_displacement_difference(None, (40, 20), None, None).note
    '无对照，不作结论'
    """
    days_before, days_after = (float(v) for v in exposure)
    if not (np.isfinite([days_before, days_after]).all() and min(days_before, days_after) > 0):
        raise ValueError(f"exposure is {exposure}, expected (before days, after days) above 0")
    if not (np.isfinite(control_weight) and control_weight > 0):
        raise ValueError(f"control_weight is {control_weight}, expected 1 / number of control places")
    dispersion = one_phi(dispersion)
    if control is None and displaced_control is not None:
        raise ValueError("displaced_control is given without control, expected both or neither")
    r = days_after / days_before
    ours = _pair(treated, "treated") + _pair(displaced_treated, "displaced_treated")
    theirs = _pair(control, "control") + _pair(displaced_control, "displaced_control")
    weight = np.array([1.0, control_weight])
    before, after = np.array([ours, theirs]).T
    estimate = float((after - r * before) @ (weight * [1, -1]))
    se = sqrt(dispersion * float(weight**2 @ (after + r * r * before)))
    unchanged = sqrt(dispersion * float(weight**2 @ (r * (before + after))))
    expected = float(r * before[0])
    z = p = low = high = float("nan")
    note = NO_CONTROL
    if control is not None:
        few = expected < FEW
        z, p, note = _judged(estimate, se, max(se, unchanged) if few else se, few)
        low, high = estimate - 1.959963984540054 * se, estimate + 1.959963984540054 * se
    return WeightedDisplacement(
        estimate, se, z, p, low, high, r, float(control_weight), float(dispersion), expected, note
    )  # fmt: skip


def _judged(estimate: float, se: float, wide: float, few: bool) -> tuple[float, float, str]:
    if se == 0:
        return float("nan"), 1.0, "没有事件，不作结论"
    return (
        estimate / se,
        erfc(abs(estimate) / wide / sqrt(2)),
        "件数过少（折算不足10件），按较宽的标准误判断" if few else "",
    )


def _pair(counts: ArrayLike | None, name: str) -> np.ndarray:
    if counts is None and name != "treated":
        return np.zeros(2)
    pair = np.asarray(counts, dtype=float)
    if pair.shape != (2,) or not (np.isfinite(pair) & (pair >= 0)).all():
        raise ValueError(f"{name} is {counts}, expected (before, after) events of 0 or more")
    return pair
