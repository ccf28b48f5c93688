"""The paper's claims, each weighed by a stated criterion.

The questions of :mod:`geolatent.studies._claims` are asked of models, matrices and noise levels. Claims are not tested
where a model did not learn its data, and numbers of the paper only where codes and images are of its kind. The VAE's
codes are the sampled ones.
"""

import numpy as np
import pandas as pd

from geolatent.studies._claims import LEARNED, Claim, tally, verdict_table
from geolatent.studies.spsd_latents.measurement import ANGLES, KERNELS
from geolatent.studies.spsd_latents.sweep import Measurement
from geolatent.studies.spsd_latents.tables import explained_share, map_displacement

_DETERMINISTIC, _SAMPLED = ("CAE", "DAE"), "VAE (sampled)"
_PAPER_RANKS = {"S1": (5, 7), "S2": (6, 7), "S3": (29, 48)}
_OVERLAP = 0.5
_STEADY_DECIBELS, _NEAR_DECIBELS, _PAPER_DECIBELS = 1.0, 2.0, 25.0
_ZERO_DEGREES = 5.0


def weigh_claims(measurements: list[Measurement], tables: dict[str, pd.DataFrame], dataset: str) -> pd.DataFrame:
    """The "paper vs. ours" table: claim, paper, ours, verdict."""
    ranks, noise = tables["ranks"], tables["noise"]
    claims = [
        _ranks_vary(ranks),
        _ranks_in_range(ranks, dataset),
        _ranks_fixed(ranks),
        _quality_drops(noise),
        _quality_steady(noise),
        _quality_near(noise, dataset),
        _dimensions_change(noise),
        _angles_grow(noise),
        _angles_zero(noise),
        _map_spreads(measurements),
    ]
    learned = all(explained_share(one) >= LEARNED for one in measurements if one.representation != "VAE (means)")
    return verdict_table([claim._replace(testable=learned and claim.testable) for claim in claims])


def summarize_verdicts(verdicts: pd.DataFrame, tables: dict[str, pd.DataFrame]) -> str:
    """One sentence that says what was found."""
    clean = tables["strata"][tables["strata"]["σ"] == 0]
    strata = clean.groupby("codes", sort=False)["strata"].max()
    listed = ", ".join(f"{codes}: {number}" for codes, number in strata.items())
    return f"{tally(verdicts)}; number of strata that clean codes lie on, {listed}."


def _yes(answers: pd.Series) -> list[bool]:
    return [bool(answer) for answer in answers]


def _ranks_vary(ranks: pd.DataFrame) -> Claim:
    chosen = ranks[ranks["codes"].isin(_DETERMINISTIC)]
    return Claim(
        "The codes of CAE and DAE lie on several strata: their ranks vary.",
        "Abstract; ranks 5–7, 6–7 and 29–48.",
        "more than one rank occurs over the test images (model, matrix; without noise and with most)",
        _yes(chosen["least"] < chosen["greatest"]),
    )


def _ranks_in_range(ranks: pd.DataFrame, dataset: str) -> Claim:
    answers = []
    for matrix, (low, high) in _PAPER_RANKS.items():
        chosen = ranks[ranks["codes"].isin(_DETERMINISTIC) & (ranks["matrix"] == matrix)]
        common = chosen["greatest"].clip(upper=high) - chosen["least"].clip(lower=low) + 1
        either = chosen["greatest"].clip(lower=high) - chosen["least"].clip(upper=low) + 1
        answers += _yes(common / either >= _OVERLAP)
    possible = ranks.groupby("matrix")["possible"].agg(set).to_dict()
    return Claim(
        "Ranks of S1, S2 and S3 of CAE and DAE spread over 5–7, 6–7 and 29–48.",
        "Numbers of the rank histograms, on MNIST.",
        "of the ranks between the least and the greatest, in the paper or here, at least half lie in both ranges "
        "(model, matrix; without noise and with most)",
        answers,
        testable=dataset == "mnist" and possible == {"S1": {7}, "S2": {7}, "S3": {48}},
    )


def _ranks_fixed(ranks: pd.DataFrame) -> Claim:
    chosen = ranks[ranks["codes"] == _SAMPLED]
    return Claim(
        "The codes of the VAE lie on one stratum, at the greatest ranks.",
        "Abstract; ranks 7, 7 and 48.",
        "every test image has full rank (matrix; without noise and with most)",
        _yes(chosen["full"] == 1),
    )


def _lost_quality(noise: pd.DataFrame, codes: str) -> list[np.ndarray]:
    """PSNR by noise level less that of the clean images, one array a seed."""
    runs = noise[noise["codes"] == codes].groupby("seed", sort=False)["PSNR"]
    return [run.to_numpy()[1:] - run.to_numpy()[0] for _, run in runs]


def _quality_drops(noise: pd.DataFrame) -> Claim:
    lost = [run[-1] for codes in _DETERMINISTIC for run in _lost_quality(noise, codes)]
    return Claim(
        "The PSNR of CAE and DAE drops with noise.",
        "PSNR by noise level.",
        f"PSNR at the most noise is more than {_STEADY_DECIBELS:g} dB below that without (model)",
        [bool(value < -_STEADY_DECIBELS) for value in lost],
    )


def _quality_steady(noise: pd.DataFrame) -> Claim:
    lost = np.concatenate(_lost_quality(noise, _SAMPLED))
    return Claim(
        "The PSNR of the VAE does not change with noise.",
        "PSNR by noise level.",
        f"PSNR is within {_STEADY_DECIBELS:g} dB of that without noise (noise level)",
        [bool(abs(value) <= _STEADY_DECIBELS) for value in lost],
    )


def _quality_near(noise: pd.DataFrame, dataset: str) -> Claim:
    quality = noise[noise["codes"] == _SAMPLED]["PSNR"]
    return Claim(
        f"The PSNR of the VAE is near {_PAPER_DECIBELS:g} dB.",
        "PSNR by noise level, on MNIST.",
        f"PSNR is within {_NEAR_DECIBELS:g} dB of that value (noise level)",
        _yes((quality - _PAPER_DECIBELS).abs() <= _NEAR_DECIBELS),
        testable=dataset == "mnist",
    )


def _dimensions_change(noise: pd.DataFrame) -> Claim:
    answers = []
    for name in KERNELS:
        for _, run in noise.groupby("seed", sort=False):
            tables = run.groupby("codes", sort=False)[f"dimension, {name}"]
            change = {codes: abs(table / table.iloc[0] - 1).max() for codes, table in tables}
            answers += [bool(change[codes] > change[_SAMPLED]) for codes in _DETERMINISTIC]
    return Claim(
        "Noise changes the dimension of the subspace in Hilbert space more for CAE and DAE than for the VAE.",
        "Hilbert dimension by noise level.",
        "the greatest relative change of the Hilbert dimension is larger than the VAE's (model, distance)",
        answers,
    )


def _angles_grow(noise: pd.DataFrame) -> Claim:
    chosen = noise[noise["codes"].isin(_DETERMINISTIC)]
    answers = []
    for name in ANGLES:
        for _, run in chosen.groupby(["codes", "seed"], sort=False)[f"angle, {name}"]:
            answers += [bool(step > 0) for step in np.diff(run.to_numpy())]
    return Claim(
        "The angles between clean and noisy subspaces of CAE and DAE grow with noise.",
        "Principal angles by noise level.",
        "the mean angle is larger than at the level before (model, kind of angle, noise level)",
        answers,
    )


def _angles_zero(noise: pd.DataFrame) -> Claim:
    chosen = noise[noise["codes"] == _SAMPLED]
    return Claim(
        "The angles between clean and noisy subspaces of the VAE stay zero.",
        "Principal angles by noise level.",
        f"the mean angle is below {_ZERO_DEGREES:g} degrees (kind of angle, noise level, no noise included)",
        [bool(value < _ZERO_DEGREES) for name in ANGLES for value in chosen[f"angle, {name}"]],
    )


def _map_spreads(measurements: list[Measurement]) -> Claim:
    moved = {(one.representation, one.seed): map_displacement(one) for one in measurements}
    answers = [bool(moved[codes, seed] > moved[_SAMPLED, seed]) for codes, seed in moved if codes in _DETERMINISTIC]
    return Claim(
        "In the t-SNE map noise moves the codes of CAE and DAE away, those of the VAE not.",
        "t-SNE figure.",
        "the median distance from a clean code to its noisy one, relative to that between clean codes, is larger than "
        "the VAE's (model)",
        answers,
    )
