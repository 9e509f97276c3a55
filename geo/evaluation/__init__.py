"""Did it work: hotspots against the next period, actions against places left alone, how concentrated events are."""

from geo.evaluation.concentration import Concentration, concentration
from geo.evaluation.controls import Controls, choose_controls
from geo.evaluation.displacement import WeightedDisplacement, weighted_displacement_difference
from geo.evaluation.hotspots import HotspotReport, hit_rate, hotspot_report
from geo.evaluation.prediction import Accuracy, Efficiency, prediction_accuracy_index, prediction_efficiency_index
from geo.evaluation.repeats import RepeatPlaces, repeat_places

__all__ = [
    "Accuracy",
    "Concentration",
    "Controls",
    "Efficiency",
    "HotspotReport",
    "RepeatPlaces",
    "WeightedDisplacement",
    "choose_controls",
    "concentration",
    "hit_rate",
    "hotspot_report",
    "prediction_accuracy_index",
    "prediction_efficiency_index",
    "repeat_places",
    "weighted_displacement_difference",
]
