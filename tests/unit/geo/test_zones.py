"""The same city in two neighbouring CGCS2000 zones: what is said of it is the same, and degrees are refused everywhere."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geo.autocorrelation import contiguity, getis_ord_star
from geo.coverage import coverage_summary, covered_points, repair_order, rule_check, sectors, visible_area
from geo.density import kernel_density
from geo.evaluation import repeat_places
from geo.siting import maximal_cover
from geo.spacetime import knox, near_repeat, near_repeat_links, scan_permutation

ZONES = ("EPSG:4547", "EPSG:4548")  # meridians 114 and 117; the city lies between
CENTRE = gpd.GeoSeries([shapely.Point(115.5, 34.7)], crs="EPSG:4490")


@pytest.fixture(scope="module")
def city():
    """Events, days, outline and grids, drawn in a local frame and kept in degrees."""
    rng = np.random.default_rng(3)
    xy = np.vstack([rng.uniform(-2500, 2500, (500, 2)), rng.normal((800, -600), 150, (160, 2))])
    x0, y0 = CENTRE.to_crs(ZONES[0]).iloc[0].coords[0]

    def degrees(shapes):
        return gpd.GeoSeries(shapely.transform(shapes, lambda p: p + np.array([x0, y0])), crs=ZONES[0]).to_crs(
            "EPSG:4490"
        )

    side = np.arange(-3000, 3000, 500.0)
    grids = np.array([shapely.box(x, y, x + 500, y + 500) for y in side for x in side])
    return (
        degrees(shapely.points(xy)),
        rng.uniform(0, 90, len(xy)),
        degrees([shapely.box(-3000, -3000, 3000, 3000)]),
        degrees(grids),
    )


def in_zone(city, zone):
    events, days, outline, grids = city
    return events.to_crs(zone), days, outline.to_crs(zone), grids.to_crs(zone)


def test_densities_hotspots_and_pairs_are_the_same_in_both_zones(city):
    found = []
    for zone in ZONES:
        events, days, outline, grids = in_zone(city, zone)
        surface = kernel_density(events, boundary=outline, bandwidth_m=600, cell_m=50)
        counts = shapely.STRtree(grids.values).query(events.values, predicate="intersects")[1]
        star = getis_ord_star(np.bincount(counts, minlength=len(grids)), contiguity(grids))
        pairs = knox(events, days, distance_m=300, days=7, permutations=199, seed=1)
        found.append((surface.mass, np.nanmax(surface.values), star.label, pairs.observed, pairs.p))
    (mass, peak, label, observed, p), (mass2, peak2, label2, observed2, p2) = found
    assert mass == pytest.approx(mass2)
    assert peak == pytest.approx(peak2, rel=0.005)
    assert (label == label2).all()
    assert observed == pytest.approx(observed2, rel=0.01)
    assert p == pytest.approx(p2, abs=0.02)


def test_coverage_and_sites_are_the_same_in_both_zones(city):
    found = []
    for zone in ZONES:
        events, _, outline, _ = in_zone(city, zone)
        spots = np.column_stack([events.x, events.y])[:80]
        areas = sectors(*spots.T, np.zeros(80), np.full(80, 360.0), np.full(80, 150.0))
        share = coverage_summary(areas, city=outline, incidents=events).all
        sites = maximal_cover(events, spots, k=5, radius_m=200)
        found.append((share.area.share_pct, share.incidents.share_pct, sites.covered))
    for one, other in zip(*found, strict=True):
        assert one == pytest.approx(other, rel=0.01)


@pytest.mark.parametrize(
    "call",
    [
        lambda e, o: kernel_density(e, bandwidth_m=300, boundary=o),
        lambda e, o: kernel_density(e.to_crs(ZONES[0]), bandwidth_m=300, boundary=o),
        lambda e, o: knox(e, np.arange(len(e)), distance_m=100, days=7),
        lambda e, o: near_repeat(e, np.arange(len(e)), distance_bands_m=[100], day_bands=[7]),
        lambda e, o: near_repeat_links(e, np.arange(len(e)), distance_m=100, days=7),
        lambda e, o: scan_permutation(e, np.arange(len(e)), max_radius_m=500, max_days=7),
        lambda e, o: coverage_summary(o),
        lambda e, o: covered_points(e, [shapely.box(0, 0, 1, 1)]),
        lambda e, o: repair_order([shapely.box(0, 0, 1, 1)], e, online=[True]),
        lambda e, o: visible_area(0, 0, range_m=10, obstacles=o),
        lambda e, o: rule_check(gpd.GeoDataFrame(geometry=e), gpd.GeoDataFrame(geometry=e), "tw1"),
        lambda e, o: maximal_cover(e, e, k=1, radius_m=100),
        lambda e, o: repeat_places(e),
    ],
)
def test_degrees_are_refused_by_name(city, call):
    events, _, outline, _ = city
    with pytest.raises(ValueError, match=r"EPSG:4490.*to_crs"):
        call(events, outline)


@pytest.mark.parametrize(
    "call",
    [
        lambda e, o: kernel_density(e, bandwidth_m=300, boundary=o),
        lambda e, o: coverage_summary(o, incidents=e),
        lambda e, o: coverage_summary(o, city=e.buffer(10)),
        lambda e, o: covered_points(e, o),
        lambda e, o: repair_order(o, e, online=[True]),
        lambda e, o: maximal_cover(e, o, k=1),
    ],
)
def test_two_zones_are_not_mixed(city, call):
    events, _, outline, _ = city
    with pytest.raises(ValueError, match=r"expected one CRS"):
        call(events.to_crs(ZONES[0]), outline.to_crs(ZONES[1]))
