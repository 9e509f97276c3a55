"""Change over time: which windows are compared, whether a difference is more than chance, and in which words."""

from geo.change.calendar import Window, a_year_before, calendar_unit, next_month, preceding, previous_month
from geo.change.control import ControlBand, control_band
from geo.change.counts import EXACT_BELOW, RateTest, poisson_e_test, poisson_z, score_z
from geo.change.drift import Drift, cusum_run_length, slow_drift
from geo.change.maturity import (
    Delay,
    MatureCounts,
    equal_maturity_counts,
    immature_from,
    maturity_cutoffs,
    reporting_delay,
)
from geo.change.overdispersion import MIN_PERIODS, Dispersion, benjamini_hochberg, dispersion, one_phi, widen
from geo.change.season import SeasonalTrend, seasonal_trend
from geo.change.verdicts import (
    CLEAR_FALL,
    CLEAR_RISE,
    FALL,
    MARKS,
    NORMAL,
    NOT_COMPARABLE,
    RISE,
    VERDICTS,
    Verdict,
    p_text,
    percent_text,
    verdict,
    verdict_words,
)
from geo.change.windows import KINDS, PERIODS, Comparison, comparison_window, window_of

__all__ = [
    "CLEAR_FALL",
    "CLEAR_RISE",
    "EXACT_BELOW",
    "FALL",
    "KINDS",
    "MARKS",
    "MIN_PERIODS",
    "NORMAL",
    "NOT_COMPARABLE",
    "PERIODS",
    "RISE",
    "VERDICTS",
    "Comparison",
    "ControlBand",
    "Delay",
    "Dispersion",
    "Drift",
    "MatureCounts",
    "RateTest",
    "SeasonalTrend",
    "Verdict",
    "Window",
    "a_year_before",
    "benjamini_hochberg",
    "calendar_unit",
    "comparison_window",
    "control_band",
    "cusum_run_length",
    "dispersion",
    "equal_maturity_counts",
    "immature_from",
    "maturity_cutoffs",
    "next_month",
    "one_phi",
    "p_text",
    "percent_text",
    "poisson_e_test",
    "poisson_z",
    "preceding",
    "previous_month",
    "reporting_delay",
    "score_z",
    "seasonal_trend",
    "slow_drift",
    "verdict",
    "verdict_words",
    "widen",
    "window_of",
]
