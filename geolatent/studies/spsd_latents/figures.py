"""The study's figures."""

import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from geolatent.embeddings.strata import FLOAT32_RESOLUTION
from geolatent.plots import curves, image_grid, line_styles
from geolatent.plots.styles import COLOURS
from geolatent.studies.spsd_latents.measurement import ANGLES, KERNELS
from geolatent.studies.spsd_latents.sweep import REPRESENTATIONS, Measurement

CAPTIONS = {
    "figure_1": "Figure 1. Ranks of S1, S2 and S3 over the test images, without noise and with the most (first seed).",
    "figure_2": "Figure 2. PSNR of the reconstruction against the clean image by noise in the input; mean over images "
    "and seeds, bands span the seeds.",
    "figure_3": "Figure 3. Hilbert dimension (95 % of the positive spectrum) by noise, from the product distance and "
    "from the log-projection distance; mean over the seeds, bands span them. The two are measured on different numbers "
    "of images, and a dimension grows with their number: it is at most one less.",
    "figure_4": "Figure 4. Mean of the leading principal angles between the subspaces of clean and noisy codes; mean "
    "over the seeds, bands span them.",
    "figure_5": "Figure 5. t-SNE map of clean codes (dots) and of those with the most noise (crosses), coloured by "
    "digit; log-projection distance, first seed.",
    "figure_6": "Figure 6. Eigenvalues of S1, S2 and S3 of clean codes relative to the largest: median over the test "
    "images, band from 5 to 95 percent, first seed. The dotted line is the tolerance of the rank, the grey band the "
    "decade to each side.",
    "figure_7": "Figure 7. One test image of each class, without noise and below it with the most, and the "
    "reconstructions from each kind of codes (first seed).",
}
_NOISE = r"noise $\sigma$"
_CODES = [name for names in REPRESENTATIONS.values() for name in names]


def draw_figures(measurements: list[Measurement], tables: dict[str, pd.DataFrame]) -> dict[str, Figure]:
    """All figures by name."""
    first = [one for one in measurements if one.seed == measurements[0].seed]
    noise = tables["noise"]
    dimensions = {f"dimension, {name}": f"{name} distance" for name in KERNELS}
    angles = {f"angle, {name}": name for name in ANGLES}
    return {
        "figure_1": _rank_histograms(first),
        "figure_2": _by_noise(noise, {"PSNR": ""}, "PSNR (dB)"),
        "figure_3": _by_noise(noise, dimensions, "Hilbert dimension"),
        "figure_4": _by_noise(noise, angles, "mean angle (degrees)"),
        "figure_5": _maps(first),
        "figure_6": _spectra(first),
        "figure_7": _examples(first),
    }


def _rank_histograms(first: list[Measurement]) -> Figure:
    figure = Figure(figsize=(9, 1.2 + 1.7 * len(first)), layout="constrained")
    grid = figure.subplots(len(first), 3, sharex="col", sharey=True, squeeze=False)
    for row, one in zip(grid, first, strict=True):
        clean, noisy = one.values["ranks"][0].numpy(), one.values["ranks"][-1].numpy()
        for k, axes in enumerate(row):
            for offset, ranks, colour, label in (
                (-0.2, clean[:, k], COLOURS[0], r"$\sigma = 0$"),
                (0.2, noisy[:, k], COLOURS[1], rf"$\sigma = {one.values['noise'][-1]:g}$"),
            ):
                values, counts = np.unique(ranks, return_counts=True)
                axes.bar(values + offset, counts / len(ranks), width=0.4, color=colour, label=label)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8, min_n_ticks=1))
            axes.set_ylim(0, 1.05)
        row[0].set_ylabel(one.representation)
    for k, axes in enumerate(grid[0]):
        axes.set_title(f"$S_{k + 1}$")
        grid[-1, k].set_xlabel(f"rank of $S_{k + 1}$")
        _show_full_rank(grid[-1, k], int(first[0].values["full ranks"][k]))
    figure.supylabel("share of images", fontsize="medium")
    _legend_below(figure, grid[0, 0], columns=2)
    return figure


def _show_full_rank(axes: Axes, full: int) -> None:
    """Make room up to the greatest rank possible, and for one rank at least to its left."""
    low, _ = axes.get_xlim()
    axes.set_xlim(min(low, full - 1.5), full + 0.7)


def _by_noise(noise: pd.DataFrame, quantities: dict[str, str], label: str) -> Figure:
    """One panel a quantity, one line a kind of codes."""
    figure = Figure(figsize=(max(6.5, 3.6 * len(quantities)), 4.0), layout="constrained")
    panels = figure.subplots(1, len(quantities), squeeze=False)[0]
    for axes, (quantity, title) in zip(panels, quantities.items(), strict=True):
        by_seed = noise.groupby(["codes", "σ"], sort=False)[quantity].agg(["mean", "min", "max"])
        runs = {codes: by_seed.loc[codes] for codes in _CODES}
        curves(
            axes,
            list(runs[_CODES[0]].index),
            {codes: list(run["mean"]) for codes, run in runs.items()},
            line_styles(_CODES),
            spread={codes: (list(run["min"]), list(run["max"])) for codes, run in runs.items()},
        )
        axes.set(xlabel=_NOISE, title=title)
        if quantity.startswith("dimension"):
            axes.yaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    panels[0].set_ylabel(label)
    _legend_below(figure, panels[0], columns=4)
    return figure


def _maps(first: list[Measurement]) -> Figure:
    figure = Figure(figsize=(8.5, 8.5), layout="constrained")
    panels = figure.subplots(2, 2).ravel()
    for axes, one in zip(panels, first, strict=True):
        clean, noisy = one.values["map"].numpy()
        for label in one.values["labels"].unique().tolist():
            of_label = (one.values["labels"] == label).numpy()
            colour = f"C{label}"
            axes.scatter(*clean[of_label].T, s=14, color=colour, label=str(label), linewidths=0)
            axes.scatter(*noisy[of_label].T, s=14, color=colour, marker="x", linewidths=0.8)
        axes.set(title=one.representation, xticks=[], yticks=[], aspect="equal")
        axes.set_adjustable("datalim")
    _legend_below(figure, panels[0], columns=10)
    return figure


def _spectra(first: list[Measurement]) -> Figure:
    figure = Figure(figsize=(9.5, 4.2), layout="constrained")
    panels = figure.subplots(1, 3, sharey=True)
    styles = line_styles([one.representation for one in first])
    levels = torch.tensor([0.05, 0.5, 0.95], dtype=torch.float64)
    for k, axes in enumerate(panels):
        for one in first:
            values = one.values[f"eigenvalues of S{k + 1}"][0].flip(-1)
            relative = (values / values[:, :1]).clamp_min(1e-18)
            low, median, high = relative.quantile(levels, dim=0).numpy()
            index = np.arange(1, len(median) + 1)
            style = styles[one.representation]._replace(markersize=2.5)
            axes.plot(index, median, label=one.representation, **style._asdict())
            axes.fill_between(index, low, high, color=style.color, alpha=0.12, linewidth=0)
        tolerance = values.shape[1] * FLOAT32_RESOLUTION
        axes.axhspan(tolerance / 10, tolerance * 10, color="0.9", zorder=0)
        axes.axhline(tolerance, color="0.4", linestyle=":", linewidth=1.0)
        axes.set(yscale="log", xlabel=f"eigenvalue of $S_{k + 1}$", ylim=(1e-13, 2))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    panels[0].set_ylabel("relative to the largest")
    _legend_below(figure, panels[0], columns=4)
    return figure


def _examples(first: list[Measurement]) -> Figure:
    """Inputs in the first two rows, then reconstructions from each kind of codes, without noise and with the most."""
    shown, rows = [*first[0].values["inputs"]], ["input", "noisy"]
    for one in first:
        shown += [*one.values["reconstructions"]]
        rows += [one.representation, "noisy"]
    columns = [str(label) for label in first[0].values["labels"].unique().tolist()]
    figure = Figure(figsize=(8.5, 0.74 * len(rows) + 0.5), layout="constrained")
    image_grid(figure.subplots(), torch.stack(shown), rows, columns)
    return figure


def _legend_below(figure: Figure, axes: Axes, columns: int) -> None:
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=columns, frameon=False)
