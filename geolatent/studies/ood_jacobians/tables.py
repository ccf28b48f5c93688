"""The numbers behind figures and verdicts."""

import pandas as pd

from geolatent.studies.ood_jacobians.measurement import JACOBIANS, SCORES
from geolatent.studies.ood_jacobians.sweep import Measurement

CAPTIONS = {
    "detection": "Out-of-distribution detection: AUROC against unseen images of the training distribution, "
    "mean and "
    "worst over all autoencoders.",
    "models": "The autoencoders: reconstruction error (mean squared error a pixel) and the share of the "
    "pixels' "
    "variance that the reconstruction explains.",
    "theorem": "Theorem I.1: departure of the d leading eigenvalues from 1 for linear projectors.",
    "statistics": "All statistics by latent dimension d, seed and set; \u201creversed\u201d is the fraction "
    "among images "
    "whose orientation is determined.",
}
_OF_A_SET = ("squared difference, mean", "squared difference, median", "reconstruction error")
_OF_A_JACOBIAN = (
    "arithmetic mean",
    "geometric mean",
    "std log|lambda|",
    "reversed",
    "undetermined",
    "zero eigenvalues",
)


def tabulate(measurements: list[Measurement], theorem: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The tables of the report."""
    return {
        "detection": _detection(measurements),
        "models": _models(measurements),
        "theorem": theorem,
        "statistics": _statistics(measurements),
    }


def _statistics(measurements: list[Measurement]) -> pd.DataFrame:
    names = [*_OF_A_SET, *(f"{jacobian} {name}" for name in _OF_A_JACOBIAN for jacobian in JACOBIANS)]
    areas = [f"AUROC, {score}" for score in SCORES]
    rows = []
    for one in measurements:
        for label in one.sets:
            row: dict[str, object] = {"d": one.latent_dim, "seed": one.seed, "set": label}
            row |= {name: float(one.values[f"{label}/{name}"]) for name in names}
            if label != one.trained_on:
                row |= {name: float(one.values[f"{label}/{name}"]) for name in areas}
            rows.append(row)
    return pd.DataFrame(rows, columns=["d", "seed", "set", *names, *areas])


def _detection(measurements: list[Measurement]) -> pd.DataFrame:
    statistics = _statistics(measurements)
    outside = statistics[statistics["set"] != measurements[0].trained_on]
    areas = outside[[f"AUROC, {score}" for score in SCORES]].set_axis(list(SCORES), axis=1)
    by_set = areas.groupby(outside["set"], sort=False)
    table = by_set.mean().add_suffix(", mean").join(by_set.min().add_suffix(", worst")).reset_index()
    return table[["set", *(f"{score}, {which}" for score in SCORES for which in ("mean", "worst"))]]


def _models(measurements: list[Measurement]) -> pd.DataFrame:
    rows = []
    for one in measurements:
        rows.append(
            {
                "d": one.latent_dim,
                "seed": one.seed,
                "training loss": float(one.values["training_loss"]),
                "reconstruction error": float(one.values[f"{one.trained_on}/reconstruction error"]),
                "variance explained": explained_share(one),
            }
        )
    return pd.DataFrame(rows)


def explained_share(one: Measurement) -> float:
    """Share of the pixels' variance that the reconstruction of the trained set explains; at most 1."""
    error = one.values[f"{one.trained_on}/reconstruction error"]
    return float(1 - error / one.values[f"{one.trained_on}/pixel variance"])
