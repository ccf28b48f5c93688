import numpy as np
from matplotlib.figure import Figure

from geolatent.plots import BOX_LEVELS, spectrum_boxes


def test_boxes_stand_at_the_given_quantiles():
    rows = np.quantile(np.random.default_rng(0).normal(size=1000), BOX_LEVELS)
    axes = Figure().subplots()
    assert spectrum_boxes(axes, ["2", "4"], {"J_I": [rows, rows + 1]}) is axes
    medians = [line.get_ydata()[0] for line in axes.lines if np.ptp(line.get_ydata()) == 0]
    np.testing.assert_allclose(medians, [rows[2], rows[2] + 1])
    edges = axes.patches[0].get_path().get_extents()
    np.testing.assert_allclose([edges.y0, edges.y1], [rows[1], rows[3]])


def test_a_row_of_nan_leaves_a_gap_and_each_series_has_a_legend_entry():
    axes = Figure().subplots()
    good, missing = [0.0, 1.0, 2.0, 3.0, 4.0], [float("nan")] * 5
    spectrum_boxes(axes, ["2", "4"], {"J_I": [good, missing], "J_L": [good, good]})
    assert axes.get_legend_handles_labels()[1] == ["J_I", "J_L"]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["2", "4"]
    medians = [line for line in axes.lines if np.ptp(line.get_ydata()) == 0]
    assert len(medians) == 3
