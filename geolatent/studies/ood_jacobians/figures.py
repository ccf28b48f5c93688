"""The paper's six figures and its two tables of reconstructions, and Figure 7 beyond it."""

from math import ceil

import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from geolatent import datasets
from geolatent.plots import curves, image_grid, line_styles, spectrum_boxes
from geolatent.studies.ood_jacobians.measurement import JACOBIANS, SCORES
from geolatent.studies.ood_jacobians.sweep import Measurement

CAPTIONS = {
    "figure_1": "Figure 1. Squared difference of the spectra of J_I and J_L, per latent dimension, by d: "
    "mean over the "
    "images and over the seeds; the band spans the seeds of the trained set.",
    "figure_2": "Figure 2. Arithmetic and geometric means of |λ| by latent dimension, for J_I and J_L; "
    "mean over "
    "the seeds; the band spans those of the trained set.",
    "figure_3": "Figure 3. log|λ| by latent dimension on each set (boxes: middle half; whiskers: 5 to "
    "95 percent; "
    "first seed).",
    "figure_4": "Figure 4. Standard deviation of log|λ| by latent dimension; mean over the seeds, the "
    "band "
    "spans those of the trained set.",
    "figure_5": "Figure 5. Above: fraction of images at which the map reverses orientation, among those where "
    "the sign of the determinant is determined (left out where these are fewer than twenty). Below: fraction of "
    "images with a determinant too near zero to have a sign.",
    "figure_6": "Figure 6. |Arg λ| by latent dimension on each set (boxes: middle half; whiskers: 5 to "
    "95 percent; "
    "first seed). Real eigenvalues lie at 0 and at π.",
    "figure_7": "Figure 7 (beyond the paper). AUROC of three out-of-distribution scores by latent "
    "dimension, mean over "
    "the ten random sets; bands span the sets and seeds.",
    "table_I": "Table I. One unseen image of each class and its reconstructions by latent dimension (first seed).",
    "table_II": "Table II. One image of each random set and its reconstructions by latent dimension (first seed).",
}
_TEX = {"J_I": "$J_I$", "J_L": "$J_L$"}
_PLAIN_LABELS = {
    "digits": "Digits (trained)",
    "mnist": "MNIST (trained)",
    "fashion-mnist": "Fashion-MNIST (trained)",
    "uniform": "Uniform",
}
_DIMENSION = "latent dimension $d$"


def draw_figures(measurements: list[Measurement], tables: dict[str, pd.DataFrame]) -> dict[str, Figure]:
    """All figures by name."""
    statistics = tables["statistics"]
    trained_on = measurements[0].trained_on
    statistics = statistics[statistics["set"].isin([trained_on, *datasets.RANDOM_PIXELS])]
    fractions = {"reversed": "fraction reversed", "undetermined": "fraction undetermined"}
    means = {
        "arithmetic mean": r"arithmetic mean of $|\lambda|$",
        "geometric mean": r"geometric mean of $|\lambda|$",
    }
    spread = {"std log|lambda|": r"std of $\log\,|\lambda|$"}
    return {
        "figure_1": _difference(statistics, trained_on),
        "figure_2": _by_jacobian(statistics, trained_on, means, logarithmic="geometric mean"),
        "figure_3": _boxes(measurements, "log|lambda| box", r"$\log\,|\lambda|$"),
        "figure_4": _by_jacobian(statistics, trained_on, spread),
        "figure_5": _by_jacobian(statistics, trained_on, fractions),
        "figure_6": _boxes(measurements, "|Arg lambda| box", r"$|\mathrm{Arg}\,\lambda|$ (rad)"),
        "figure_7": _detection(statistics, trained_on),
        "table_I": _examples(measurements, "examples_trained"),
        "table_II": _examples(measurements, "examples_random"),
    }


def set_label(name: str) -> str:
    """A set's name as it is read: "beta-0.8-5" is "Beta (0.8, 5)"."""
    if name in _PLAIN_LABELS:
        return _PLAIN_LABELS[name]
    family, *parameters = name.split("-")
    return f"{family.capitalize()} ({', '.join(parameters)})"


def _difference(statistics: pd.DataFrame, trained_on: str) -> Figure:
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    _draw_curves(axes, statistics, trained_on, "squared difference, mean")
    axes.set(yscale="log", xlabel=_DIMENSION, ylabel=r"$\|\lambda_I - \lambda_L\|^2 / d$")
    _legend_below(figure, axes, columns=4)
    return figure


def _by_jacobian(
    statistics: pd.DataFrame, trained_on: str, quantities: dict[str, str], logarithmic: str | None = None
) -> Figure:
    """One row a quantity, one column a Jacobian."""
    rows = len(quantities)
    figure = Figure(figsize=(9, 1.6 + 3.0 * rows), layout="constrained")
    grid = figure.subplots(rows, 2, sharex=True, sharey="row", squeeze=False)
    for row, (quantity, label) in zip(grid, quantities.items(), strict=True):
        for axes, jacobian in zip(row, JACOBIANS, strict=True):
            _draw_curves(axes, statistics, trained_on, f"{jacobian} {quantity}")
            axes.set_yscale("log" if quantity == logarithmic else "linear")
        row[0].set_ylabel(label)
    for axes, jacobian in zip(grid[0], JACOBIANS, strict=True):
        axes.set_title(_TEX[jacobian])
    for axes in grid[-1]:
        axes.set_xlabel(_DIMENSION)
    _legend_below(figure, grid[0, 0], columns=4)
    return figure


def _draw_curves(axes: Axes, statistics: pd.DataFrame, trained_on: str, quantity: str) -> None:
    by_seed = statistics.groupby(["set", "d"], sort=False)[quantity].agg(["mean", "min", "max"])
    names = [trained_on, *datasets.RANDOM_PIXELS]
    dims = sorted(statistics["d"].unique())
    tables = {set_label(name): by_seed.loc[name].loc[dims] for name in names}
    trained = set_label(trained_on)
    curves(
        axes,
        dims,
        {label: list(table["mean"]) for label, table in tables.items()},
        line_styles(list(tables), emphasised=trained),
        spread={trained: (list(tables[trained]["min"]), list(tables[trained]["max"]))},
    )


def _boxes(measurements: list[Measurement], statistic: str, label: str) -> Figure:
    """One panel a set, one pair of boxes a latent dimension; the legend takes the last cell."""
    first = [one for one in measurements if one.seed == measurements[0].seed]
    names = [measurements[0].trained_on, *datasets.RANDOM_PIXELS]
    rows = ceil((len(names) + 1) / 3)
    figure = Figure(figsize=(10, 2.3 * rows), layout="constrained")
    cells = figure.subplots(rows, 3, sharex=True, sharey=True).ravel()
    for axes, name in zip(cells, names, strict=False):
        boxes = {
            _TEX[jacobian]: [one.values[f"{name}/{jacobian} {statistic}"].tolist() for one in first]
            for jacobian in JACOBIANS
        }
        spectrum_boxes(axes, [str(one.latent_dim) for one in first], boxes)
        axes.set_title(set_label(name), fontsize="medium")
    for axes in cells[len(names) :]:
        axes.set_axis_off()
    cells[len(names)].legend(*cells[0].get_legend_handles_labels(), loc="center", frameon=False, fontsize="large")
    cells[len(names) - 3].tick_params(labelbottom=True)
    figure.supxlabel(_DIMENSION, fontsize="medium")
    figure.supylabel(label, fontsize="medium")
    return figure


def _detection(statistics: pd.DataFrame, trained_on: str) -> Figure:
    figure = Figure(figsize=(8, 4.2), layout="constrained")
    axes = figure.subplots()
    outside = statistics[statistics["set"] != trained_on].groupby("d")
    summaries = {score: outside[f"AUROC, {score}"].agg(["mean", "min", "max"]) for score in SCORES}
    curves(
        axes,
        sorted(statistics["d"].unique()),
        {score: list(table["mean"]) for score, table in summaries.items()},
        line_styles(list(SCORES)),
        spread={score: (list(table["min"]), list(table["max"])) for score, table in summaries.items()},
    )
    axes.axhline(0.5, color="0.5", linewidth=1.0, linestyle=":")
    axes.set(xlabel=_DIMENSION, ylabel="AUROC", ylim=(min(0.45, axes.get_ylim()[0]), 1.02))
    _legend_below(figure, axes, columns=3)
    return figure


def _examples(measurements: list[Measurement], name: str) -> Figure:
    """Inputs in the first row, then reconstructions, one row a latent dimension."""
    first = [one for one in measurements if one.seed == measurements[0].seed]
    images = torch.stack([first[0].values[name][0], *(one.values[name][1] for one in first)])
    if name == "examples_random":
        columns = [set_label(one).replace(" (", "\n(") for one in datasets.RANDOM_PIXELS]
    else:
        columns = [str(k) for k in range(images.shape[1])]
    figure = Figure(figsize=(8, 0.74 * len(images) + 0.5), layout="constrained")
    axes = figure.subplots()
    image_grid(axes, images, ["input", *(f"$d = {one.latent_dim}$" for one in first)], columns)
    axes.tick_params(labelsize="small" if name == "examples_random" else "medium")
    return figure


def _legend_below(figure: Figure, axes: Axes, columns: int) -> None:
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=columns, frameon=False)
