"""Train the three models, for each seed, and measure their codes at every level of noise."""

from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from geolatent import datasets, metrics, models, training
from geolatent.studies._identity import content_digest, generator_for
from geolatent.studies._measurements import measure_cases
from geolatent.studies.spsd_latents.configuration import Configuration
from geolatent.studies.spsd_latents.measurement import (
    Point,
    factors,
    measure_distances,
    measure_ranks,
    tsne_map,
)

#: Raised whenever the method changes, so that results of older versions are not taken for present ones.
METHOD_VERSION = 2
_SAMPLED = "VAE (sampled)"
#: The models, and the codes that are taken from each.
REPRESENTATIONS = {"CAE": ("CAE",), "DAE": ("DAE",), "VAE": (_SAMPLED, "VAE (means)")}
_SIZE = 28
_BLOCK = 250
_TRAINING = ("dataset", "widths", "epochs", "batch_size", "lr", "noise_scale", "kl_weight", "train_images")
_OF_ONE_MODEL = {"noise_scale": "DAE", "kl_weight": "VAE"}
_MEASURING = ("test_images", "noise", "product_samples", "cross_rank", "angle_dimension")


class Measurement(NamedTuple):
    """The codes of one trained model: what was measured, by name."""

    representation: str
    seed: int
    values: dict[str, Tensor]


def sweep(
    configuration: Configuration, out: Path | None, *, jobs: int, resume: bool, progress: bool
) -> list[Measurement]:
    """Measure all models of the configuration, each a joblib job; those found in ``out`` are read instead."""
    datasets.load(configuration.dataset, "test")
    cases = [(kind, seed) for seed in configuration.seeds for kind in REPRESENTATIONS]
    cache = None if out is None else out / "cache" / "spsd_latents"
    kept = {case: _kept_file(cache, configuration, *case) for case in cases}
    measure_model = partial(_measure_model, configuration, cache, resume)
    done = measure_cases(measure_model, kept, jobs=jobs, resume=resume, progress=progress)
    return [
        Measurement(name, seed, _of(name, done[kind, seed])) for kind, seed in cases for name in REPRESENTATIONS[kind]
    ]


def noisy_inputs(configuration: Configuration) -> tuple[Tensor, Tensor, Tensor]:
    """Clean test images (N, 1, 28, 28), their labels, and the noise of unit variance that is added to them."""
    images, labels = datasets.load(configuration.dataset, "test")
    clean = _resized(images[: configuration.test_images])
    noise = torch.randn(clean.shape, generator=generator_for("noise", configuration.seed))
    return clean, labels[: configuration.test_images], noise


def _resized(images: Tensor) -> Tensor:
    """Images (N, 1, 28, 28)."""
    if images.shape[1:] == (_SIZE, _SIZE):
        return images[:, None]
    return nn.functional.interpolate(images[:, None], size=(_SIZE, _SIZE), mode="bilinear")


def _recipe(configuration: Configuration, kind: str, seed: int) -> dict[str, Any]:
    """Everything that the trained weights depend on."""
    settings = {name: value for name, value in configuration.as_dict().items() if name in _TRAINING}
    foreign = {name for name, of in _OF_ONE_MODEL.items() if of != kind}
    settings = {name: value for name, value in settings.items() if name not in foreign}
    return {**settings, "model": kind, "seed": seed, "method": METHOD_VERSION}


def _kept_file(cache: Path | None, configuration: Configuration, kind: str, seed: int) -> Path | None:
    """Where a model's measurement is kept: named by all that it depends on."""
    if cache is None:
        return None
    settings = {name: value for name, value in configuration.as_dict().items() if name in _MEASURING}
    digest = content_digest({**_recipe(configuration, kind, seed), **settings, "noise_seed": configuration.seed})
    return cache / "measurements" / f"{digest}.safetensors"


def _measure_model(
    configuration: Configuration, cache: Path | None, resume: bool, case: tuple[str, int]
) -> dict[str, Tensor]:
    """Train one model and measure its codes: the unit of parallel work."""
    kind, seed = case
    train = _resized(datasets.load(configuration.dataset, "train").images[: configuration.train_images])
    model = _model(configuration, kind, seed)
    history = training.fit(
        model,
        train,
        epochs=configuration.epochs,
        batch_size=configuration.batch_size,
        lr=configuration.lr,
        generator=generator_for("batches", kind, seed),
        checkpoint=None if cache is None else cache / "models" / content_digest(_recipe(configuration, kind, seed)),
        resume=resume,
    )
    model.eval()
    values: dict[str, Tensor] = {}
    for name in REPRESENTATIONS[kind]:
        measured = _measure_codes(configuration, model, name, seed)
        measured["training loss"] = torch.tensor(history.loss[-1], dtype=torch.float64)
        values |= {f"{name}/{statistic}": value.contiguous() for statistic, value in measured.items()}
    return values


def _model(configuration: Configuration, kind: str, seed: int) -> nn.Module:
    generator, shape = generator_for("weights", kind, seed), (1, _SIZE, _SIZE)
    if kind == "VAE":
        return models.ConvVAE(shape, configuration.widths, kl_weight=configuration.kl_weight, generator=generator)
    autoencoder = models.ConvAutoencoder(shape, configuration.widths, generator=generator)
    return models.DenoisingAutoencoder(autoencoder, configuration.noise_scale) if kind == "DAE" else autoencoder


def _measure_codes(configuration: Configuration, model: Any, name: str, seed: int) -> dict[str, Tensor]:
    """All that is measured on one kind of codes of a trained model."""
    clean, labels, noise = noisy_inputs(configuration)
    points, quality, reconstructions = [], [], []
    for level in configuration.noise:
        codes = _codes(model, clean + level * noise, name, generator_for("codes", seed))
        with torch.no_grad():
            reconstruction = torch.cat([model.decode(block) for block in codes.split(_BLOCK)]).reshape(clean.shape)
        points.append(factors(codes))
        quality.append(metrics.psnr(clean.double(), reconstruction.double()))
        reconstructions.append(reconstruction)
    firsts = [int((labels == label).nonzero()[0]) for label in labels.unique()]
    return {
        "noise": torch.tensor(configuration.noise, dtype=torch.float64),
        "labels": labels,
        "full ranks": _full_ranks(codes),
        "psnr": torch.stack(quality),
        "pixel variance": clean.double().var(0, correction=0).mean(),
        "error": (clean - reconstructions[0]).double().square().mean(),
        "inputs": torch.stack([clean[firsts, 0], (clean + configuration.noise[-1] * noise)[firsts, 0]]),
        "reconstructions": torch.stack([reconstructions[0][firsts, 0], reconstructions[-1][firsts, 0]]),
        "map": tsne_map(points[0], points[-1], seed),
        **measure_ranks(points),
        **_distances(configuration, model, name, seed, points),
    }


def _distances(
    configuration: Configuration, model: Any, name: str, seed: int, points: list[Point]
) -> dict[str, Tensor]:
    """What is measured on distances; of sampled codes also the angles between two draws of those of clean images."""
    how = configuration.product_samples, configuration.cross_rank, configuration.angle_dimension
    if name != _SAMPLED:
        return measure_distances(points, *how)
    clean, _, _ = noisy_inputs(configuration)
    redrawn = factors(_codes(model, clean, name, generator_for("codes", "second draw", seed)))
    values = measure_distances([*points, redrawn], *how)
    by_level = [key for key in values if key.endswith(("/angles", "/dimension", "/negative mass"))]
    draws = {f"{key} of two draws": values[key][-1] for key in by_level if key.endswith("/angles")}
    return values | {key: values[key][:-1] for key in by_level} | draws


def _codes(model: Any, images: Tensor, name: str, generator: torch.Generator) -> Tensor:
    """Codes (N, c, h, w) of images; those that are sampled drawn from ``generator``."""
    with torch.no_grad():
        blocks = images.split(_BLOCK)
        if name == _SAMPLED:
            return torch.cat([model.sample(block, generator) for block in blocks])
        return torch.cat([model.encode(block) for block in blocks])


def _full_ranks(codes: Tensor) -> Tensor:
    """Greatest ranks that S1, S2 and S3 of codes (N, c, h, w) can have."""
    c, h, w = codes.shape[1:]
    return torch.tensor([min(h, w * c - 1), min(w, h * c - 1), min(c, h * w - 1)])


def _of(name: str, values: dict[str, Tensor]) -> dict[str, Tensor]:
    prefix = f"{name}/"
    return {key.removeprefix(prefix): value for key, value in values.items() if key.startswith(prefix)}
