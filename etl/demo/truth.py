"""truth.json and truth_expected.npz: what was planted, what is expected, which faults the files hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from etl.demo import planted as facts
from etl.demo.cameras import CameraFile
from etl.demo.disputes import TYPES, WRONG_TOTAL_MONTH, Disputes, month_label
from etl.demo.events import Expected
from etl.demo.files import stamp
from etl.demo.frame import CITY_CODE, DATA_TIME, FIRST_DAY, TIMEZONE, TITLE, WEEKS, to_degrees, week_label, week_start
from etl.demo.plan import City
from etl.demo.planted import Added, Planted
from etl.demo.rhythm import CATEGORIES, LAG_DAYS, SOURCE_IDS, STREAMS

EXPECTED_FILE = "truth_expected.npz"


def write_truth(
    workspace: Path,
    city: City,
    planted: Planted,
    expected: Expected,
    disputes: Disputes,
    cameras: CameraFile,
    station: tuple[float, float],
    drawn: Mapping[str, object],
    files: Mapping[str, object],
) -> list[Path]:
    """Write both files.

    Parameters
    ----------
    drawn : counts of drawn events by source, with the tail after the last whole week.
    files : rows and faults of each written file.
    """
    weekly_totals = disputes.weekly.sum(axis=(0, 1)).tolist()
    text = {
        "synthetic": True,
        "title": TITLE,
        "seed": city.seed,
        "scale": city.scale.name,
        "timezone": TIMEZONE,
        "crs": "EPSG:4490",
        "data_time": DATA_TIME.isoformat(),
        "first_day": FIRST_DAY.isoformat(),
        "end_day": week_start(WEEKS).isoformat(),
        "weeks": [week_label(w) for w in range(WEEKS)],
        "city_code": CITY_CODE,
        "counts": {
            "districts": city.scale.districts,
            "streets": city.scale.streets,
            "communities": city.scale.communities,
            "grids": city.scale.grids,
            "exclusive_grids": int(city.exclusive.sum()),
            "population": int(city.population.sum()),
            "households": int(city.households.sum()),
        },
        "expected": {
            "file": EXPECTED_FILE,
            "meaning": (
                "Poisson intensity of recorded events, planted facts, repeats and silence included, before the files' "
                "faults; 无效 is left out of by_source. Rejected rows (duplicates, unreadable dates, 合计) are extra "
                "rows, so what the ETL keeps follows this. Near repeats make counts of 刑事 slightly overdispersed."
            ),
            "arrays": {
                "by_source": "(source, grid, week), axes: sources below, grid_codes, weeks",
                "grid_category": "(grid, category) over all 104 weeks, both sources",
                "category_week": "(category, week) over the city, both sources",
                "grid_codes": "(grid,) 15 digits",
            },
            "sources": list(SOURCE_IDS),
            "categories": list(CATEGORIES),
            "total": round(float(expected.by_source.sum()), 3),
        },
        "drawn": dict(drawn),
        "rhythm": [
            {
                "source": SOURCE_IDS[s.source], "category": s.category, "subcategory": s.subcategory, "share": s.share,
                "weekdays": list(s.weekdays), "hours": [list(h) for h in s.hours],
                "season": s.season, "peak_day": s.peak_day,
                "spring_festival_factor": s.festival,
            }
            for s in STREAMS
        ],
        "planted": _planted(city, planted, station, disputes),
        "cameras": {
            "rows": cameras.rows, "cameras": cameras.cameras, "online": cameras.online,
            "recorders_118": cameras.recorders, "groups_215": cameras.groups, "duplicate_id": cameras.repeated,
            "crs_written": "gcj02", "crs_declared": "WGS-84",
        },
        "disputes": {
            "types": list(TYPES),
            "months": [month_label(m) for m in range(len(disputes.monthly))],
            "found_by_month": disputes.monthly.sum(axis=(1, 2, 3)).tolist(),
            "open_by_month": disputes.monthly[..., 1].sum(axis=(1, 2)).tolist(),
            "missing_units_by_month": (disputes.monthly_state == 0).sum(axis=1).tolist(),
            "zero_units_by_month": (disputes.monthly_state == 1).sum(axis=1).tolist(),
            "wrong_total": {"month": month_label(WRONG_TOTAL_MONTH), "type": TYPES[1], "excess": 3},
            "weekly_totals": dict(
                zip(("found", "accepted", "handled", "succeeded"), weekly_totals, strict=True)
            ),
            "weekly_missing": int((disputes.weekly_state == 0).sum()),
            "weekly_zero": int((disputes.weekly_state == 1).sum()),
        },
        "files": dict(files),
    }  # fmt: skip
    path = workspace / "truth.json"
    path.write_text(json.dumps(text, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    arrays = workspace / EXPECTED_FILE
    np.savez_compressed(
        arrays,
        by_source=expected.by_source.astype(np.float32),
        grid_category=expected.grid_category,
        category_week=expected.category_week,
        grid_codes=city.codes.astype("U15"),
    )
    for written in (path, arrays):
        stamp(written)
    return [path, arrays]


def _planted(city: City, planted: Planted, station: tuple[float, float], disputes: Disputes) -> dict[str, object]:
    def codes(grids: np.ndarray) -> list[str]:
        return [str(code) for code in city.codes[grids]]

    def lon_lat(xy: np.ndarray) -> list[float]:
        lon, lat = to_degrees(xy[:1], xy[1:])
        return [round(float(lon[0]), 6), round(float(lat[0]), 6)]

    def hotspot(part: Added) -> dict[str, object]:
        stream = STREAMS[part.stream]
        return {
            "grids": codes(part.grids),
            "centre": lon_lat(city.cells.xy[part.grids].mean(axis=0)),
            "category": stream.category,
            "subcategory": stream.subcategory,
            "added_per_grid_week": part.rate,
            "from_week": week_label(part.first),
            "to_week": week_label(part.last - 1),
            "from": week_start(part.first).isoformat(),
            "to": week_start(part.last).isoformat(),
        }

    controls = [part for part in planted.added if part.name.startswith("control_")]
    blind = planted.one("blind")
    return {
        "emerging": hotspot(planted.one("emerging")),
        "vanished": hotspot(planted.one("vanished")),
        "persistent": hotspot(planted.one("persistent")),
        "spike": {
            "street": str(city.streets.codes[planted.spike_street]),
            "category": facts.SPIKE_CATEGORY,
            "week": week_label(facts.SPIKE_WEEK),
            "factor": facts.SPIKE_FACTOR,
        },
        "silent": {
            "source": SOURCE_IDS[1],
            "weeks": [week_label(w) for w in facts.SILENT_WEEKS],
            "from": week_start(facts.SILENT_WEEKS[0]).isoformat(),
            "to": week_start(facts.SILENT_WEEKS[-1] + 1).isoformat(),
            "state": "missing",
        },
        "pile_up": {
            "lon_lat": list(station),
            "source": SOURCE_IDS[0],
            "grid": str(city.codes[planted.station_grid]),
            "street": str(city.streets.codes[planted.station_street]),
        },
        "blind": {
            **hotspot(blind),
            "centre": lon_lat(planted.blind_centre),
            "within_m": facts.BLIND_RADIUS_M,
            "no_working_camera_within_m": facts.NO_CAMERA_M,
        },
        "acted_on": {
            **hotspot(planted.one("acted_on")),
            "action_week": week_label(facts.ACTION_WEEK),
            "action_date": week_start(facts.ACTION_WEEK).isoformat(),
            "factor": facts.ACTION_FACTOR,
            "ring": codes(planted.ring),
            "ring_factor": facts.RING_FACTOR,
            "controls": [
                {**hotspot(part), "ring": codes(ring)}
                for part, ring in zip(controls, planted.control_rings, strict=True)
            ],
        },
        "near_repeat": {
            "subcategories": {s.subcategory: s.repeats for s in STREAMS if s.repeats},
            "within_m": 200,
            "within_days": LAG_DAYS + 1,
            "meaning": "mean number of repeats that an event breeds; a repeat breeds none",
        },
    }
