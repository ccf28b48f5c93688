"""Line styles that stay apart in print and for colour-blind readers."""

from typing import NamedTuple

#: Okabe & Ito's palette without its yellow, which is too light on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
_MARKERS = "osD^vPX*<>h"
_DASHES = ("-", "--", ":", "-.")


class LineStyle(NamedTuple):
    """Keyword arguments of :meth:`matplotlib.axes.Axes.plot`, by ``style._asdict()``."""

    color: str
    marker: str
    linestyle: str
    linewidth: float = 1.2
    markersize: float = 4.0


def line_styles(names: list[str], emphasised: str | None = None) -> dict[str, LineStyle]:
    """One style a name: colours repeat only with another dash, markers never (up to eleven names).

    Args:
        names: what the lines show.
        emphasised: the name drawn in thick black.

    Returns:
        Style by name, in the order of ``names``.

    Example:
        >>> line_styles(["trained", "noise"], emphasised="trained")["trained"].color
        'black'
    """
    styles = {}
    plain = [name for name in names if name != emphasised]
    for i, name in enumerate(plain):
        dash = _DASHES[(i // len(COLOURS)) % len(_DASHES)]
        styles[name] = LineStyle(COLOURS[i % len(COLOURS)], _MARKERS[(i + 1) % len(_MARKERS)], dash)
    if emphasised is not None:
        styles[emphasised] = LineStyle("black", _MARKERS[0], "-", linewidth=2.4, markersize=5.0)
    return {name: styles[name] for name in names}
