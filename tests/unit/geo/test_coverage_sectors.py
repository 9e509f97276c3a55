"""geo.coverage: sectors, circles and what direction codes mean."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.coverage import camera_areas, direction_bearing, sector, sectors

NAN = float("nan")
WORDS = {1: (1, 0), 2: (-1, 0), 3: (0, -1), 4: (0, 1), 5: (1, -1), 6: (1, 1), 7: (-1, -1), 8: (-1, 1)}  # east, north


@settings(max_examples=60, deadline=None)
@given(
    bearing=st.floats(-360, 720),
    fov=st.floats(0.5, 360),
    reach=st.floats(1, 2000),
    x=st.floats(-1e6, 1e6),
    y=st.floats(-1e6, 5e6),
)
def test_area_is_that_of_the_sector_and_nothing_lies_outside_it(bearing, fov, reach, x, y):
    shape = sector(x, y, bearing, fov, reach)
    assert shape.is_valid
    assert shape.area == pytest.approx(fov / 360 * math.pi * reach**2, rel=1e-3)
    away = shapely.get_coordinates(shape) - (x, y)
    assert np.hypot(*away.T).max() <= reach * (1 + 1e-6)
    rim = away[np.hypot(*away.T) > reach / 2]
    off = (np.degrees(np.arctan2(*rim.T)) - bearing + 180) % 360 - 180
    assert np.abs(off).max() <= fov / 2 + 0.01 or fov == 360


@pytest.mark.parametrize(
    ("fov", "seen"), [(90, (True, False, False)), (200, (True, True, False)), (340, (True, True, False))]
)
def test_wide_sectors_leave_out_what_is_behind(fov, seen):
    shape = sector(0, 0, 90, fov, 10)
    spots = shapely.points([[5, 0], [0.0, 5.0], [-5, 0]])  # ahead, square to the side, behind
    assert tuple(shapely.contains(shape, spots)) == seen


def test_a_full_circle_needs_no_bearing_and_has_no_seam():
    shape = sectors([3], [4], [NAN], [360], [10])[0]
    assert shape.contains(shapely.Point(3, 4)) and shape.contains(shapely.Point(3, -5.9))
    assert shape.area == pytest.approx(sector(3, 4, 77, 360, 10).area)


@pytest.mark.parametrize(
    "wrong",
    [
        (NAN, 0, 0, 90, 10),
        (0, 0, NAN, 90, 10),
        (0, 0, 0, 0, 10),
        (0, 0, 0, 361, 10),
        (0, 0, 0, 90, 0),
        (0, 0, 0, 90, NAN),
    ],
)
def test_sectors_refuse_what_is_out_of_bounds(wrong):
    with pytest.raises(ValueError, match="sector"):
        sector(*wrong)


@pytest.mark.parametrize("as_text", [False, True])
def test_direction_codes_look_where_the_words_say(as_text):
    for code, (east, north) in WORDS.items():
        bearing, fov = direction_bearing(str(code) if as_text else code)
        assert bearing == pytest.approx(math.degrees(math.atan2(east, north)) % 360)
        assert math.isnan(fov)


def test_all_round_and_unknown_codes():
    bearing, fov = direction_bearing([9, "9", 9.0, 0, "10", "", None, NAN, "东"])
    assert np.isnan(bearing).all()
    assert fov.tolist()[:3] == [360.0] * 3 and np.isnan(fov[3:]).all()


def test_unknown_looks_become_circles_and_are_said():
    x = np.zeros(5)
    areas, method = got = camera_areas(
        x, x, [0, NAN, 0, NAN, 10], [90, 90, NAN, 360, 360], [10, 10, 10, 10, NAN], default_range_m=20
    )
    assert method.tolist() == ["sector", "radius", "radius", "radius", "radius"]
    share = [0.25, 1, 1, 1, 4]
    assert shapely.area(areas) == pytest.approx(np.pi * 100 * np.array(share), rel=1e-3)
    assert got.range_assumed.tolist() == [False] * 4 + [True]
    assert "2个摄像机朝向或视场角不明" in got.note and "1个摄像机未注明可视距离，按20米计" in got.note
    assert camera_areas([0], [0], [0], [90], [10]).note == ""
