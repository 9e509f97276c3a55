"""Kernel density of events inside a boundary, and its change between two windows."""

from geo.density.change import DensityChange, density_change
from geo.density.surface import Surface, kernel_density

__all__ = ["DensityChange", "Surface", "density_change", "kernel_density"]
