"""Images in rows and columns on one Axes."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedFormatter, FixedLocator
from torch import Tensor


def image_grid(axes: Axes, images: Tensor, row_labels: Sequence[str], column_labels: Sequence[str]) -> Axes:
    """Draw a grid of grey images, 0 white and 1 black, with a label a row and a column.

    Args:
        axes: where to draw.
        images: shape (rows, columns, height, width); values outside [0, 1] are shown as the nearer bound.
        row_labels: one label a row.
        column_labels: one label a column, written on top.

    Returns:
        The same axes.

    Raises:
        ValueError: if ``images`` has another number of dimensions or does not match the labels.
    """
    if images.ndim != 4 or images.shape[:2] != (len(row_labels), len(column_labels)):
        raise ValueError(
            f"images must have shape ({len(row_labels)}, {len(column_labels)}, height, width) as the labels "
            f"say; "
            f"got {tuple(images.shape)}"
        )
    rows, columns, height, width = images.shape
    gap = max(1, width // 14)
    canvas = np.zeros((rows * (height + gap) - gap, columns * (width + gap) - gap))
    canvas[:] = np.nan
    for i in range(rows):
        for j in range(columns):
            top, left = i * (height + gap), j * (width + gap)
            canvas[top : top + height, left : left + width] = images[i, j].detach().cpu().numpy()
    axes.imshow(canvas, cmap="gray_r", vmin=0.0, vmax=1.0, interpolation="nearest")
    axes.xaxis.set_major_locator(FixedLocator([j * (width + gap) + (width - 1) / 2 for j in range(columns)]))
    axes.xaxis.set_major_formatter(FixedFormatter(list(column_labels)))
    axes.yaxis.set_major_locator(FixedLocator([i * (height + gap) + (height - 1) / 2 for i in range(rows)]))
    axes.yaxis.set_major_formatter(FixedFormatter(list(row_labels)))
    axes.tick_params(length=0, top=False, labeltop=True, bottom=False, labelbottom=False)
    axes.spines[:].set_visible(False)
    return axes
