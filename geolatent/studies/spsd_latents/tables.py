"""The numbers behind figures and verdicts."""

import pandas as pd
import torch
from torch import Tensor

from geolatent.studies.spsd_latents.measurement import ANGLES, KERNELS, POLICIES, TOLERANCES
from geolatent.studies.spsd_latents.sweep import Measurement

CAPTIONS = {
    "models": "The models on unseen clean images: training loss (squared error a pixel; the VAE's negative bound in "
    "nats), PSNR, and the share of the pixels' variance that the reconstruction explains; mean angle in degrees "
    "between the subspaces of two draws of the sampled codes.",
    "ranks": "Ranks of S1, S2 and S3 over the test images, without noise and with the most; \u201cfull\u201d is the "
    "share of images whose matrix has the greatest rank possible.",
    "strata": "Strata: how many test images lie on each triple of ranks, the six most frequent of each case.",
    "noise": "By noise level σ: PSNR against the clean image, Hilbert dimension (95 %) and negative mass in both "
    "geometries, and mean principal angle in degrees between the subspaces of clean and noisy codes.",
    "tolerance": "Ablation: ranks of clean codes, with the tolerance of the rank multiplied by a factor.",
    "geometry": "Ablation: Hilbert dimension and negative mass of the clean codes of the same images under the three "
    "policies for unequal ranks, and by the log-projection distance. \u201craise\u201d takes the largest stratum only.",
}
_MATRICES = ("S1", "S2", "S3")
_SHOWN_STRATA = 6


def tabulate(measurements: list[Measurement]) -> dict[str, pd.DataFrame]:
    """The tables of the report."""
    return {
        "models": pd.concat([_model(one) for one in measurements], ignore_index=True),
        "ranks": pd.concat([_ranks(one) for one in measurements], ignore_index=True),
        "strata": pd.concat([_strata(one) for one in measurements], ignore_index=True),
        "noise": pd.concat([_by_noise(one) for one in measurements], ignore_index=True),
        "tolerance": pd.concat([_by_tolerance(one) for one in measurements], ignore_index=True),
        "geometry": pd.concat([_geometry(one) for one in measurements], ignore_index=True),
    }


def explained_share(one: Measurement) -> float:
    """Share of the pixels' variance that the reconstruction of clean test images explains; at most 1."""
    return float(1 - one.values["error"] / one.values["pixel variance"])


def _table(one: Measurement, rows: list[dict[str, object]]) -> pd.DataFrame:
    return pd.DataFrame([{"codes": one.representation, "seed": one.seed, **row} for row in rows])


def _model(one: Measurement) -> pd.DataFrame:
    row: dict[str, object] = {
        "training loss": float(one.values["training loss"]),
        "PSNR": float(one.values["psnr"][0].mean()),
        "variance explained": explained_share(one),
    }
    for name in ANGLES:
        if f"{name}/angles of two draws" in one.values:
            row[f"angle of two draws, {name}"] = _mean_degrees(one.values[f"{name}/angles of two draws"])
    return _table(one, [row])


def _mean_degrees(angles: Tensor) -> float:
    return float(angles.rad2deg().nanmean())


def _ends(one: Measurement) -> list[tuple[float, int]]:
    """The first and the last noise level, with their places."""
    levels = one.values["noise"].tolist()
    return [(levels[0], 0), (levels[-1], -1)]


def _spread(ranks: Tensor, full: int) -> dict[str, object]:
    """Describe the ranks (N,) of one matrix."""
    return {
        "least": int(ranks.min()),
        "median": int(ranks.median()),
        "greatest": int(ranks.max()),
        "possible": full,
        "full": float((ranks == full).double().mean()),
    }


def _ranks(one: Measurement) -> pd.DataFrame:
    full = one.values["full ranks"].tolist()
    rows: list[dict[str, object]] = []
    for level, place in _ends(one):
        ranks = one.values["ranks"][place]
        for k, matrix in enumerate(_MATRICES):
            rows.append({"σ": level, "matrix": matrix, **_spread(ranks[:, k], full[k])})
    return _table(one, rows)


def _strata(one: Measurement) -> pd.DataFrame:
    rows: list[dict[str, object]] = []
    for level, place in _ends(one):
        ranks = one.values["ranks"][place]
        strata, counts = ranks.unique(dim=0, return_counts=True)
        for k in counts.argsort(descending=True, stable=True)[:_SHOWN_STRATA].tolist():
            triple = {f"rank of {matrix}": rank for matrix, rank in zip(_MATRICES, strata[k].tolist(), strict=True)}
            images = int(counts[k])
            rows.append({"σ": level, "strata": len(strata), **triple, "images": images, "share": images / len(ranks)})
    return _table(one, rows)


def _by_noise(one: Measurement) -> pd.DataFrame:
    rows: list[dict[str, object]] = []
    for k, level in enumerate(one.values["noise"].tolist()):
        row: dict[str, object] = {"σ": level, "PSNR": float(one.values["psnr"][k].mean())}
        row |= {f"dimension, {name}": int(one.values[f"{name}/dimension"][k]) for name in KERNELS}
        row |= {f"negative mass, {name}": float(one.values[f"{name}/negative mass"][k]) for name in KERNELS}
        row |= {f"angle, {name}": _mean_degrees(one.values[f"{name}/angles"][k]) for name in ANGLES}
        rows.append(row)
    return _table(one, rows)


def _by_tolerance(one: Measurement) -> pd.DataFrame:
    full = one.values["full ranks"].tolist()
    rows: list[dict[str, object]] = []
    for factor, ranks in zip(TOLERANCES, one.values["ranks by tolerance"][:, 0], strict=True):
        row: dict[str, object] = {"factor": factor, "strata": len(ranks.unique(dim=0))}
        for k, matrix in enumerate(_MATRICES):
            spread = _spread(ranks[:, k], full[k])
            row |= {f"{matrix} {name}": spread[name] for name in ("least", "greatest", "full")}
        rows.append(row)
    return _table(one, rows)


def _geometry(one: Measurement) -> pd.DataFrame:
    rows: list[dict[str, object]] = []
    for name in (*(f"product, {policy}" for policy in POLICIES), "log-projection, same samples"):
        samples, dimension, mass = one.values[f"ablation/{name}"].tolist()
        row = {"images": int(samples), "dimension": dimension, "negative mass": mass}
        rows.append({"distance": name.removesuffix(", same samples"), **row})
    return _table(one, rows)


def map_displacement(one: Measurement) -> float:
    """Median distance in the t-SNE map from a clean code to its noisy one, over the median distance of clean codes."""
    clean, noisy = one.values["map"].double()
    return float((clean - noisy).norm(dim=1).median() / torch.pdist(clean).median())
