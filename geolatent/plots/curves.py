"""One line a data set over a common abscissa, such as the latent dimension."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator

from geolatent.plots.styles import LineStyle


def curves(
    axes: Axes,
    x: Sequence[float],
    series: Mapping[str, Sequence[float]],
    styles: Mapping[str, LineStyle],
    spread: Mapping[str, tuple[Sequence[float], Sequence[float]]] | None = None,
) -> Axes:
    """Draw one line a series, with an optional band from the lowest to the highest of its repeats.

    Args:
        axes: where to draw.
        x: common abscissa, length k; each value becomes a tick where there are at most ten.
        series: label -> k ordinates.
        styles: label -> line style (:func:`geolatent.plots.line_styles`).
        spread: label -> (lowest, highest), k values each.

    Returns:
        The same axes.
    """
    for label, values in series.items():
        style = styles[label]
        axes.plot(x, values, label=label, **style._asdict())
        if spread is not None and label in spread:
            low, high = spread[label]
            axes.fill_between(x, low, high, color=style.color, alpha=0.12, linewidth=0)
    ticks = list(x) if len(x) <= 10 else list(x)[::2]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.grid(visible=True, color="0.9", linewidth=0.6)
    axes.set_axisbelow(True)
    return axes
