"""Are neighbours alike: hotspots and outliers of areas, and rates that small numbers do not shake."""

from geo.autocorrelation.getis_ord import Hotspots, getis_ord_star
from geo.autocorrelation.moran import LocalMoran, local_moran
from geo.autocorrelation.neighbours import Neighbours, as_neighbours, contiguity
from geo.autocorrelation.rates import EmpiricalBayes, Funnel, empirical_bayes_rate, funnel_limits

__all__ = [
    "EmpiricalBayes",
    "Funnel",
    "Hotspots",
    "LocalMoran",
    "Neighbours",
    "as_neighbours",
    "contiguity",
    "empirical_bayes_rate",
    "funnel_limits",
    "getis_ord_star",
    "local_moran",
]
