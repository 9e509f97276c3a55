"""A new release while people work: picked up without a restart, without a failed request, without two releases on a page."""

import json
from urllib.request import urlopen

import pandas as pd
import pytest
import small_release as small
from serving import serving

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture
def served(tmp_path):
    """A workspace with one release, served; and a function that publishes another."""

    def publish(n: int, name: str):
        frame = small.incidents(n, seed=n).assign(recorded_at=pd.NaT)
        small.publish(tmp_path / "releases", frame, stated=small.info(release_id=name))
        return frame

    publish(3000, "r20261116-060000")
    with serving(tmp_path) as address:
        yield address, publish


def test_a_new_release_reaches_an_open_page_with_the_next_click(served, chromium):
    address, publish = served
    page = chromium.new_page(viewport={"width": 1440, "height": 900})
    failed = []
    page.on("response", lambda answer: failed.append((answer.status, answer.url)) if answer.status >= 500 else None)
    page.goto(f"{address}/workbench")
    page.wait_for_selector(".ag-row")
    for round_, (n, name) in enumerate([(4000, "r20261116-070000"), (5000, "r20261116-080000")]):
        frame = publish(n, name)
        page.click(f"#workbench-rail [data-category={'交通' if round_ == 0 else '求助'}]")
        page.wait_for_function(f"document.querySelector('.release-id').textContent === '{name}'")
        page.wait_for_function(
            "!document.body.classList.contains('busy') && !document.body.classList.contains('painting')"
        )
        page.wait_for_timeout(400)
        with urlopen(f"{address}/api/v1/release") as answer:
            assert json.load(answer)["id"] == name
        shown = int(page.inner_text(".hero").replace(",", ""))
        at = frame["occurred_from"]
        out = ["无效", "交通"] if round_ == 0 else ["无效", "交通", "求助"]
        kept = (at >= "2026-11-09") & (at < "2026-11-16") & ~frame["category"].isin(out)
        assert shown == kept.sum()
        assert name in page.inner_text(".map-foot")
    assert failed == []
    page.close()
