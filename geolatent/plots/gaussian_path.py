"""A path of Gaussians as ellipses."""

from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Ellipse
from torch import Tensor

from geolatent.manifolds import DiagonalGaussian, Gaussian
from geolatent.plots.styles import COLOURS


def gaussian_path(
    axes: Axes,
    path: DiagonalGaussian | Gaussian,
    coordinates: Sequence[int] = (0, 1),
    deviations: float = 1.0,
    *,
    colour: str = COLOURS[0],
    label: str | None = None,
) -> Axes:
    r"""Draw a path of Gaussians: its means as a line, an ellipse around each, the start a disc and the end a square.

    .. math:: (x - \mu)^\top \Sigma^{-1} (x - \mu) = c^2

    for the marginal in two coordinates; ellipses of the interior are pale, those of the two ends strong.

    Args:
        axes: where to draw; both axes get one unit.
        path: Gaussians of batch shape (steps,) in at least two dimensions.
        coordinates: the two coordinates shown.
        deviations: size c of the ellipses in standard deviations.
        colour: of everything.
        label: legend entry.

    Returns:
        The same axes.

    Raises:
        ValueError: if the batch shape is not (steps,) or a coordinate does not exist.
    """
    loc, covariance = _marginals(path, list(coordinates))
    axes.plot(*loc.T, color=colour, linewidth=1.2, label=label, zorder=3)
    values, vectors = np.linalg.eigh(covariance)
    last = len(loc) - 1
    for i, (centre, lengths, directions) in enumerate(zip(loc, np.sqrt(values), vectors, strict=True)):
        end = i in (0, last)
        angle = float(np.degrees(np.arctan2(directions[1, 1], directions[0, 1])))
        width, height = 2 * deviations * lengths[::-1]
        axes.add_patch(
            Ellipse(
                (float(centre[0]), float(centre[1])),
                float(width),
                float(height),
                angle=angle,
                fill=False,
                edgecolor=colour,
                alpha=1.0 if end else 0.35,
                linewidth=1.6 if end else 0.9,
            )
        )
    for i, marker in ((0, "o"), (last, "s")):
        axes.plot(*loc[i], marker=marker, color=colour, markersize=5, zorder=4)
    axes.set_aspect("equal", adjustable="box")
    axes.autoscale_view()
    axes.set_xlabel(f"coordinate {coordinates[0]}")
    axes.set_ylabel(f"coordinate {coordinates[1]}")
    return axes


def _marginals(path: DiagonalGaussian | Gaussian, coordinates: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Means (steps, 2) and covariances (steps, 2, 2) of the two coordinates."""
    n = path.loc.shape[-1] if path.loc.ndim else 0
    if path.loc.ndim != 2:
        raise ValueError(
            f"path must have batch shape (steps,), loc (steps, n); got loc of shape {tuple(path.loc.shape)}: draw one "
            "path at a time"
        )
    if len(coordinates) != 2 or not all(0 <= k < n for k in coordinates):
        raise ValueError(
            f"coordinates must be two of 0 ... {n - 1}; got {coordinates}: for univariate paths see half_plane_path"
        )
    covariance: Tensor
    if isinstance(path, DiagonalGaussian):
        covariance = torch.diag_embed(path.scale[:, coordinates].square())
    else:
        covariance = path.covariance_matrix[:, coordinates][:, :, coordinates]
    return path.loc[:, coordinates].detach().cpu().double().numpy(), covariance.detach().cpu().double().numpy()
