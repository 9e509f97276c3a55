"""The application database: the ledger, its history and two people at one item; alerts seen to; notices and their signature."""

import hashlib
import hmac
import json
import threading
from contextlib import contextmanager
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from data.app_db import AppDb, Notice, ledger, notices
from data.app_db.acknowledging import acknowledge, acknowledged, take_back
from data.app_db.tables import Item
from data.errors import UsageError
from data.webhook import Webhook, send

MONDAY = date(2026, 11, 16)
SECRET = "0123456789abcdef"


@pytest.fixture
def db(tmp_path):
    opened = AppDb(tmp_path / "app.db")
    yield opened
    opened.close()


def item(db, **more):
    values = {"matter": "金沙社区 夜间巡防", "unit": "鼓楼坊派出所", "due": MONDAY + timedelta(days=14), **more}
    return ledger.add(db, "分析", MONDAY, **values)


def test_nothing_is_made_by_looking(db):
    assert ledger.items(db) == [] and acknowledged(db) == {} and notices.take(db) is None and db.mark() == 0
    assert not db.path.exists()


def test_items_are_numbered_by_their_week_and_change_with_a_history(db):
    assert [item(db).number, item(db).number] == ["2026W47-01", "2026W47-02"]
    first = ledger.items(db)[0]
    later = ledger.change(db, first.id, first.version, "区中心", MONDAY + timedelta(days=3), state="结案")
    assert (later.closed, later.struck, later.version) == (MONDAY + timedelta(days=3), None, 2)
    last, made = ledger.history(db, first.id)
    assert last.by == "区中心" and last.what == {"state": ["在办", "结案"], "closed": [None, "2026-11-19"]}
    assert made.what["unit"] == [None, "鼓楼坊派出所"] and db.mark() == 3
    back = ledger.change(db, first.id, 2, "区中心", MONDAY, state="在办")
    assert back.closed is None


def test_the_second_of_two_is_told_and_nothing_is_lost(db):
    seen = item(db)
    ledger.change(db, seen.id, seen.version, "街道", MONDAY, unit="桥东街道办事处")
    with pytest.raises(ledger.Stale, match="街道 改了 责任单位 鼓楼坊派出所 → 桥东街道办事处"):
        ledger.change(db, seen.id, seen.version, "区中心", MONDAY, post="调解岗")
    kept = ledger.items(db)[0]
    assert (kept.unit, kept.post, kept.version) == ("桥东街道办事处", "", 2) and len(ledger.history(db, seen.id)) == 2


def test_two_writers_at_once_never_both_win(db):
    seen = item(db)
    told = []

    def write(n):
        try:
            told.append(ledger.change(AppDb(db.path), seen.id, 1, f"单位{n}", MONDAY, action=f"措施{n}"))
        except ledger.Stale as fault:
            told.append(fault)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    won = [one for one in told if isinstance(one, Item)]
    assert len(told) == 6 and len(won) == 1 and ledger.items(db)[0].action == won[0].action


@pytest.mark.parametrize(("more", "where"), [
    ({"matter": ""}, "事项"), ({"unit": None}, "责任单位"), ({"due": MONDAY - timedelta(days=1)}, "期限"),
    ({"state": "逾期"}, "状态"), ({"matter": "联系13812345678"}, "事项"), ({"action": "找110105194912310021"}, "措施"),
    ({"place": "和平路1号2单元301室"}, "地点"), ({"matter": "字" * 61}, "事项"), ({"polygon": "POINT(1 2)"}, "范围"),
    ({"category": "无效"}, "类别"),
])  # fmt: skip
def test_what_cannot_be_is_refused_by_its_field_and_nothing_is_written(db, more, where):
    with pytest.raises(UsageError, match=f"位置: {where} ") as told:
        item(db, **more)
    assert "13812345678" not in str(told.value) and "110105194912310021" not in str(told.value)
    assert ledger.items(db) == [] and db.mark() == 0


def test_several_items_go_in_together_or_not_at_all(db):
    row = {"matter": "停车纠纷", "unit": "文昌街道办事处", "due": MONDAY}
    with pytest.raises(UsageError):
        ledger.add_all(db, "分析", MONDAY, [row, {**row, "due": MONDAY - timedelta(days=9)}])
    assert ledger.items(db) == []
    assert len(ledger.add_all(db, "分析", MONDAY, [row, row])) == 2


DAYS = st.integers(-30, 30)


@given(
    st.lists(
        st.tuples(DAYS, st.integers(0, 40), st.sampled_from(["在办", "结案", "销号"]), st.integers(0, 40)), max_size=12
    )
)
def test_counts_and_the_burn_down_are_those_of_the_dates(rows):
    found = []
    for opened, term, state, ended in rows:
        start = MONDAY + timedelta(days=opened)
        end = start + timedelta(days=ended)
        found.append(Item(opened=start, due=start + timedelta(days=term), state=state, closed=None if state == "在办" else end,
                          struck=end if state == "销号" else None))  # fmt: skip
    told = ledger.count(found, MONDAY)
    running = [one for one in found if one.state == "在办"]
    assert told.open == len(running) and told.closed + told.struck + told.open == len(found)
    assert told.overdue == sum((one.due - MONDAY).days < 0 for one in running)
    assert told.soon == sum(0 <= (one.due - MONDAY).days <= 7 for one in running)
    days = [MONDAY + timedelta(days=n) for n in range(-40, 60, 5)]
    for day, open_then, late in ledger.burn_down(found, days):
        alive = [one for one in found if one.opened <= day and (one.closed is None or one.closed > day)]
        assert (open_then, late) == (len(alive), sum(one.due < day for one in alive))


def test_an_alert_is_seen_to_once_and_may_stand_again(db):
    acknowledge(db, "above::2026-11-09", "分析", "已转派出所")
    acknowledge(db, "above::2026-11-09", "别人")
    assert acknowledged(db)["above::2026-11-09"].by == "分析" and db.mark() == 1
    with pytest.raises(UsageError):
        acknowledge(db, "x", "分析", "手机13812345678")
    take_back(db, "above::2026-11-09", "分析")
    assert acknowledged(db) == {} and db.mark() == 2


class _Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append((dict(self.headers), body))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 200)
        self.send_header("Location", "http://127.0.0.1:9/elsewhere")
        self.end_headers()

    def log_message(self, *_):
        pass


@contextmanager
def hook(*statuses):
    server = HTTPServer(("127.0.0.1", 0), _Hook)
    server.heard, server.answers = [], list(statuses)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server, Webhook(f"http://127.0.0.1:{server.server_port}/in", SECRET)
    server.shutdown()
    server.server_close()


def test_a_message_is_signed_over_its_time_and_body():
    with hook() as (server, where):
        assert send(where, "alerts:r1", {"kind": "alerts", "名": "值"}) is None
    headers, body = server.heard[0]
    signed = hmac.new(SECRET.encode(), headers["X-Yanpan-Time"].encode() + b"." + body, hashlib.sha256).hexdigest()
    assert headers["X-Yanpan-Signature"] == f"sha256={signed}" and headers["X-Yanpan-Notice"] == "alerts:r1"
    assert json.loads(body) == {"kind": "alerts", "名": "值"} and SECRET.encode() not in body


def test_a_refusal_a_redirect_and_silence_are_told():
    with hook(500, 302) as (server, where):
        assert send(where, "k", {}) == "HTTP 500" and send(where, "k", {}) == "HTTP 302" and len(server.heard) == 2
    assert send(where, "k", {}) == "ConnectionRefusedError"


def test_a_notice_is_kept_until_it_is_there_and_sent_by_one(db):
    assert notices.queue(db, "alerts:r1", {"n": 1}) and not notices.queue(db, "alerts:r1", {"n": 2})
    first = notices.take(db)
    assert first.body == {"n": 1} and notices.take(db) is None  # held by the one that took it
    notices.sent(db, first, "HTTP 500")
    assert notices.take(db) is None  # not before its time
    with db.writing() as session:
        again = session.scalar(sa.select(Notice))
        assert again.tries == 1 and again.fault == "HTTP 500" and again.next_at > again.made_at
        again.next_at = again.made_at
    notices.sent(db, notices.take(db), None)
    assert notices.take(db) is None and notices.bodies(db, "alerts") == [{"n": 1}]
