"""What the tests of the workbench look at: one small release whose counts pandas can repeat."""

import pandas as pd
import pytest
import small_release as small

from data.store import Store


@pytest.fixture(scope="module")
def frame():
    """Exact times and no recording time: every count compares as it stands."""
    return small.incidents(6000, seed=5).assign(recorded_at=pd.NaT)


@pytest.fixture(scope="module")
def store(tmp_path_factory, frame):
    directory = tmp_path_factory.mktemp("workbench")
    small.publish(directory, frame)
    opened = Store(directory)
    yield opened
    opened.close()


@pytest.fixture
def release(store):
    with store.current() as opened:
        yield opened
