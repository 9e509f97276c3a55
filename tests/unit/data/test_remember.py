"""What a release remembers: computed once, kept by bytes, latest used last."""

import threading
import time

import camera_release
import numpy as np
import pandas as pd
import pytest
import shapely
import small_release as small

from data.store import Extent, Scope, Store, features
from data.store.release import weight


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    directory = tmp_path_factory.mktemp("remembering")
    small.publish(directory, small.incidents(500))
    with Store(directory).current() as opened:
        yield opened


def test_many_who_ask_at_once_have_it_computed_once(release):
    made, found = [], []

    def compute():
        time.sleep(0.05)
        made.append(1)
        return np.arange(10)

    threads = [threading.Thread(target=lambda: found.append(release.remember("once", compute))) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(made) == 1 and all(one is found[0] for one in found)


def test_a_fault_is_not_remembered(release):
    def fails():
        raise ValueError("no")

    for _ in range(2):
        with pytest.raises(ValueError):
            release.remember("fails", fails)
    assert release.remember("fails", lambda: 3) == 3


def test_the_longest_unused_goes_first_and_bytes_add_up(release, monkeypatch):
    monkeypatch.setattr("data.store.release.MOST_BYTES", 5_000_000)
    made = []

    def ask(key):
        return release.remember(("big", key), lambda: made.append(key) or np.zeros(250_000))  # 2 MB

    ask(1), ask(2), ask(1), ask(3)  # 2 has gone unused longest
    ask(1)
    assert made == [1, 2, 3]
    ask(2)
    assert made == [1, 2, 3, 2]
    assert release._bytes == sum(size for _, size in release._kept.values()) <= 5_000_000


def test_a_value_that_grew_is_weighed_again(release, monkeypatch):
    texts = release.remember("grows", lambda: np.full(100, None, object))
    before = release._bytes
    texts[:] = ["x" * 10_000] * 100
    release.weigh_again("grows")
    assert release._bytes - before == pytest.approx(1_000_000, rel=0.02)
    assert release._bytes == sum(size for _, size in release._kept.values())
    release.weigh_again("never kept")
    monkeypatch.setattr("data.store.release.MOST_BYTES", 1_000_000)
    release.weigh_again("grows")  # too much now: all else is forgotten
    assert list(release._kept) == ["grows"]


@pytest.mark.parametrize("layer", ["camera", "camera_coverage"])
def test_features_written_once_count_when_they_are_written(tmp_path, layer):
    small.publish(tmp_path, small.incidents(100), **camera_release.layers(camera_release.cameras(200)))
    with Store(tmp_path).current() as opened:
        found = features(opened, layer, opened.selection([]), Scope.everything(), Extent())
        assert len(found.features) == 200
        kept = opened._kept["texts", layer][1]
        assert kept == pytest.approx(sum(len(text) for text in found.features), rel=0.5)
        assert kept > sum(len(text) for text in found.features)
        assert opened._bytes == sum(size for _, size in opened._kept.values())


def test_what_asks_again_inside_does_not_wait_for_itself(release):
    assert release.remember("outer", lambda: release.remember("inner", lambda: 2) + 1) == 3


@pytest.mark.parametrize(("value", "least", "most"), [
    (np.zeros(1000), 8000, 9000),
    (pd.DataFrame({"a": np.zeros(100_000), "b": ["一二三四五"] * 100_000}), 800_000, 20_000_000),
    (np.array([shapely.Point(0, 0).buffer(1, quad_segs=64) for _ in range(500)]), 500 * 257 * 16, 500 * 257 * 20),
    ({"rows": ["x" * 1000] * 5000}, 5_000_000, 6_000_000),
    ([np.zeros(1000)] * 50, 400_000, 450_000),
])  # fmt: skip
def test_weights_are_of_the_right_size(value, least, most):
    assert least <= weight(value) <= most


def test_a_value_that_points_back_to_its_release_weighs_only_itself(release):
    class Holder:
        def __init__(self):
            self.release, self.numbers = release, np.zeros(1000)

    assert 8000 <= weight(Holder()) < 10_000
