"""Box plots of spectral statistics from their quantiles."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FixedFormatter, FixedLocator

from geolatent.plots.styles import COLOURS

#: Quantile levels of a box: whiskers, box edges and median.
BOX_LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


def spectrum_boxes(axes: Axes, positions: Sequence[str], boxes: Mapping[str, Sequence[Sequence[float]]]) -> Axes:
    """Draw side by side, at each position, one box a series.

    Boxes span the middle half, whiskers the middle 90 percent; drawing from quantiles keeps any number of
    eigenvalues in constant memory.

    Args:
        axes: where to draw.
        positions: tick labels, length k; every second one is written where there are more than ten.
        boxes: label -> k rows of five quantiles at :data:`BOX_LEVELS`; a row that holds NaN is left out.

    Returns:
        The same axes, with one legend handle a series.
    """
    width = 0.8 / max(len(boxes), 1)
    for i, (label, rows) in enumerate(boxes.items()):
        centres = [k + (i - (len(boxes) - 1) / 2) * width for k in range(len(positions))]
        kept = [(c, row) for c, row in zip(centres, rows, strict=True) if all(q == q for q in row)]
        keys = ("whislo", "q1", "med", "q3", "whishi")
        colour = COLOURS[i % len(COLOURS)]
        axes.bxp(
            [dict(zip(keys, row, strict=True)) for _, row in kept],
            positions=[centre for centre, _ in kept],
            widths=0.85 * width,
            showfliers=False,
            showcaps=False,
            patch_artist=True,
            manage_ticks=False,
            boxprops={"facecolor": colour, "edgecolor": colour, "alpha": 0.55, "linewidth": 0.8},
            medianprops={"color": "black", "linewidth": 1.2},
            whiskerprops={"color": colour, "linewidth": 1.0},
        )
        axes.bar([0], [0], width=0, color=colour, alpha=0.55, label=label)
    step = 1 if len(positions) <= 10 else 2
    axes.xaxis.set_major_locator(FixedLocator(list(range(0, len(positions), step))))
    axes.xaxis.set_major_formatter(FixedFormatter(list(positions[::step])))
    axes.set_xlim(-0.6, len(positions) - 0.4)
    axes.grid(visible=True, axis="y", color="0.9", linewidth=0.6)
    axes.set_axisbelow(True)
    return axes
