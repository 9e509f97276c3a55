"""Verdicts: the six words, the sentences, and the arithmetic of published reports."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.change import (
    MARKS,
    NOT_COMPARABLE,
    VERDICTS,
    benjamini_hochberg,
    p_text,
    percent_text,
    poisson_e_test,
    poisson_z,
    verdict,
    widen,
)

# 安康, week 2017-01-09 to 15: 刑事 治安 交通 火灾 … as published, then 无效.
BEFORE, NOW = (62, 242, 0, 465, 3, 392, 3, 1003), (70, 272, 0, 458, 11, 423, 3, 1329)
INVALID_BEFORE, INVALID_NOW = 7912, 8467
# 黄石, August 2016: 矛盾纠纷 by type, and the shares the report prints.
TYPES = (160, 278, 67, 44, 31, 76, 18, 28, 4, 13, 7, 55, 33, 1, 54)
SHARES = ("18.4", "32", "7.7", "5.1", "3.6", "8.7", "2.1", "3.2", "0.5", "1.5", "0.8", "6.3", "3.8", "0.1", "6.2")


def test_weekly_report_of_ankang():
    assert (sum(BEFORE), sum(NOW), sum(NOW) + INVALID_NOW) == (2170, 2566, 11033)
    assert percent_text(sum(NOW), sum(NOW) + INVALID_NOW) == "23.3%"
    assert percent_text(sum(NOW) - sum(BEFORE), sum(BEFORE), signed=True) == "+18.2%"
    crime, order = verdict(70, 62), verdict(272, 242)
    assert crime.statement == "本期70起，上期62起，增加8起（+12.9%），p=0.49，属正常波动"  # the report printed 13.9
    assert (crime.difference, round(crime.percent, 1), round(order.percent, 1)) == (8, 12.9, 12.4)
    assert "+12.4%" in order.statement
    assert (crime.rate, round(order.rate, 1)) == (10, 38.9)
    assert (percent_text(57, 70), percent_text(9, 70)) == ("81.4%", "12.9%")
    assert verdict(3, 3).statement == "本期3起，上期3起，持平，p=0.998，属正常波动"
    assert verdict(0, 0).statement == "两期均为0，p=1，属正常波动"


def test_monthly_report_of_huangshi_and_wuwei():
    assert sum(TYPES) == 869
    assert [percent_text(n, 869) for n in TYPES] == [f"{share}%" for share in SHARES]
    assert percent_text(842, 869) == "96.9%"
    assert percent_text(869 - 1028, 1028, signed=True) == "−15.5%"
    assert percent_text(869 - 840, 840, signed=True) == "+3.5%"
    assert percent_text(8043, 8134) == "98.9%"
    found = verdict(869, 1028, days=31)
    assert found.statement == "本期869起，上期1028起，减少159起（−15.5%），p<0.001，明显下降"
    assert (found.word, found.mark) == ("明显下降", "▼")
    assert "增加29起（+3.5%）" in verdict(869, 840, days=31).statement


@pytest.mark.parametrize(
    ("numerator", "denominator", "signed", "text"),
    [
        (1, 16, False, "6.3%"),  # 6.25: half up, as reports round, not to the even figure
        (1, 3, False, "33.3%"),
        (5, 5, True, "+100%"),
        (-1, 3000, True, "0%"),
        (0, 7, True, "0%"),
        (3, 0, True, "—"),
    ],
)
def test_percent_text(numerator, denominator, signed, text):
    assert percent_text(numerator, denominator, signed=signed) == text


def test_percent_text_with_other_decimals():
    assert percent_text(1, 3, decimals=2) == "33.33%"
    assert percent_text(1, 2, decimals=2) == "50%"
    assert percent_text(1, 3, decimals=0) == "33%"


def test_zero_base_has_no_percent():
    found = verdict(3, 0)
    assert found.statement == "上期为0，增加3起，p=0.09，属正常波动"
    assert (found.percent, found.difference, found.word) == (None, 3, "正常波动")
    assert verdict(15, 0).statement == "上期为0，增加15起，p<0.001，明显上升"
    assert verdict(0, 5).percent == -100


@pytest.mark.parametrize(
    ("now", "before", "options", "statement"),
    [
        (12, None, {}, "上期未报，无法比较"),
        (12, float("nan"), {}, "上期未报，无法比较"),
        (None, 7, {}, "本期未报，无法比较"),
        (None, None, {}, "两期均未报，无法比较"),
        (12, 7, {"missing": "before"}, "上期缺报，无法比较"),
        (12, 7, {"missing": "both"}, "两期均缺报，无法比较"),
        (12, 7, {"immature": True}, "本期未齐，无法比较"),
        (12, 7, {"partial": True}, "本期未结束，无法比较"),
        (12, None, {"partial": True, "immature": True}, "上期未报，无法比较"),
    ],
)
def test_what_cannot_be_compared_says_why_and_nothing_else(now, before, options, statement):
    found = verdict(now, before, **options)
    assert (found.word, found.mark, found.statement) == (NOT_COMPARABLE, MARKS[NOT_COMPARABLE], statement)
    assert found.statement == f"{found.reason}，无法比较"
    assert [found.difference, found.percent, found.rate, found.rate_before, found.z, found.p] == [None] * 6


def test_zero_is_not_missing():
    assert verdict(0, 12).word == "明显下降"
    assert verdict(0, None).now == 0


def test_unequal_lengths_are_compared_by_the_day():
    found = verdict(30, 28, days=31, days_before=28)
    assert (
        found.statement
        == "本期30起，上期28起，增加2起（+7.1%），两期天数不同，按日均比（0.97起对1起），p=0.90，属正常波动"
    )
    assert found.z < 0 < found.difference  # more events, fewer a day
    assert found.p == poisson_e_test(30, 31, 28, 28).p
    assert verdict(124, 28, days=31, days_before=28).word == "明显上升"
    assert "（4起对1起）" in verdict(124, 28, days=31, days_before=28).statement


def test_dispersion_and_adjustment_decide_the_word():
    assert verdict(30, 10).word == "明显上升"
    assert verdict(30, 10, dispersion=2.0).word == "需关注"
    wide = verdict(30, 10, dispersion=6.0)
    assert (wide.word, wide.p) == ("正常波动", widen(poisson_e_test(30, 7, 10, 7).p, 6.0))
    assert wide.z == verdict(30, 10).z  # z is not widened
    assert verdict(30, 10, p_adjusted=0.049).word == "需关注"
    assert verdict(10, 30, p_adjusted=0.049).word == "有所下降"
    assert verdict(30, 10, p_adjusted=0.05).word == "正常波动"
    assert verdict(30, 10, strong=1e-9, mild=1e-8).word == "正常波动"


def test_two_single_counts_are_never_judged_by_the_known_mean_z():
    assert abs(poisson_z(16, 7)) > 1.96
    assert verdict(16, 7).word == "正常波动"


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.266, "p=0.27"), (0.0496, "p=0.0496"), (0.0504, "p=0.05"), (0.0084, "p=0.008"), (0.00996, "p=0.00996"),
     (0.0099999, "p=0.0099999"), (0.9996, "p=1"), (0.997, "p=0.997"), (0.0009, "p<0.001"), (0.0, "p<0.001")],
)  # fmt: skip
def test_a_rounded_p_stays_on_its_side_of_the_thresholds(p, text):
    assert p_text(p) == text


@pytest.mark.parametrize(
    ("arguments", "options", "fault"),
    [
        ((-1, 7), {}, "whole numbers"),
        ((1.5, 7), {}, "whole numbers"),
        ((float("inf"), 7), {}, "whole numbers"),
        ((1, 7), {"days": 0}, "days are 0"),
        ((1, 7), {"days_before": -7}, "expected above 0"),
        ((1, 7), {"dispersion": 0.5}, "dispersion is 0.5"),
        ((1, 7), {"dispersion": float("nan")}, "dispersion is nan"),
        ((1, 7), {"p_adjusted": 1.5}, "p_adjusted is 1.5"),
        ((1, 7), {"missing": "yes"}, "missing is 'yes'"),
    ],
)
def test_impossible_input_is_refused(arguments, options, fault):
    with pytest.raises(ValueError, match=fault):
        verdict(*arguments, **options)


@given(st.integers(0, 3000), st.integers(0, 3000), st.floats(1, 5))
def test_word_sentence_and_evidence_agree(now, before, phi):
    found = verdict(now, before, dispersion=phi)
    word, statement, p, z = found
    assert word in VERDICTS and found.mark == MARKS[word]
    assert statement.endswith("属正常波动" if word == "正常波动" else word)
    assert (word in ("明显上升", "需关注")) == (p < 0.05 and now > before)
    assert (word in ("明显下降", "有所下降")) == (p < 0.05 and now < before)
    assert (found.percent is None) == (before == 0)
    assert ("%" in statement) == (before > 0 and now != before)
    back = verdict(before, now, dispersion=phi)
    assert (back.z, back.difference) == (-z, -found.difference)
    assert back.p == pytest.approx(p, abs=1e-10)


@pytest.mark.parametrize("mean", [0.2, 2, 20])
def test_false_alarms_of_verdicts_on_noise(mean):
    rng, rows = np.random.default_rng(41), 2000
    words = [verdict(now, before).word for now, before in rng.poisson(mean, (rows, 2)).tolist()]
    flagged = sum(word != "正常波动" for word in words) / rows
    assert flagged <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / rows)
    strong = sum(word in ("明显上升", "明显下降") for word in words) / rows
    assert strong <= 0.01 + 2 * np.sqrt(0.01 * 0.99 / rows)


def test_rows_judged_at_once_hand_in_their_adjusted_p():
    now, before = np.array([33, 12, 9, 8]), np.array([12, 9, 10, 8])
    p = benjamini_hochberg(widen(poisson_e_test(now, 7, before, 7).p, 1.2))
    rows = [verdict(*pair, dispersion=1.2, p_adjusted=q) for *pair, q in zip(now, before, p, strict=True)]
    assert [row.p for row in rows] == p.tolist()
    assert rows[0].word == "需关注"  # by itself 明显上升
    assert verdict(33, 12, dispersion=1.2).word == "明显上升"
