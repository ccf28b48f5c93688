import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse
from matplotlib.transforms import Affine2D

from geolatent.manifolds import DiagonalGaussian, Gaussian
from geolatent.plots import gaussian_path


def outline(ellipse: Ellipse) -> np.ndarray:
    """Points of the ellipse in data coordinates."""
    finely = ellipse.get_patch_transform() + Affine2D().scale(1000.0)  # curves become polygons of pixel size
    return ellipse.get_path().transformed(finely).to_polygons()[0] / 1000.0


def full_path() -> Gaussian:
    factor = torch.tensor([[1.0, 0.0, 0.0], [0.3, 0.5, 0.0], [0.2, -0.4, 2.0]])
    covariance = factor @ factor.mT * torch.tensor([1.0, 2.0, 3.0])[:, None, None]
    return Gaussian(torch.arange(9.0).reshape(3, 3), covariance)


def test_ellipses_lie_where_the_quadratic_form_is_one():
    path = full_path()
    axes = Figure().subplots()
    assert gaussian_path(axes, path, coordinates=(2, 0), deviations=2.0, label="path") is axes
    ellipses = [patch for patch in axes.patches if isinstance(patch, Ellipse)]
    assert len(ellipses) == 3
    for ellipse, loc, covariance in zip(ellipses, path.loc, path.covariance_matrix, strict=True):
        on_it = outline(ellipse) - loc[[2, 0]].numpy()
        form = np.einsum("mi,ij,mj->m", on_it, np.linalg.inv(covariance[[2, 0]][:, [2, 0]].numpy()), on_it)
        np.testing.assert_allclose(form, 4.0, rtol=1e-3)
    np.testing.assert_allclose(axes.lines[0].get_xydata(), path.loc[:, [2, 0]])
    assert [line.get_marker() for line in axes.lines[1:]] == ["o", "s"]
    assert axes.get_legend_handles_labels()[1] == ["path"]
    assert axes.get_xlabel() == "coordinate 2"


def test_diagonal_paths_and_gradients_are_no_obstacle():
    path = DiagonalGaussian(torch.zeros(2, 2, requires_grad=True), torch.tensor([[3.0, 1.0], [1.0, 2.0]]))
    axes = gaussian_path(Figure().subplots(), path)
    low, high = outline(axes.patches[0]).min(0), outline(axes.patches[0]).max(0)
    np.testing.assert_allclose([*low, *high], [-3, -1, 3, 1], rtol=1e-3)


def test_refuses_batches_of_paths_and_missing_coordinates():
    path = full_path()
    with pytest.raises(
        ValueError, match=r"path must have batch shape \(steps,\), loc \(steps, n\); got .* \(1, 3, 3\)"
    ):
        gaussian_path(Figure().subplots(), Gaussian(*(x[None] for x in path)))
    for coordinates in ((0, 3), (0,), (-1, 0)):
        with pytest.raises(ValueError, match=r"coordinates must be two of 0 ... 2; got"):
            gaussian_path(Figure().subplots(), path, coordinates)
