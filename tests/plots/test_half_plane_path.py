import pytest
import torch
from matplotlib.figure import Figure

from geolatent.manifolds import DiagonalGaussian
from geolatent.plots import half_plane_path


def test_draws_the_line_and_marks_its_ends():
    path = DiagonalGaussian(torch.tensor([[0.0, 5.0], [1.0, 6.0], [2.0, 8.0]]), torch.tensor([[1.0, 2.0]] * 3))
    axes = Figure().subplots()
    assert half_plane_path(axes, path, coordinate=1, label="geodesic") is axes
    assert axes.lines[0].get_xydata().tolist() == [[5.0, 2.0], [6.0, 2.0], [8.0, 2.0]]
    assert [(line.get_marker(), line.get_xdata()[0]) for line in axes.lines[1:]] == [("o", 5.0), ("s", 8.0)]
    assert axes.get_ylim()[0] == 0
    assert axes.get_legend_handles_labels()[1] == ["geodesic"]


@pytest.mark.parametrize(("shape", "coordinate"), [((3,), 0), ((1, 3, 1), 0), ((3, 1), 1)])
def test_refuses_other_shapes(shape, coordinate):
    path = DiagonalGaussian(torch.zeros(shape), torch.ones(shape))
    with pytest.raises(ValueError, match=r"path must have loc of shape \(steps, n\) with n > coordinate"):
        half_plane_path(Figure().subplots(), path, coordinate)
