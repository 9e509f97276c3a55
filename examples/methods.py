"""From a release to a tested map, a control band and a sentence: ``python examples/methods.py RELEASE_FOLDER``."""

import sys

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.autocorrelation import contiguity, getis_ord_star
from geo.change import control_band, dispersion, verdict
from geo.crs import metre_crs
from geo.density import kernel_density

gpkg = f"{sys.argv[1]}/city.gpkg"
grids = gpd.read_file(gpkg, layer="grid")
grids = grids.to_crs(metre_crs(tuple(grids.total_bounds)))
events = gpd.read_file(gpkg, layer="incident").to_crs(grids.crs)
events = events[events["category"] != "无效"]

# 每格每四周的件数，最后一个四周结束于最后一个星期一
end = events["occurred_from"].max().normalize()
end -= pd.Timedelta(days=end.weekday())
steps = pd.date_range(end=end, periods=15, freq="28D")
kept = events[(events["occurred_from"] >= steps[0]) & (events["occurred_from"] < end)]
cell = pd.Index(grids["grid_code"]).get_indexer(kept["grid_code"].fillna(""))
step = np.searchsorted(steps, kept["occurred_from"], side="right") - 1
counts = np.zeros((len(grids), 14), int)
np.add.at(counts, (cell[cell >= 0], step[cell >= 0]), 1)

phi = dispersion(counts[:, :-1], np.full(13, 28.0), pooled=True)  # 与窗口一样长的时期
hot = getis_ord_star(counts[:, -1], contiguity(grids), dispersion=phi)
print(f"最近四周 {counts[:, -1].sum()} 起，φ={phi.phi[0]:.2f}，热点 {int((hot.flagged & (hot.z > 0)).sum())} 格")

points = kept[kept["location_quality"].isin(["exact", "low_precision"])]  # 默认坐标不进核密度
surface = kernel_density(points, boundary=grids, days=14 * 28)
print(f"密度最高 {np.nanmax(surface.values):.1f} 起/km²，带宽 {surface.bandwidth_m:.0f} 米，{surface.note or '无备注'}")

weeks = np.bincount((kept["occurred_from"] - steps[0]).dt.days // 7, minlength=56)
band = control_band(weeks)
print(
    f"最近一周 {weeks[-1]} 起，控制带 {band.lower[-1]:.0f} 至 {band.upper[-1]:.0f}，{'越出' if band.outside[-1] else '在带内'}"
)
print(verdict(weeks[-1], weeks[-2]).statement)
