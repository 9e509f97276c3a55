"""What a webhook is told: each alert once, each scheduled pack once, however often it fails in between."""

import json
import threading
from contextlib import contextmanager
from datetime import date, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pandas as pd
import pytest
import small_release as small

from dashboard.notices import deliver, queue_alerts
from dashboard.reports import commands, schedule
from dashboard.reports.checking import texts_of
from dashboard.settings import read_settings
from data.app_db import AppDb
from data.errors import UsageError
from data.releases import GEOPACKAGE

SECRET = "0123456789abcdef"


class _Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.heard.append(
            (self.headers["X-Yanpan-Notice"], json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        )
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


@contextmanager
def hook(workspace, **report):
    server = HTTPServer(("127.0.0.1", 0), _Hook)
    server.heard = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    lines = [f'[webhook]\naddress = "http://127.0.0.1:{server.server_port}/in"\nsecret = "{SECRET}"', "[report]"]
    lines += [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in report.items()]
    (workspace / "yanpan.toml").write_text("\n".join(lines), "utf-8")
    yield server, read_settings(workspace)
    server.shutdown()
    server.server_close()


def alert(n):
    return {"alert_id": f"above:990101::2026-11-0{n}", "kind": "above", "area_code": "990101", "severity": "high",
            "evidence": json.dumps({"category": "治安", "count": 30 + n, "upper": 20, "mean": 12.0}), "window_start": datetime(2026, 11, 9),
            "window_end": datetime(2026, 11, 16), "first_seen": datetime(2026, 11, 16)}  # fmt: skip


def test_an_alert_is_told_once_over_releases(tmp_path):
    with hook(tmp_path) as (server, settings):
        db = AppDb(settings.app_db)
        for n, name in ((1, "r20261116-060000"), (2, "r20261116-070000"), (2, "r20261116-080000")):
            alerts = pd.DataFrame([alert(i) for i in range(1, n + 1)])
            small.publish(tmp_path / "releases", small.incidents(300), stated=small.info(release_id=name), alert=alerts)
            queue_alerts(db, settings.releases)
            deliver(db, settings.webhook.to_hook())
    told = [[one["alert_id"] for one in body["alerts"]] for _, body in server.heard]
    assert told == [["above:990101::2026-11-01"], ["above:990101::2026-11-02"]]
    first = server.heard[0][1]
    assert (
        first["release"] == "r20261116-060000"
        and "31起" in first["alerts"][0]["words"]
        and first["alerts"][0]["kind_name"] == "突升"
    )


def test_scheduled_packs_are_made_once_a_release_and_told(tmp_path, monkeypatch):
    monkeypatch.setattr(
        commands,
        "due_periods",
        lambda table, workspace, today: schedule.due_periods(table, workspace, date(2026, 11, 17)),
    )
    with hook(tmp_path, formats=["html"], areas=["", "990101"], meetings=["week"]) as (server, settings):
        folder = small.publish(tmp_path / "releases", small.incidents(3000))
        (folder / GEOPACKAGE).touch()
        made = commands.scheduled(settings, lambda stage, share: None)
        again = commands.scheduled(settings, lambda stage, share: None)
        names = [path.name for _, files in made for path in files]
        assert names == [
            f"研判_碰头会_2026-W46{area}_r20261116-060000{end}"
            for area in ("", "_990101")
            for end in (".html", ".json")
        ]
        assert again == [] and sorted(path.name for path in (tmp_path / "reports").iterdir()) == sorted(names)
        assert [body["area"] for _, body in server.heard] == ["", "990101"] and server.heard[0][1]["kind"] == "pack"
        assert any("合成数据" in text for text in server.heard[0][1]["warnings"])
        newer = small.publish(
            tmp_path / "releases", small.incidents(3100), stated=small.info(release_id="r20261117-060000")
        )
        (newer / GEOPACKAGE).touch()
        assert len(commands.scheduled(settings, lambda stage, share: None)) == 2  # new data, new packs
        # And made again from what is kept beside it.
        kept = tmp_path / "reports" / names[1]
        _, again = commands.one(settings, "", "", "html", tmp_path / "again", False, kept, lambda stage, share: None)
        assert texts_of("html", again[0].read_bytes()) == texts_of(
            "html", (tmp_path / "reports" / names[0]).read_bytes()
        )
        with pytest.raises(UsageError, match="重做照原样"):
            commands.one(settings, "", "", "html", tmp_path, True, kept, lambda stage, share: None)
