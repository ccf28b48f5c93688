"""Reusable figures: each takes matplotlib Axes, draws on them and returns them; no global state."""

from geolatent.plots.curves import curves
from geolatent.plots.gaussian_path import gaussian_path
from geolatent.plots.half_plane_path import half_plane_path
from geolatent.plots.image_grid import image_grid
from geolatent.plots.spectrum_boxes import BOX_LEVELS, spectrum_boxes
from geolatent.plots.styles import LineStyle, line_styles

__all__ = [
    "BOX_LEVELS",
    "LineStyle",
    "curves",
    "gaussian_path",
    "half_plane_path",
    "image_grid",
    "line_styles",
    "spectrum_boxes",
]
