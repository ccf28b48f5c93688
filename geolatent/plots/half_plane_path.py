"""A path of univariate Gaussians in the half-plane of means and standard deviations."""

from matplotlib.axes import Axes

from geolatent.manifolds import DiagonalGaussian
from geolatent.plots.styles import COLOURS


def half_plane_path(
    axes: Axes,
    path: DiagonalGaussian,
    coordinate: int = 0,
    *,
    colour: str = COLOURS[0],
    linestyle: str = "-",
    label: str | None = None,
) -> Axes:
    r"""Draw a path in the half-plane of means and standard deviations, the start a disc and the end a square.

    Geodesics of Fisher and Rao are vertical lines and half-ellipses :math:`(\mu - c)^2 / 2 + \sigma^2 = r^2`; the line
    :math:`\sigma = 0` lies at infinite distance.

    Args:
        axes: where to draw; the ordinate starts at zero, both axes get one unit.
        path: Gaussians of batch shape (steps,).
        coordinate: the coordinate shown.
        colour: of everything.
        linestyle: of the line.
        label: legend entry.

    Returns:
        The same axes.

    Raises:
        ValueError: if the batch shape is not (steps,) or the coordinate does not exist.
    """
    if path.loc.ndim != 2 or not 0 <= coordinate < path.loc.shape[1]:
        raise ValueError(
            f"path must have loc of shape (steps, n) with n > coordinate = {coordinate}; got {tuple(path.loc.shape)}: "
            "draw one path at a time"
        )
    loc = path.loc[:, coordinate].detach().cpu().double().numpy()
    scale = path.scale[:, coordinate].detach().cpu().double().numpy()
    axes.plot(loc, scale, color=colour, linestyle=linestyle, linewidth=1.6, label=label)
    for i, marker in ((0, "o"), (-1, "s")):
        axes.plot(loc[i], scale[i], marker=marker, color=colour, markersize=5)
    axes.set_aspect("equal", adjustable="box")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("mean")
    axes.set_ylabel("standard deviation")
    axes.grid(visible=True, color="0.9", linewidth=0.6)
    axes.set_axisbelow(True)
    return axes
