"""The paper's claims, each weighed by a stated criterion.

The questions of :mod:`geolatent.studies._claims` are asked of models, pairs of models, models and sets. Claims about
trained autoencoders are not tested where the autoencoders did not learn their data, and claims about architectures not
below three latent dimensions. "High d" means the upper half of the latent dimensions of the run.
"""

from itertools import combinations

import numpy as np
import pandas as pd

from geolatent import datasets
from geolatent.studies._claims import LEARNED, Claim, tally, verdict_table
from geolatent.studies.ood_jacobians.measurement import SCORES
from geolatent.studies.ood_jacobians.sweep import Measurement
from geolatent.studies.ood_jacobians.tables import explained_share

_ARCHITECTURES = 3


def weigh_claims(measurements: list[Measurement], tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The "paper vs. ours" table: claim, paper, ours, verdict."""
    several = len({one.latent_dim for one in measurements}) >= _ARCHITECTURES
    claims = [
        _generalized_character(measurements),
        _character_changes(measurements)._replace(testable=several),
        _not_all_near(measurements),
        _unstable_on_random_inputs(tables["statistics"], measurements[0].trained_on),
        _unstable_across_architectures(tables["statistics"], measurements[0].trained_on)._replace(testable=several),
        _spectra_differ(tables["statistics"], measurements[0].trained_on),
        _orientation(tables["statistics"], measurements[0].trained_on),
    ]
    learned = float(np.median([explained_share(one) for one in _high(measurements)])) >= LEARNED
    claims = [claim._replace(testable=learned and claim.testable) for claim in claims]
    return verdict_table([*claims, _theorem(tables["theorem"])])


def summarize_verdicts(verdicts: pd.DataFrame, tables: dict[str, pd.DataFrame]) -> str:
    """One sentence that says what was found."""
    detection = tables["detection"]
    random = detection[detection["set"].isin(datasets.RANDOM_PIXELS)]
    areas = ", ".join(f"{score}: {random[f'{score}, mean'].mean():.3f}" for score in SCORES)
    return (
        f"{tally(verdicts)}; random pixels are told from unseen images with a mean AUROC, over "
        f"{len(tables['models'])} autoencoders, of {areas}."
    )


def _high(measurements: list[Measurement]) -> list[Measurement]:
    """Models whose latent dimension is in the upper half."""
    middle = np.median([one.latent_dim for one in measurements])
    return [one for one in measurements if one.latent_dim >= middle]


def _characters(one: Measurement) -> np.ndarray:
    """Generalized character of each random set, shape (10, N)."""
    return np.stack([one.values[f"{name}/character"].numpy() for name in datasets.RANDOM_PIXELS])


def _generalized_character(measurements: list[Measurement]) -> Claim:
    answers = []
    for one in _high(measurements):
        random = 1 - np.square(_characters(one).mean(axis=0)).sum()
        trained = 1 - np.square(one.values[f"{one.trained_on}/character"].numpy()).sum()
        answers.append(bool(random < 0.5 * trained))
    return Claim(
        "At high d an autoencoder reconstructs all ten random sets as similar generalized characters.",
        "Abstract; Tables I and II.",
        "reconstructions of random images (ten sets pooled, scaled to unit norm) vary less than half as much as those "
        "of the trained set",
        answers,
    )


def _character_changes(measurements: list[Measurement]) -> Claim:
    answers = []
    for one, other in combinations(_high(measurements), 2):
        ours, theirs = _characters(one), _characters(other)
        between = np.square(ours.mean(axis=0) - theirs.mean(axis=0)).sum()
        within = 0.5 * (ours.var(axis=0).sum() + theirs.var(axis=0).sum())
        answers.append(bool(between > within))
    return Claim(
        "The generalized character changes from one autoencoder to another.",
        "Abstract; Table II.",
        "characters (mean reconstructions at unit norm) of two high-d autoencoders differ more than those of the ten "
        "sets within one",
        answers,
    )


def _not_all_near(measurements: list[Measurement]) -> Claim:
    answers = []
    for one in _high(measurements):
        typical = one.values[f"{one.trained_on}/squared difference, 95 %"]
        medians = [one.values[f"{name}/squared difference, median"] for name in datasets.RANDOM_PIXELS]
        answers.append(bool(max(medians) > typical))
    return Claim(
        "Even where reconstructions look like characters, not all random sets lie near them in latent space.",
        "Abstract; Figure 1.",
        "at high d, for some random set the median of ||λ_I − λ_L||²/d exceeds the trained set's 95 % quantile",
        answers,
    )


def _unstable_on_random_inputs(statistics: pd.DataFrame, trained_on: str) -> Claim:
    return Claim(
        "Autoencoders are geometrically unstable on out-of-distribution inputs.",
        "Abstract; Figure 4 gives the spread of log|λ|.",
        "the standard deviation of log|λ| (J_I) is larger on a random set than on the trained set",
        _exceeds_trained(statistics, trained_on, "J_I std log|lambda|"),
    )


def _unstable_across_architectures(statistics: pd.DataFrame, trained_on: str) -> Claim:
    logs = np.log(statistics.pivot_table(index=["d", "seed"], columns="set", values="J_I geometric mean"))
    spread = logs.std(ddof=0)
    return Claim(
        "Spectra on out-of-distribution inputs are unstable across architectures.",
        "Abstract; Figure 2 follows the means of |λ| over d.",
        "log of the geometric mean of |λ| (J_I) varies more over the autoencoders on a random set than "
        "on the trained set",
        [bool(spread[name] > spread[trained_on]) for name in datasets.RANDOM_PIXELS],
    )


def _spectra_differ(statistics: pd.DataFrame, trained_on: str) -> Claim:
    return Claim(
        "J_I and J_L differ more out of distribution than in distribution.",
        "Figure 1 compares them; our reading of the abstract, no number quoted.",
        "the mean of ||λ_I − λ_L||²/d is larger on a random set than on the trained set",
        _exceeds_trained(statistics, trained_on, "squared difference, mean"),
    )


def _orientation(statistics: pd.DataFrame, trained_on: str) -> Claim:
    return Claim(
        "Out-of-distribution inputs reverse orientation more often.",
        "Figure 5 shows the fractions; our reading of the abstract, no number quoted.",
        "det of the d x d Jacobian (J_I) is negative more often on a random set than on the trained set",
        _exceeds_trained(statistics, trained_on, "J_I reversed"),
    )


def _theorem(theorem: pd.DataFrame) -> Claim:
    worst = theorem[["max |lambda_I - 1|", "max |lambda_L - 1|"]].max(axis=1)
    return Claim(
        "The Jacobian of a linear projector of rank d has the eigenvalue 1 d times.",
        "Theorem I.1.",
        f"departure from 1 below the rounding bound of Theorem I.1's table (largest {worst.max():.1e})",
        [bool(value) for value in worst <= theorem["bound"]],
    )


def _exceeds_trained(statistics: pd.DataFrame, trained_on: str, name: str) -> list[bool]:
    """For every model and random set, whether the statistic exceeds the trained set's; NaN left out."""
    table = statistics.pivot_table(index=["d", "seed"], columns="set", values=name, dropna=False)
    excess = table[list(datasets.RANDOM_PIXELS)].sub(table[trained_on], axis=0).to_numpy().ravel()
    return [bool(value > 0) for value in excess[~np.isnan(excess)]]
