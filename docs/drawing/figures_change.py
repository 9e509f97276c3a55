"""Figures of geo.change and of rates."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
from canvas import ACCENT, BAD, COUNT, GOOD, LINE, QUIET, areas, key, land, outline, ruler, sheet
from releases import City

from geo.autocorrelation.rates import empirical_bayes_rate, funnel_limits
from geo.change import (
    benjamini_hochberg,
    comparison_window,
    control_band,
    dispersion,
    poisson_e_test,
    reporting_delay,
    seasonal_trend,
    slow_drift,
    verdict,
    verdict_words,
    widen,
)

_VERDICTS = {"明显上升": BAD, "需关注": "#D98C3B", "正常波动": "#EDEEEC", "有所下降": "#B4D2E7", "明显下降": "#1C5C92"}


def e_test(philadelphia: City, demo: City):
    """Break-ins at businesses in the week of the unrest of June 2020: percent change beside the verdicts."""
    kind = "Burglary Non-Residential"
    edges = pd.date_range("2020-01-06", "2020-06-08", freq="7D")
    cube = philadelphia.cube(edges, kind)
    now, before = cube[:, -1], cube[:, -2]
    phi = dispersion(cube[:, :-2], np.full(len(edges) - 3, 7.0), pooled=True).phi
    test = poisson_e_test(now, 7, before, 7)
    words = verdict_words(benjamini_hochberg(widen(test.p, phi)), test.z)
    loud = (before > 0) & (np.abs(now - before) >= 0.5 * before)
    none = before == 0
    figure, (left, right) = sheet(2)
    shapes = philadelphia.grids.geometry.values
    land(left, title="只看百分比：涨跌 50% 以上")
    shown = np.select([none, loud & (now > before), loud], ["#C9CED4", "#D98C3B", "#5B9ACA"], "#EDEEEC")
    areas(left, shapes, colours=list(shown))
    key(left, {"涨": "#D98C3B", "跌": "#5B9ACA", "上期为0": "#C9CED4"})
    land(right, title="经检验的结论")
    areas(right, shapes, colours=[_VERDICTS[word] for word in words])
    for axis in (left, right):
        outline(axis, philadelphia.outline)
    key(right, _VERDICTS)
    return figure, (
        f"费城 408 个普查区，商铺入室盗窃：2020-06-01 一周 {now.sum():,} 起，上周 {before.sum():,} 起（骚乱自 5 月 30 日起）；"
        f"上期为 0 的 {none.sum()} 个区没有百分数；其余涨跌过半的有 {loud.sum()} 个，检验（φ={phi[0]:.2f}，整层 BH）认定有变化的全层"
        f" {np.isin(words, list(_VERDICTS)[:2] + list(_VERDICTS)[3:]).sum()} 个。全市合计 p={poisson_e_test(now.sum(), 7, before.sum(), 7).p:.0e}："
        "变化是真的，只是一个区一个区的件数太少，指不出是哪几个区。"
    )


def band(philadelphia: City, demo: City):
    """A street of the demo city with its spike."""
    edges = pd.date_range("2025-11-17", "2026-11-17", freq="7D")
    events = demo.events(str(edges[0]), str(edges[-1]))
    events = events[events["category"] == "交通"]
    week = np.searchsorted(edges, events["occurred_from"], side="right") - 1
    street = events["grid_code"].str[:9]
    table = pd.crosstab(street, week).reindex(columns=range(len(edges) - 1), fill_value=0)
    place = (table.iloc[:, -1] - table.iloc[:, -9:-1].mean(axis=1)).idxmax()
    series = table.loc[place].to_numpy()
    phi = float(dispersion(table.to_numpy()[:, :-9], np.full(table.shape[1] - 9, 7.0), pooled=True).phi[0])
    found = control_band(series, dispersion=phi)
    figure, axis = sheet(height=2.8)
    at = np.arange(len(series))
    axis.fill_between(at, found.lower, found.upper, color="#CFE3F0", label="控制带（此前 8 周）", linewidth=0)
    axis.plot(at, found.centre, color=ACCENT, linewidth=1)
    axis.plot(at, series, color=QUIET, marker="o", markersize=3, linewidth=1)
    axis.plot(at[found.outside], series[found.outside], "o", color=BAD, label="越出")
    axis.set_xticks(at[::8], [f"{edges[i]:%m-%d}" for i in at[::8]])
    axis.set(title=f"街道 {place[-3:]}：每周交通警情", ylabel="起/周")
    axis.legend(loc="upper left")
    return figure, (
        f"演示市（合成）一个街道的交通警情，52 周，φ={phi:.2f}；根号尺度上 ±{found.limit:g}√(1+1/8)；最后一周 {series[-1]} 起，此前八周中心 {found.centre[-1]:.1f} 起，"
        f"z={found.z[-1]:.1f}（种下的一周五倍）。"
    )


def drift(philadelphia: City, demo: City):
    """Car thefts of Philadelphia creeping away from their level."""
    edges = pd.date_range("2023-10-02", "2025-12-29", freq="7D")
    series = philadelphia.cube(edges, "Motor Vehicle Theft").sum(axis=0)
    phi = max(1.0, float(dispersion(series[None, :52], np.full(52, 7.0), pooled=True).phi[0]))
    found = slow_drift(series, dispersion=phi)
    figure, (top, below) = sheet(2, height=2.8)
    at = np.arange(len(series))
    top.plot(at, series, color=QUIET)
    top.axhline(found.mean, color=ACCENT, linewidth=1, label=f"前 52 周均值 {found.mean:.0f}")
    top.set(title="机动车被盗（起/周）", xlabel="周")
    top.legend()
    below.plot(at, found.up, color=BAD, label="向上累积")
    below.plot(at, found.down, color=GOOD, label="向下累积")
    below.axhline(found.limit_down, color=LINE)
    below.set(title="累积和（CUSUM；灰线是界限）", xlabel="周")
    below.legend()
    signals = [(found.rise_since, "上升"), (found.fall_since, "下降")]
    told = [f"{word}约自 {edges[week]:%Y-%m-%d} 那一周起" for week, word in signals if week is not None]
    crossed = np.flatnonzero(found.rise | found.fall)
    return figure, (
        f"费城，机动车被盗，{edges[0]:%Y-%m-%d} 起 {len(series)} 周；φ={phi:.2f}，对 {found.change_pct:g}% 的变化最灵，误报平均每"
        f" {min(found.run_length_up, found.run_length_down):,.0f} 周一次；"
        + (f"{'、'.join(told)}，{edges[crossed[0]]:%Y-%m-%d} 那一周越线。" if told else "没有信号。")
    )


def season(philadelphia: City, demo: City):
    """Robust STL of six years of theft from vehicles by month."""
    months = pd.date_range("2020-01-01", "2026-01-01", freq="MS")
    series = philadelphia.cube(months, "Theft from Vehicle").sum(axis=0)
    found = seasonal_trend(series, period=12)
    figure, axis = sheet(height=2.8)
    at = np.arange(len(series))
    axis.plot(at, series, color=QUIET, linewidth=1, label="每月")
    axis.plot(at, found.trend, color=ACCENT, linewidth=2, label="趋势")
    axis.set_xticks(at[::12], [f"{m:%Y}" for m in months[:-1:12]])
    axis.set(title="车内盗窃：稳健 STL", ylabel="起/月")
    axis.legend()
    return (
        figure,
        f"费城，车内盗窃，2020-01 至 2025-12 共 {len(series)} 个月，周期 12；扣除的季节高低相差 {np.ptp(found.season[-12:]):,.0f} 起；离群月份降权。",
    )


def windows(philadelphia: City, demo: City):
    """Which days each kind compares for one week around 春节."""
    week = (date(2026, 2, 16), date(2026, 2, 23))
    feasts = {2025: date(2025, 1, 29), 2026: date(2026, 2, 17)}
    rows = [(name, comparison_window(week, kind, spring_festivals=feasts if kind == "spring_festival" else None)) for name, kind in (
        ("上期", "previous"), ("去年同周", "last_year"), ("年初至今", "year_to_date"), ("春节对齐", "spring_festival"),
    )]  # fmt: skip
    figure, axis = sheet(height=2.4)
    for i, (_, found) in enumerate(rows):
        for (start, end), colour in ((found.before, "#97C3DF"), (found.now, ACCENT)):
            axis.barh(i, (end - start).days, left=start.toordinal(), color=colour, height=0.55)
    for feast in feasts.values():
        axis.axvline(feast.toordinal(), color=BAD, linewidth=1)
    ticks = pd.date_range("2024-12-01", "2026-03-01", freq="2MS")
    axis.set_xticks([t.toordinal() for t in ticks], [f"{t:%Y-%m}" for t in ticks])
    axis.set_yticks(range(len(rows)), [name for name, _ in rows])
    axis.invert_yaxis()
    axis.set_title("2026-02-16 这一周与哪些天比（红线：春节）")
    aligned = rows[-1][1]
    return figure, f"春节对齐：{aligned.before[0]}—{aligned.before[1]}（不含末日）；{aligned.note}"


def maturity(philadelphia: City, demo: City):
    """How long until the demo city's police calls are recorded."""
    import pyogrio

    frame = pyogrio.read_dataframe(
        demo.gpkg, layer="incident", columns=["occurred_from", "recorded_at", "source_id"], read_geometry=False
    )
    frame = frame[frame["source_id"] == "jq110"]
    as_of = frame["recorded_at"].max().to_pydatetime()
    found = reporting_delay(frame["occurred_from"], frame["recorded_at"], as_of)
    hours = (frame["recorded_at"] - frame["occurred_from"]).dt.total_seconds() / 3600
    figure, axis = sheet(height=2.4)
    axis.hist(hours.clip(upper=72), bins=72, color="#97C3DF")
    axis.axvline(found.days * 24, color=BAD, label=f"95%：{found.days * 24:.1f} 小时")
    axis.set(xlabel="发生到登记（小时，72 以上并入末格）", ylabel="起", title="登记延迟")
    axis.legend()
    return figure, (
        f"演示市（合成）110 警情 {len(frame):,} 起，{found.too_young:,} 起不满 {found.horizon_days:g} 天不用，{found.events:,} 起用来估计；95% 在 {found.days * 24:.1f} 小时内登记，"
        "比它更新的日子标“未齐”，不作判断。"
    )


def statement(philadelphia: City, demo: City):
    """Sentences of the verdict."""
    cases = [
        verdict(12, 7), verdict(21, 7), verdict(70, 62), verdict(3, 0), verdict(4, 9), verdict(30, 62),
        verdict(5, None, missing="before"), verdict(9, 12, immature=True),
    ]  # fmt: skip
    figure, axis = sheet(height=2.6)
    axis.set_axis_off()
    colours = {"▲": BAD, "◆": "#9A6200", "▼": GOOD, "▽": GOOD}
    for i, found in enumerate(cases):
        axis.text(0, 1 - i / 8, found.mark, color=colours.get(found.mark, QUIET), va="top", weight="bold")
        axis.text(0.05, 1 - i / 8, found.statement, va="top")
    return figure, "两期各七天、泊松（φ=1）时的句子；上期为 0 不写百分数，未报与未齐不比。"


def rates(philadelphia: City, demo: City):
    """Raw and shrunk rates of burglaries per resident."""
    base = philadelphia.grids["population"].to_numpy(float)
    events = philadelphia.counted(philadelphia.events("2025-01-01", "2026-01-01", "Burglary Residential"))
    found = empirical_bayes_rate(events, base)
    figure, (left, right) = sheet(2)
    shapes = philadelphia.grids.geometry.values
    limits = (0, float(np.nanquantile(found.rate, 0.98)) * 1000)
    for axis, values, title in ((left, found.rate, "每千人，原始"), (right, found.eb, "每千人，经验贝叶斯")):
        land(axis, title=title)
        drawn = areas(axis, shapes, values=np.where(base > 0, values, np.nan) * 1000, cmap=COUNT, limits=limits)
        outline(axis, philadelphia.outline)
    ruler(figure, drawn, [left, right], "起/千人·年")
    return figure, (
        f"费城，2025 年入室盗窃 {events.sum():,} 起；总率 {found.mean * 1000:.2f}‰，区与区之间的方差 {found.variance:.2e}；"
        f"无人口的 {int(np.sum(~(base > 0)))} 个区不算率。"
    )


def funnel(philadelphia: City, demo: City):
    """The same rates against their base."""
    base = philadelphia.grids["population"].to_numpy(float)
    events = philadelphia.counted(philadelphia.events("2025-10-01", "2026-01-01", "Burglary Residential"))
    edges = pd.date_range("2020-01-01", "2025-10-01", freq="QS")
    past = philadelphia.cube(edges, "Burglary Residential")
    phi = dispersion(past, np.diff(edges).astype("timedelta64[D]").astype(float), pooled=True)
    found = funnel_limits(events, base, dispersion=phi)
    order = np.argsort(base)
    order = order[base[order] > 0]
    figure, axis = sheet(height=3.0)
    axis.plot(base[order], found.high_998[order] * 1000, color=LINE)
    axis.plot(base[order], found.low_998[order] * 1000, color=LINE, label="99.8%")
    axis.plot(base[order], found.high_95[order] * 1000, color=ACCENT, linewidth=0.8)
    axis.plot(base[order], found.low_95[order] * 1000, color=ACCENT, linewidth=0.8, label="95%")
    flagged = np.asarray(found.q) <= 0.05
    axis.scatter(
        base, found.rate * 1000, s=np.where(flagged, 22, 6), c=np.where(flagged, BAD, QUIET), linewidths=0, zorder=3
    )
    axis.set(xlabel="常住人口", ylabel="起/千人", title="漏斗图", ylim=(0, float(np.nanmax(found.rate)) * 1050))
    axis.legend()
    return figure, (
        f"费城，2025 年四季度入室盗窃 {events.sum():,} 起；φ={phi.phi[0]:.2f}（此前 {len(edges) - 1} 个季度合并）；"
        f"q≤0.05 的 {int(flagged.sum())} 个区（红）。漏斗之内的高低不能与偶然区分。"
    )


FIGURES = {
    "e_test": e_test, "statement": statement, "band": band, "drift": drift, "season": season, "windows": windows,
    "maturity": maturity, "rates": rates, "funnel": funnel,
}  # fmt: skip
