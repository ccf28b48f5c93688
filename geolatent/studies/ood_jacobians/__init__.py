r"""Geometric instability of out-of-distribution data across autoencoder architecture.

After S. Agarwala, B. Dees and C. Lowman, arXiv:2201.11902 (2022) [agarwala2022ood].

**Method.** Autoencoders N-128-64-32-d-32-64-128-N with ReLU units and a tanh output are trained on real
images, one for each latent dimension d and seed (:mod:`.sweep`). Each is then evaluated on the images that it
was trained for and on ten sets of images whose pixels are independent draws. At every image x, with code z =
f(x) and reconstruction y = g(z), the spectra of two Jacobians are compared (:mod:`.measurement`):

.. math:: J_I(x) = Dg(z)\, Df(x), \qquad J_L(z) = Df(y)\, Dg(z)

namely how far apart they are, the means and spread of :math:`|\lambda|`, the angles
:math:`|\mathrm{Arg}\,\lambda|`, and how often the map reverses orientation (:mod:`.figures`). Claims are
weighed by the criteria of :mod:`.verdicts`. Beyond the paper, a score made from the spectrum is compared with
reconstruction error and with the Mahalanobis distance of the code as a detector of out-of-distribution
images.

**Deviations from the paper** are listed in :data:`DEVIATIONS`.
"""

import os
from typing import Any

import pandas as pd

from geolatent import datasets, report
from geolatent.studies._run import Paper, run_study
from geolatent.studies.ood_jacobians.configuration import PRESETS, Configuration, configure
from geolatent.studies.ood_jacobians.figures import CAPTIONS as FIGURE_CAPTIONS
from geolatent.studies.ood_jacobians.figures import draw_figures
from geolatent.studies.ood_jacobians.sweep import Measurement, sweep
from geolatent.studies.ood_jacobians.tables import CAPTIONS as TABLE_CAPTIONS
from geolatent.studies.ood_jacobians.tables import tabulate
from geolatent.studies.ood_jacobians.theorem import check_projectors
from geolatent.studies.ood_jacobians.verdicts import summarize_verdicts, weigh_claims

__all__ = ["DEVIATIONS", "PRESETS", "Configuration", "run"]

DEVIATIONS = [
    "Presets smoke and quick train on a few hundred to a few thousand images, by default the 8 x 8 digits, whose "
    "autoencoders have 64 in place of 784 inputs and outputs; only preset paper has the paper's scale.",
    "Optimiser, learning rate and batch size are our choice: Adam, 1e-3, 256.",
    "The leading d eigenvalues of J_I are computed from the d x d matrix Df(x) Dg(z), which has the same non-zero "
    "spectrum; the remaining ones are zero in exact arithmetic and take no part in any statistic.",
    "Weights are trained in float32; Jacobians, spectra and statistics are computed in float64.",
    "Eigenvalues with |λ| ≤ d eps max|λ| are zero to working precision: logarithms leave them out, and the "
    "orientation at such an image is reported as undetermined instead of being read from a rounding error.",
    "The same random images are shown to every autoencoder, so that differences between architectures are not "
    "differences between draws.",
    "Box plots show the 5, 25, 50, 75 and 95 percent quantiles of the first seed's models.",
    "Theorem I.2 is not tested: as stated it needs normal matrices, and these Jacobians are not normal.",
    "Each claim is turned into a question that is asked in many cases. The verdict is 'agrees' where the answer is "
    "yes in at least 80 % of them, 'disagrees' below 50 %, 'partly' in between; these criteria are ours. 'High d' "
    "means the upper half of the latent dimensions.",
    "The two questions about generalized characters compared raw pixels at first; they were moved to reconstructions "
    "of unit norm after the first runs, where contrast had decided them.",
    "Added: an out-of-distribution score from the spectrum with its AUROC, Figure 7.",
]

PAPER = Paper(
    name="ood_jacobians",
    title="Geometric instability of out-of-distribution data",
    reference=(
        "S. Agarwala, B. Dees, C. Lowman: Geometric instability of out of distribution data across autoencoder "
        "architecture. arXiv:2201.11902 (2022)."
    ),
    deviations=DEVIATIONS,
    captions={**FIGURE_CAPTIONS, **TABLE_CAPTIONS},
)


def run(
    preset: str = "quick",
    dataset: str | None = None,
    out: str | os.PathLike[str] | None = None,
    *,
    progress: bool = False,
    jobs: int = 1,
    resume: bool = True,
    **changes: Any,
) -> report.StudyResult:
    """Train the autoencoders, measure their spectra and weigh the paper's claims.

    Args:
        preset: "smoke" (seconds), "quick" (about a minute on two cores) or "paper" (the paper's scale, on
            MNIST: a day or more).
        dataset: "digits", "mnist" or "fashion-mnist"; by default the preset's.
        out: folder of the report. Trained models and measurements are kept in its subfolder ``cache`` by the
            content of their configuration, and a run that was killed continues where it was. None: nothing is
            written.
        progress: show a progress bar, one step a model.
        jobs: models processed at a time; -1 for as many as there are cores. Inside
            ``joblib.parallel_config(backend="dask")`` they go to the cluster.
        resume: False computes everything anew.
        **changes: fields of :class:`Configuration` that replace those of the preset, such as
            ``latent_dims=(2, 4)``.

    Returns:
        Tables, figures and verdicts; also written to ``out`` as a report, if given.

    Raises:
        ValueError: if the preset, the data set or a value is unknown or out of range.
        TypeError: if ``changes`` names no field.
        DataError: if a file of the data set is missing or damaged.
        OutputError: if ``out`` cannot be written; before anything is computed.
    """
    configuration = configure(preset, dataset, **changes)

    def tabulated(measurements: list[Measurement]) -> dict[str, pd.DataFrame]:
        images = datasets.load(configuration.dataset, "train").images
        return tabulate(measurements, check_projectors(images, configuration))

    return run_study(
        PAPER,
        {"preset": preset, **configuration.as_dict()},
        out,
        sweep=lambda folder: sweep(configuration, folder, jobs=jobs, resume=resume, progress=progress),
        tabulate=tabulated,
        weigh=weigh_claims,
        summarize=summarize_verdicts,
        draw=draw_figures,
    )
