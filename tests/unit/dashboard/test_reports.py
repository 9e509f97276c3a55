"""The 碰头会 pack: published arithmetic comes out exactly, every number is recounted, a falsified one is refused, small cells stay
hidden, a pack is made again with the same figures, a crash leaves no half file.
"""

import io
import json
import os
import re
import zipfile
from dataclasses import replace
from datetime import date, datetime, timedelta

import camera_release
import numpy as np
import pandas as pd
import pytest
import small_release as small
from hypothesis import example, given
from hypothesis import strategies as st

from dashboard.pictures import FontMissing, lettering
from dashboard.reports import making
from dashboard.reports.asked import period_text
from dashboard.reports.checking import check_arithmetic, check_counts, check_file, texts_of
from dashboard.reports.disagrees import PackDisagrees
from dashboard.reports.making import FORMS, make_files, pack_of, write_form
from dashboard.reports.model import SECTIONS, Cell, Fact, Finding, Pack, Section, Table
from dashboard.reports.pack import make_pack
from dashboard.reports.question import Question, as_rows
from dashboard.reports.schedule import due_periods
from dashboard.reports.suppress import suppressed
from dashboard.reports.wording import change_words, percent_change
from dashboard.settings_file import ReportTable
from data.app_db import AppDb, ledger
from data.selection import parse_period
from data.store import Scope
from data.store.changes import Change
from geo.change import NORMAL, RISE

ALL = Scope.everything()
MONDAY = date(2026, 11, 16)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A release with everything a pack tells."""
    week = {
        "period_start": date(2026, 11, 9),
        "period_end": MONDAY,
        "source_id": "jf",
        "channel": None,
        "closed_level": None,
    }
    streets = sorted(small.grids()["street_code"].unique())
    stat = [{**week, "area_code": code, "category": None, "found": 40 + i, "accepted": 38, "handled": 36, "succeeded": 33, "open": 4, "overdue": i}
            for i, code in enumerate(streets)]  # fmt: skip
    sheet = small.weekly_sheet({(streets[0], 96): "missing", (streets[1], 96): "zero"})
    return small.publish(tmp_path_factory.mktemp("releases"), small.incidents(12_000).assign(recorded_at=pd.NaT), sheet=sheet,
                         dispute_stat=pd.DataFrame(stat), **camera_release.layers(camera_release.cameras()))  # fmt: skip


@pytest.fixture(scope="module")
def question(folder):
    rows = as_rows([])
    return Question(folder.name, "2026-W46", "", MONDAY, rows)


@pytest.fixture(scope="module")
def pack(folder, question):
    with small.opened(folder.parent) as release:
        return pack_of(making.asked_of(release, ALL, question), question)


def section(pack, key):
    return next(one for one in pack.sections if one.key == key)


def block(pack, key, start):
    return next(one for one in section(pack, key).blocks if one.title.startswith(start))


# --- published arithmetic (domain.md 3.3) -------------------------------------------------------------------------------

ANKANG = {
    "刑事": (62, 70),
    "治安": (242, 272),
    "交通": (465, 458),
    "火灾": (3, 11),
    "求助": (392, 423),
    "其他": (1006, 1332),
    "无效": (7912, 8467),
}


def test_the_week_of_ankang_is_printed_right(tmp_path):
    """The published report printed 13.9 % for 刑事; 70 beside 62 is 12.9 %."""
    rows = [
        {"incident_id": f"{name}{which}{i}", "category": name, "source_id": "jq", "location_quality": "none",
         "occurred_from": datetime(2017, 1, 2) + timedelta(days=7 * which, seconds=7 * 86_400 * i // n)}
        for name, counts in ANKANG.items() for which, n in enumerate(counts) for i in range(n)
    ]  # fmt: skip
    rows.append({**rows[0], "incident_id": "first", "category": "无效", "occurred_from": datetime(2016, 1, 1)})
    frame = pd.DataFrame(rows).assign(occurred_to=pd.NaT)
    stated = small.info(data_as_of="2017-01-16T00:00:00", sources=small.info().sources[:1])
    folder = small.publish(tmp_path, frame, stated=stated)
    question = Question(folder.name, "2017-W02", "", date(2017, 1, 16))
    with small.opened(tmp_path) as release:
        told = pack_of(making.asked_of(release, ALL, question), question)
    table = {row[0].text: [cell.text for cell in row[1:]] for row in block(told, "overall", "各类").rows}
    assert table["刑事"][:3] == ["70", "62", "+8（+12.9%）"] and table["刑事"][4] == "10.0"
    assert table["治安"][:3] == ["272", "242", "+30（+12.4%）"] and table["治安"][4] == "38.9"
    assert table["合计"][:3] == ["2,566", "2,170", "+396（+18.2%）"]
    assert "较上周+396起（+18.2%）" in section(told, "overall").findings[0].text


def test_a_week_nobody_reported_is_said_to_be_missing(tmp_path):
    folder = small.publish(tmp_path, small.incidents(200))
    question = Question(folder.name, "2020-W10", "", MONDAY)
    with small.opened(tmp_path) as release:
        told = pack_of(making.asked_of(release, ALL, question), question)
    (only,) = section(told, "overall").findings
    assert only.text.endswith("没有任何警情上报，全部未报；未报不是零。") and only.tone == "warn"
    assert {row[1].text for row in block(told, "overall", "各类").rows} == {"未报"}


def disputes(tmp_path, lines, period):
    stat = pd.DataFrame(
        [
            {"area_code": "990101", "source_id": "jf", **dict.fromkeys(("category", "channel", "closed_level")), **line}
            for line in lines
        ]
    )
    folder = small.publish(tmp_path, small.incidents(200), dispute_stat=stat)
    question = Question(folder.name, period, "", MONDAY)
    with small.opened(tmp_path) as release:
        return pack_of(making.asked_of(release, ALL, question), question)


def test_the_rates_of_wuwei_and_huangshi_are_printed_as_published(tmp_path):
    wuwei = disputes(
        tmp_path / "a",
        [{"period_start": date(2026, 9, 1), "period_end": date(2026, 10, 1), "found": 8134, "handled": 8043}],
        "2026-09",
    )
    assert "调处率98.9%" in section(wuwei, "disputes").findings[0].text
    kinds = [160, 278, 67, 44, 31, 76, 18, 28, 4, 13, 7, 55, 33, 1, 54]
    shares = ["18.4", "32", "7.7", "5.1", "3.6", "8.7", "2.1", "3.2", "0.5", "1.5", "0.8", "6.3", "3.8", "0.1", "6.2"]
    august = {"period_start": date(2026, 8, 1), "period_end": date(2026, 9, 1)}
    july = {"period_start": date(2026, 7, 1), "period_end": date(2026, 8, 1)}
    lines = [{**august, "category": f"类{i}", "found": n} for i, n in enumerate(kinds)]
    told = disputes(
        tmp_path / "b",
        [*lines, {**august, "accepted": 869, "succeeded": 842}, {**july, "found": 840, "accepted": 840}],
        "2026-08",
    )
    assert "受理成功率96.9%" in section(told, "disputes").findings[0].text
    assert "+29件（+3.5%）" in " ".join(one.text for one in section(told, "disputes").findings)
    printed = {row[0].text: row[2].text for row in block(told, "disputes", "纠纷类型").rows}
    assert printed == {f"类{i}": f"{shares[i]}%" for i in sorted(range(15), key=lambda i: -kinds[i])[: len(printed)]}


def test_a_zero_base_has_no_percent_and_a_missing_window_no_comparison():
    zero = Change(3, 0, 3, None, 1.7, 0.09, NORMAL)
    assert (
        change_words(zero, "上周") == "3起，上周为0，增加3起，E检验p=0.090，属正常波动" and percent_change(zero) == ""
    )
    assert change_words(Change(3, None), "上周") == "3起，上周未报，无法比较"
    assert change_words(Change(None, 4), "上周") == "未报"
    assert (
        change_words(Change(12, 7, 5, 71.43, 1.1, 0.27, NORMAL), "上周")
        == "12起，较上周+5起（基数小），E检验p=0.270，属正常波动"
    )
    assert (
        change_words(Change(212, 107, 105, 98.13, 5.9, 1e-9, RISE), "上周", decimals=2)
        == "212起，较上周+105起（+98.13%），E检验p<0.001，需关注"
    )


# --- the pack ---------------------------------------------------------------------------------------------------------


def test_every_section_is_there_and_the_first_page_says_what_is_missing(pack):
    assert [one.key for one in pack.sections] == list(SECTIONS)
    assert any("合成数据" in text for text in pack.warnings) and any("1个单位期未报" in text for text in pack.warnings)
    assert "数据截至 2026-11-16 00:00" in pack.header and "内部使用" in pack.header and pack.release in pack.header
    assert [name for name in block(pack, "overall", "各类").head][1:5] == ["本期", "上期", "环比", "同比"]
    missing = block(pack, "reporting", "未报与迟报")
    assert [cell.text for cell in missing.rows[0]][-1] == "未报" and section(pack, "advice").draft


@pytest.mark.parametrize("scope", [ALL, Scope(("990101",)), Scope(("990102001", "990103"))])
@pytest.mark.parametrize("area", ["", "990101", "990101001"])
def test_every_fact_is_what_the_raw_rows_count(folder, question, scope, area):
    if area and scope.areas is not None and not any(area.startswith(one) for one in scope.areas):
        return
    own = replace(question, area=area)
    frame = small.incidents(12_000)
    with small.opened(folder.parent) as release:
        told = pack_of(making.asked_of(release, scope, own), own)
        facts = [fact for one in told.sections for fact in one.facts]
        assert check_counts(release, scope, facts) == len(facts) > 30
    # And by pandas, from the frame the release was made of.
    codes = scope.areas or ("",)
    inside = np.logical_or.reduce(
        [frame["grid_code"].str.startswith(code).fillna(False) if code else True for code in codes]
    )
    for fact in facts[:28]:
        mine = (
            inside
            & frame["occurred_from"].ge(pd.Timestamp(fact.start))
            & frame["occurred_from"].lt(pd.Timestamp(fact.end))
            & frame["category"].ne("无效")
        )
        mine &= frame["category"].eq(fact.category) if fact.category else True
        mine &= frame["grid_code"].str.startswith(fact.area).fillna(False) if fact.area else True
        assert fact.value == int(mine.sum()), fact.label


def test_a_fact_that_is_off_by_one_is_refused(folder, pack):
    fact = section(pack, "overall").facts[0]
    with small.opened(folder.parent) as release, pytest.raises(PackDisagrees, match=re.escape(fact.label)):
        check_counts(release, ALL, [replace(fact, value=fact.value + 1)])


def test_arithmetic_that_is_off_is_refused(pack):
    assert check_arithmetic(pack) >= 20
    table = block(pack, "disputes", "三率")
    first = table.rows[0]
    wrong = replace(table, rows=((*first[:-1], Cell("99.9%")), *table.rows[1:]))
    told = section(pack, "disputes")
    bad = replace(pack, sections=(replace(told, blocks=tuple(wrong if one is table else one for one in told.blocks)),))
    with pytest.raises(PackDisagrees, match=r"99\.9%"):
        check_arithmetic(bad)


@pytest.fixture(scope="module")
def files(pack):
    return {form: write_form(form, pack, {}) for form in FORMS}


def falsified(form, file):
    """The same file with one number changed, as somebody with an editor would."""
    if form == "html":
        return re.sub("(合计</td><td[^>]*>)", r"\g<1>9", file.decode(), count=1).encode()
    if form == "pdf":
        return None
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(file)) as old, zipfile.ZipFile(out, "w") as new:
        changed = False
        for name in old.namelist():
            content = old.read(name).decode("utf-8", "surrogateescape") if name.endswith(".xml") else old.read(name)
            if (
                not changed
                and isinstance(content, str)
                and (found := re.search(r"(<[aw]:t[^>]*>)(\d{3})(</[aw]:t>)", content))
            ):
                content, changed = content.replace(found[0], f"{found[1]}{int(found[2]) + 1}{found[3]}", 1), True
            new.writestr(name, content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content)
        assert changed
    return out.getvalue()


@pytest.mark.parametrize("form", FORMS)
def test_a_finished_file_with_a_falsified_number_is_refused(files, pack, form):
    for file in files[form].values():
        assert check_file(form, file, file) > 100
        bad = falsified(form, file)
        if form == "pdf":  # its numbers are drawn glyphs: one from a pack with another number
            told = section(pack, "overall")
            more = replace(told, findings=(Finding(told.findings[0].text.replace("起", "1起", 1)), *told.findings[1:]))
            bad = next(
                iter(
                    write_form(
                        "pdf", replace(pack, sections=tuple(more if one is told else one for one in pack.sections)), {}
                    ).values()
                )
            )
        with pytest.raises(PackDisagrees):
            check_file(form, bad, file)


@pytest.mark.parametrize("form", FORMS)
def test_every_text_of_the_pack_stands_in_every_file_as_text(files, pack, form):
    for file in files[form].values():
        found = "".join("".join(texts_of(form, file)).split())
        lost = [text for text in pack.texts() if "".join(text.split()) not in found]
        if form == "pdf":  # broken over lines and pages
            lost = [text for text in lost if len(text) < 12]
        assert lost == [], form
        assert pack.release in found and "内部使用" in found


def test_powerpoint_has_native_tables_and_charts_and_word_real_headings(files):
    from docx import Document
    from pptx import Presentation

    deck = Presentation(io.BytesIO(files["pptx"][".pptx"]))
    shapes = [shape for slide in deck.slides for shape in slide.shapes]
    assert sum(shape.has_table for shape in shapes) > 10 and sum(shape.has_chart for shape in shapes) >= 2
    assert deck.slide_width / deck.slide_height == pytest.approx(16 / 9, rel=1e-3)
    assert all(slide.shapes.title.text_frame.text for slide in deck.slides)
    for shape in shapes:
        assert shape.left >= 0 and shape.left + shape.width <= deck.slide_width + 10 and shape.top >= 0
    document = Document(io.BytesIO(files["docx"][".docx"]))
    page = document.sections[0]
    assert (
        round(page.page_width.mm),
        round(page.page_height.mm),
        round(page.top_margin.mm),
        round(page.left_margin.mm),
    ) == (210, 297, 37, 28)
    assert round(page.page_width.mm - page.left_margin.mm - page.right_margin.mm) == 156
    body = [one for one in document.paragraphs if one.text.startswith("1. ")]
    assert body and all(one.paragraph_format.line_spacing.pt == 28 and one.runs[0].font.size.pt == 16 for one in body)
    assert len(document.tables) > 12 and "数据截至" in page.header.paragraphs[0].text


def test_html_needs_nothing_from_anywhere_and_escapes_what_people_wrote(folder, question):
    own = replace(question, comments={"overall": "<script>alert(1)</script>"}, order=["overall"])
    with small.opened(folder.parent) as release:
        text = write_form("html", pack_of(making.asked_of(release, ALL, own), own), {})[".html"].decode()
    assert "<script" not in text and "&lt;script&gt;" in text
    assert re.findall(r"(?:src|href)=\"(?!data:|#)", text) == [] and "url(" not in text


def test_hidden_sections_and_their_order_are_kept(folder, question):
    own = replace(
        question,
        order=["disputes", "overall"],
        comments={"disputes": "请各街道核实"},
        units=["甲街道"],
        signed="区中心 签发",
    )
    with small.opened(folder.parent) as release:
        told = pack_of(making.asked_of(release, ALL, own), own)
    assert [one.key for one in told.sections] == ["disputes", "overall"] and told.sections[0].comment == "请各街道核实"
    assert "请各街道核实" in "".join(texts_of("docx", write_form("docx", told, {})[".docx"]))


# --- files on disk ------------------------------------------------------------------------------------------------------


def test_a_pack_is_made_again_with_the_same_figures_after_the_ledger_changed(folder, question, tmp_path):
    db = AppDb(tmp_path / "app.db")
    item = ledger.add(
        db, "分析", date(2026, 11, 10), matter="夜间巡防", unit="派出所", due=date(2026, 11, 20), area_code="990101"
    )
    own = replace(question, items=as_rows(ledger.items(db)))
    _, made = make_files(folder, ALL, own, ["html", "docx"], tmp_path / "out")
    ledger.change(db, item.id, item.version, "分析", date(2026, 11, 25), state="销号")
    again = Question.read(next(path for path in made if path.suffix == ".json"))
    _, second = make_files(folder, ALL, again, ["html", "docx"], tmp_path / "again")
    assert [path.name for path in second] == [path.name for path in made]
    for one, other in zip(made, second, strict=True):
        if one.suffix != ".json":
            assert texts_of(one.suffix[1:], one.read_bytes()) == texts_of(one.suffix[1:], other.read_bytes())
    assert again == own and "夜间巡防" in made[0].read_text("utf-8")


@pytest.mark.parametrize("broken", ["replace", "fsync"])
def test_a_crash_while_writing_leaves_no_half_file(folder, question, tmp_path, monkeypatch, broken):
    def fail(*_):
        raise OSError(28, "No space left on device")

    out = tmp_path / "out"
    out.mkdir()
    (out / "别的.txt").write_text("x")
    monkeypatch.setattr(os, broken, fail)
    with pytest.raises(Exception, match="材料写不下"):
        make_files(folder, ALL, replace(question, order=["quality"]), ["html"], out)
    assert [path.name for path in out.iterdir()] == ["别的.txt"]


def test_a_wrong_number_publishes_nothing(folder, question, tmp_path, monkeypatch):
    def lie(at, **more):
        pack = make_pack(at, **more)
        first = pack.sections[1]
        return replace(
            pack, sections=(replace(first, facts=(replace(first.facts[0], value=first.facts[0].value + 1),)),)
        )

    monkeypatch.setattr(making, "make_pack", lie)
    with pytest.raises(PackDisagrees):
        make_files(folder, ALL, question, ["html"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_without_a_chinese_font_the_missing_one_is_named(pack, monkeypatch):
    lettering.family.cache_clear()
    monkeypatch.setattr(lettering, "FAMILIES", ("No Such Font",))
    with pytest.raises(FontMissing, match="No Such Font"):
        write_form("pdf", pack, {})
    monkeypatch.undo()
    lettering.family.cache_clear()


# --- editions for circulation -----------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=2, max_size=8), st.integers(2, 6))
@example([(0, 1), (0, 1)], 3)
def test_a_hidden_count_cannot_be_worked_out_from_the_total(rows, under):
    total = (sum(now for now, _ in rows), sum(before for _, before in rows))
    cells = [
        (Cell(f"类{i}"), Cell(str(now)), Cell(str(before)), Cell(f"{now - before:+d}"), Cell("○ 正常波动"))
        for i, (now, before) in enumerate(rows)
    ]
    cells.append((Cell("合计"), Cell(str(total[0])), Cell(str(total[1])), Cell("x"), Cell("y")))
    table = Table("t", ("类别", "本期", "上期", "环比", "判定"), tuple(cells))
    made = Pack("m", "p", "q", "w", "c", "f", "d", "r", (), (Section("overall", (), (table,)),))
    blocks = suppressed(made, under).sections[0].blocks
    if not blocks:  # nothing but hidden rows: even the total is small
        assert any(0 < value < under for value in total)
        return
    (hidden,) = blocks
    for column, name in ((1, 0), (2, 1)):
        shown = [row[column].text for row in hidden.rows[:-1]]
        values = [pair[name] for pair in rows]
        assert not any(text.isdigit() and 0 < int(text) < under for text in shown)
        unknown = [value for text, value in zip(shown, values, strict=True) if not text.isdigit()]
        if hidden.rows[-1][column].text.isdigit() and any(0 < value < under for value in unknown):
            assert len(unknown) >= 2 or all(
                value == 0 for text, value in zip(shown, values, strict=True) if text.isdigit()
            )
    for row, (now, before) in zip(hidden.rows[:-1], rows, strict=True):
        if 0 < now < under or 0 < before < under:
            assert [cell.text for cell in row[1:]] == ["隐去"] * 4


@pytest.mark.parametrize("text", [
    "本周19起，较去年同期+18起（基数小）", "12起，较上周+9起（基数小），E检验p=0.3", "排查3件，调处2件", "24起中3起定位不准（12.5%）", "上周共3起",
])  # fmt: skip
def test_a_sentence_from_which_a_small_count_follows_is_left_out(text):
    made = Pack(
        "m",
        "p",
        "q",
        "w",
        "c",
        "f",
        "d",
        "r",
        (),
        (Section("overall", (Finding(text), Finding("共120起，较上周+20起（+20%）。"))),),
    )
    assert [one.text for one in suppressed(made, 5).sections[0].findings] == ["共120起，较上周+20起（+20%）。"]


def test_a_circulated_edition_says_so_and_holds_no_small_count(folder, question):
    own = replace(question, circulated_under=5)
    with small.opened(folder.parent) as release:
        told = pack_of(making.asked_of(release, ALL, own), own)
    assert "供通报" in told.header and all(one.facts == () for one in told.sections)
    for one in told.sections:
        for finding in one.findings:
            assert not re.search(r"(?<![\d,.])[1-4]起", finding.text), finding.text
    hot = (
        block(told, "hotspots", "热点清单")
        if any(b.title == "热点清单" for b in section(told, "hotspots").blocks)
        else None
    )
    if hot:
        now = hot.head.index("本期")
        assert not any(row[now].text in ("1", "2", "3", "4") for row in hot.rows)


# --- the calendar -----------------------------------------------------------------------------------------------------


def test_packs_are_due_after_every_period_and_daily_in_sensitive_times(tmp_path):
    table = ReportTable(meetings=["week", "half", "month", "quarter"])
    assert due_periods(table, tmp_path, date(2026, 11, 16)) == ["2026-W46", "2026-11-H1", "2026-10", "2026-Q3"]
    (tmp_path / "calendar.csv").write_text("start,end,kind,name\n2026-11-10,2026-11-20,sensitive,会议\n", "utf-8")
    assert due_periods(table, tmp_path, date(2026, 11, 16))[-1] == "2026-11-15..2026-11-16"
    (tmp_path / "calendar.csv").write_text("start,end,kind,name\n十一月,2026-11-20,sensitive,会议\n", "utf-8")
    with pytest.raises(Exception, match=r"calendar\.csv 第 2 行"):
        due_periods(table, tmp_path, date(2026, 11, 16))


@pytest.mark.parametrize(
    "text", ["2026-W46", "2026-11", "2026-11-H1", "2026-11-H2", "2026-Q3", "2026", "2026-11-01..2026-11-09"]
)
def test_a_period_is_written_as_it_is_read(text):
    assert period_text(parse_period(text)) == text


def test_a_period_that_is_not_over_is_said_on_the_cover(folder):
    with small.opened(folder.parent) as release:
        own = Question(folder.name, "2026-W47", "", MONDAY)
        told = pack_of(making.asked_of(release, ALL, own), own)
    assert any("本期未齐" in text for text in told.warnings)
    # Nothing is called normal, faded or absent where the data is not there yet.
    assert "不作热点判断" in section(told, "hotspots").findings[0].text and "消退" not in str(section(told, "hotspots"))
    assert "均在正常波动" not in section(told, "change").findings[0].text and "日均" not in str(
        section(told, "overall").findings
    )


def test_facts_have_labels_and_a_question_reads_only_its_own_files(tmp_path, pack):
    assert all(isinstance(fact, Fact) and fact.label for one in pack.sections for fact in one.facts)
    (tmp_path / "x.json").write_text(json.dumps({"version": 99}), "utf-8")
    with pytest.raises(Exception, match="重做的依据读不出"):
        Question.read(tmp_path / "x.json")
