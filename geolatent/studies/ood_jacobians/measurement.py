r"""What is measured on one set of images.

Eigenvalues are reduced to a few numbers and quantiles a set, so that sets and models of any number fit in
memory.
"""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor

from geolatent.jacobians import Spectrum, SpectrumPair, autoencoder_spectrum
from geolatent.metrics import Mahalanobis, auroc, reconstruction_error
from geolatent.models import MLPAutoencoder
from geolatent.plots import BOX_LEVELS

JACOBIANS = ("J_I", "J_L")
SCORES = ("spectrum", "reconstruction error", "latent Mahalanobis")
_REFERENCE_IMAGES = 10_000
_SMALLEST = 1e-12
_FEWEST = 20


class Observations(NamedTuple):
    """What is known of each image of a set, the variance of its pixels, and its generalized character.

    The character is the mean of the reconstructions scaled to unit norm, so that pale and dark ones count alike; the
    nearer its own norm to 1, the more alike they are.
    """

    pair: SpectrumPair
    codes: Tensor
    errors: Tensor
    pixel_variance: Tensor
    character: Tensor


class Reference:
    """What the training images look like to each score, and how unseen images of the same kind score.

    The spectral score is the Mahalanobis distance of a sample's spectral statistics
    (:func:`spectral_features`) to those of the training images; no out-of-distribution image is needed to
    define it.

    Args:
        model: trained autoencoder in float64.
        train: flat training images; the first 10,000 define the scores.
        unseen: flat images of the same kind that took no part in the training.
    """

    def __init__(self, model: MLPAutoencoder, train: Tensor, unseen: Tensor) -> None:
        known = observe(model, [train[:_REFERENCE_IMAGES]])
        self.latent = Mahalanobis(known.codes)
        self.spectral = Mahalanobis(spectral_features(known.pair))
        self.unseen = self.scores(observe(model, [unseen]))

    def scores(self, seen: Observations) -> dict[str, Tensor]:
        """Out-of-distribution scores of each image, larger for stranger ones."""
        values = (self.spectral(spectral_features(seen.pair)), seen.errors, self.latent(seen.codes))
        return dict(zip(SCORES, values, strict=True))

    def areas(self, seen: Observations) -> dict[str, Tensor]:
        """AUROC of each score for these images against the unseen ones, with keys "AUROC, score"."""
        scores = self.scores(seen)
        areas = {score: auroc(self.unseen[score], scores[score]) for score in SCORES}
        return {f"AUROC, {score}": torch.tensor(area, dtype=torch.float64) for score, area in areas.items()}


def observe(model: MLPAutoencoder, blocks: Iterable[Tensor]) -> Observations:
    """Spectra, codes and reconstructions of flat images, block by block."""
    inputs, latents, codes, errors = [], [], [], []
    pixels, directions = Moments(), Moments()
    for block in blocks:
        x = block.double()
        pair = autoencoder_spectrum(model.encoder, model.decoder, x, of="both")
        with torch.no_grad():
            code = model.encode(x)
            reconstruction = model.decode(code)
        inputs.append(pair.input.eigenvalues)
        latents.append(pair.latent.eigenvalues)
        codes.append(code)
        errors.append(reconstruction_error(x, reconstruction))
        pixels.add(x)
        directions.add(torch.nn.functional.normalize(reconstruction, dim=1))
    return Observations(
        SpectrumPair(Spectrum(torch.cat(inputs)), Spectrum(torch.cat(latents))),
        torch.cat(codes),
        torch.cat(errors),
        pixels.variance(),
        directions.mean(),
    )


class Moments:
    """Mean and variance of rows that come in blocks."""

    def __init__(self) -> None:
        self.count = 0
        self.total = torch.zeros(())
        self.squares = torch.zeros(())

    def add(self, rows: Tensor) -> None:
        """Take in more rows, shape (n, k)."""
        self.count += len(rows)
        self.total = self.total + rows.sum(0)
        self.squares = self.squares + rows.square().sum(0)

    def mean(self) -> Tensor:
        """Mean row, shape (k,)."""
        return self.total / self.count

    def variance(self) -> Tensor:
        """Variance of an entry, averaged over the k columns; a scalar."""
        return (self.squares / self.count - self.mean().square()).clamp_min(0).mean()


def measure(seen: Observations) -> dict[str, Tensor]:
    """The statistics of one set, by name."""
    difference = seen.pair.squared_difference
    values = {
        "squared difference, mean": difference.mean(),
        "squared difference, median": difference.median(),
        "squared difference, 95 %": difference.quantile(0.95),
        "reconstruction error": seen.errors.mean(),
        "pixel variance": seen.pixel_variance,
        "character": seen.character,
    }
    for jacobian, spectrum in zip(JACOBIANS, seen.pair, strict=True):
        values |= {f"{jacobian} {key}": value for key, value in spectral_statistics(spectrum).items()}
    return values


def spectral_statistics(spectrum: Spectrum) -> dict[str, Tensor]:
    """The paper's statistics of one Jacobian over one set: all eigenvalues of all images pooled.

    The reversed fraction is NaN where fewer than twenty images have a determined orientation.
    """
    modulus, argument = spectrum.modulus, spectrum.argument
    epsilon = torch.finfo(spectrum.eigenvalues.dtype).eps
    nonzero = modulus > modulus.shape[1] * epsilon * modulus.amax(1, keepdim=True)
    logs = modulus[nonzero].log()
    if len(logs) == 0:
        logs = modulus.new_full((1,), torch.nan)
    determined = spectrum.orientation[spectrum.orientation != 0]
    reversed_share = (determined < 0).double().mean() if len(determined) >= _FEWEST else logs.new_tensor(torch.nan)
    levels = modulus.new_tensor(BOX_LEVELS)
    return {
        "arithmetic mean": modulus.mean(),
        "geometric mean": logs.mean().exp(),
        "std log|lambda|": logs.std(correction=0),
        "reversed": reversed_share,
        "undetermined": (spectrum.orientation == 0).double().mean(),
        "zero eigenvalues": 1 - nonzero.double().mean(),
        "log|lambda| box": _quantiles(logs, levels),
        "|Arg lambda| box": _quantiles(argument.flatten(), levels),
    }


def spectral_features(pair: SpectrumPair) -> Tensor:
    r"""Seven numbers that describe the spectra at one image, shape (N, 7).

    Mean and standard deviation of :math:`\log|\lambda|` and mean :math:`|\mathrm{Arg}\,\lambda|`, of J_I and
    of J_L, and :math:`\log(\|\lambda_I - \lambda_L\|^2 / d)`; logarithms of values below 1e-12 are those of
    1e-12.
    """
    columns = [pair.squared_difference.clamp_min(_SMALLEST).log()]
    for spectrum in pair:
        logs = spectrum.modulus.clamp_min(_SMALLEST).log()
        columns += [logs.mean(1), logs.std(1, correction=0), spectrum.argument.mean(1)]
    return torch.stack(columns, dim=1)


def _quantiles(values: Tensor, levels: Tensor) -> Tensor:
    """Quantiles by sorting; torch.quantile refuses more than 16 million values."""
    ordered = values.sort().values
    return ordered[(levels * (len(ordered) - 1)).round().long()]
