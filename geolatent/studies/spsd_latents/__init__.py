r"""Latent space characterization of autoencoder variants.

After A. Shrivastava, R. Rameshan and S. Agnihotri, arXiv:2412.04755 (2024) [shrivastava2024latent].

**Method.** A convolutional autoencoder (CAE), a denoising one (DAE) and a variational one (VAE) of the same blocks are
trained on real images (:mod:`.sweep`). Test images are shown to each with rising Gaussian noise. A code, a tensor of
height, width and channels, has three unfoldings; their covariances

.. math:: (S_1, S_2, S_3) = \Bigl( \frac{A_k J A_k^\top}{n_k - 1} \Bigr)_{k = 1, 2, 3}, \qquad
          J = I - \tfrac{1}{n_k} \mathbf 1 \mathbf 1^\top

are positive semidefinite matrices: a point of a product of three manifolds, whose ranks say on which stratum it lies
(:mod:`.measurement`). Distances of codes, embedded in a Hilbert space, tell how many dimensions the codes fill and by
which angles noise turns the subspace that they span. Claims are weighed by the criteria of :mod:`.verdicts`.

**Deviations from the paper** are listed in :data:`DEVIATIONS`.
"""

import os
from typing import Any

from geolatent import report
from geolatent.studies._run import Paper, run_study
from geolatent.studies.spsd_latents.configuration import PRESETS, Configuration, configure
from geolatent.studies.spsd_latents.figures import CAPTIONS as FIGURE_CAPTIONS
from geolatent.studies.spsd_latents.figures import draw_figures
from geolatent.studies.spsd_latents.sweep import sweep
from geolatent.studies.spsd_latents.tables import CAPTIONS as TABLE_CAPTIONS
from geolatent.studies.spsd_latents.tables import tabulate
from geolatent.studies.spsd_latents.verdicts import summarize_verdicts, weigh_claims

__all__ = ["DEVIATIONS", "PRESETS", "Configuration", "run"]

DEVIATIONS = [
    "Presets smoke and quick train narrower networks on a few hundred to fifteen hundred images, by default the 8 x 8 "
    "digits enlarged to 28 x 28 by bilinear interpolation; only preset paper has the paper's scale.",
    "The blocks of the networks (SCTC) are our reading of a figure that the paper does not specify: three 3 x 3 "
    "convolutions of equal width, the first one's output added before the last activation.",
    "Optimiser, learning rate, batch size, number of epochs and the widths of the first two blocks are our choice: "
    "Adam, 1e-3, 32 (paper preset 64), 12 (paper preset 6), 8 and 16 (paper preset 16 and 32). So are the noise that "
    "the DAE is trained with, 0.1, the most that it is tested with, and the loss of the VAE, the evidence lower bound: "
    "cross-entropy of the pixels plus the whole divergence.",
    "Noisy inputs are not clipped. All levels scale one draw of the noise, the same for all models, so that curves "
    "differ by the level and not by the draw.",
    "Codes of a float32 network are widened to float64 before any matrix is formed. An eigenvalue counts as zero up to "
    "p times 1.19e-7 of the largest, the resolution of float32; the tolerance is varied by a decade to each side.",
    "The VAE's codes are reported twice: sampled, as in the paper, and the posterior means. Like the noise of the "
    "inputs, that of the codes is one draw at all levels; the angles between two draws are in the table of models.",
    "The product distance is that of Bonnabel & Sepulchre. It is defined for equal ranks; between codes of different "
    "ranks the leading eigenvectors are compared (policy \u201ctruncate\u201d), with the other policies in a table. "
    "Its kernel has negative eigenvalues, which are clipped; their mass is in the tables.",
    "Added: the log-projection distance, which compares codes of any ranks and whose kernel is positive semidefinite. "
    "The angles in a joint Hilbert space and the t-SNE map are from it. By the product distance, angles are measured "
    "between the eigenspaces of the kernels of clean and noisy codes, over the samples' indices.",
    "Angles are those between the ten leading directions, whatever the Hilbert dimensions, so that they can be "
    "compared from one noise level to the next.",
    "Codes whose matrices vanish are left out of the product distance.",
    "Each claim is turned into a question that is asked in many cases. The verdict is 'agrees' where the answer is "
    "yes in at least 80 % of them, 'disagrees' below 50 %, 'partly' in between; these criteria are ours.",
]

PAPER = Paper(
    name="spsd_latents",
    title="Latent space characterization of autoencoder variants",
    reference=(
        "A. Shrivastava, R. Rameshan, S. Agnihotri: Latent space characterization of autoencoder variants. "
        "arXiv:2412.04755 (2024)."
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
    """Train the three models, measure their codes under noise and weigh the paper's claims.

    Args:
        preset: "smoke" (seconds), "quick" (minutes) or "paper" (the paper's scale, on MNIST: a day or more).
        dataset: "digits", "mnist" or "fashion-mnist"; by default the preset's.
        out: folder of the report. Trained models and measurements are kept in its subfolder ``cache`` by the
            content of their configuration, and a run that was killed continues where it was. None: nothing is
            written.
        progress: show a progress bar, one step a model.
        jobs: models processed at a time; -1 for as many as there are cores. Inside
            ``joblib.parallel_config(backend="dask")`` they go to the cluster.
        resume: False computes everything anew.
        **changes: fields of :class:`Configuration` that replace those of the preset, such as
            ``epochs=20``.

    Returns:
        Tables, figures and verdicts; also written to ``out`` as a report, if given.

    Raises:
        ValueError: if the preset, the data set or a value is unknown or out of range, or the codes of a model that
            has not learned are constant.
        TypeError: if ``changes`` names no field.
        DataError: if a file of the data set is missing or damaged.
        OutputError: if ``out`` cannot be written; before anything is computed.
    """
    configuration = configure(preset, dataset, **changes)
    return run_study(
        PAPER,
        {"preset": preset, **configuration.as_dict()},
        out,
        sweep=lambda folder: sweep(configuration, folder, jobs=jobs, resume=resume, progress=progress),
        tabulate=tabulate,
        weigh=lambda measurements, tables: weigh_claims(measurements, tables, configuration.dataset),
        summarize=summarize_verdicts,
        draw=draw_figures,
    )
