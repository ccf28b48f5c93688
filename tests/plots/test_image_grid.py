import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from geolatent.plots import image_grid


def test_images_lie_in_reading_order_with_their_labels():
    images = torch.arange(6.0).reshape(2, 3, 1, 1).expand(2, 3, 4, 5) / 6
    axes = Figure().subplots()
    assert image_grid(axes, images, ["top", "bottom"], ["a", "b", "c"]) is axes
    canvas = axes.images[0].get_array().filled(np.nan)
    assert canvas.shape == (2 * 4 + 1, 3 * 5 + 2)
    np.testing.assert_allclose(canvas[0, [0, 6, 12]], [0, 1 / 6, 2 / 6])
    np.testing.assert_allclose(canvas[5, [0, 6, 12]], [3 / 6, 4 / 6, 5 / 6])
    assert np.isnan(canvas[4]).all()
    assert [text.get_text() for text in axes.get_yticklabels()] == ["top", "bottom"]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["a", "b", "c"]


def test_refuses_labels_that_do_not_match():
    with pytest.raises(ValueError, match=r"images must have shape \(1, 3, height, width\)"):
        image_grid(Figure().subplots(), torch.zeros(2, 3, 4, 4), ["only"], ["a", "b", "c"])
