"""Train one autoencoder for each latent dimension and seed, and measure it on every set."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from geolatent import datasets, models, training
from geolatent.studies._identity import content_digest, generator_for
from geolatent.studies._measurements import measure_cases
from geolatent.studies.ood_jacobians.configuration import Configuration
from geolatent.studies.ood_jacobians.measurement import Reference, measure, observe

#: Raised whenever the method changes, so that results of older versions are not taken for present ones.
METHOD_VERSION = 1
_BLOCK = 10_000
_COUNTERPART = {"mnist": "fashion-mnist", "fashion-mnist": "mnist"}


class Measurement(NamedTuple):
    """One trained autoencoder on every set; ``values`` has keys "set/statistic" and a few without a set."""

    trained_on: str
    latent_dim: int
    seed: int
    values: dict[str, Tensor]

    @property
    def sets(self) -> list[str]:
        """The sets that were measured: the one trained on, the random ones, and the counterpart if any."""
        names = [self.trained_on, *datasets.RANDOM_PIXELS, *_COUNTERPART]
        return [name for name in dict.fromkeys(names) if f"{name}/reconstruction error" in self.values]


def sweep(
    configuration: Configuration, out: Path | None, *, jobs: int, resume: bool, progress: bool
) -> list[Measurement]:
    """Measure all models of the configuration, each a joblib job; those found in ``out`` are read instead."""
    counterpart = _counterpart(configuration)
    cases = [(d, seed) for d in configuration.latent_dims for seed in configuration.seeds]
    cache = None if out is None else out / "cache" / "ood_jacobians"
    kept = {case: _kept_file(cache, configuration, _recipe(configuration, *case), counterpart) for case in cases}
    measure_model = partial(_measure_model, configuration, counterpart, cache, resume)
    done = measure_cases(measure_model, kept, jobs=jobs, resume=resume, progress=progress)
    return [Measurement(configuration.dataset, d, seed, done[d, seed]) for d, seed in cases]


def _recipe(configuration: Configuration, latent_dim: int, seed: int) -> dict[str, Any]:
    """Everything that the trained weights depend on."""
    names = ("dataset", "hidden", "epochs", "batch_size", "lr", "train_images")
    settings = {name: value for name, value in configuration.as_dict().items() if name in names}
    return {**settings, "latent_dim": latent_dim, "seed": seed, "method": METHOD_VERSION}


def _kept_file(
    cache: Path | None, configuration: Configuration, recipe: dict[str, Any], counterpart: str | None
) -> Path | None:
    """Where a model's measurement is kept: named by all that it depends on."""
    if cache is None:
        return None
    counts = {"test_images": configuration.test_images, "random_images": configuration.random_images}
    digest = content_digest({**recipe, **counts, "pixel_seed": configuration.seed, "counterpart": counterpart})
    return cache / "measurements" / f"{digest}.safetensors"


def _counterpart(configuration: Configuration) -> str | None:
    """MNIST for Fashion-MNIST and the reverse, if it can be had."""
    datasets.load(configuration.dataset, "test")
    other = _COUNTERPART.get(configuration.dataset)
    if other is None:
        return None
    try:
        datasets.load(other, "test")
    except datasets.DataError:
        return None
    return other


def _measure_model(
    configuration: Configuration, counterpart: str | None, cache: Path | None, resume: bool, case: tuple[int, int]
) -> dict[str, Tensor]:
    """Train one autoencoder and measure it on every set: the unit of parallel work."""
    latent_dim, seed = case
    train = datasets.load(configuration.dataset, "train").images[: configuration.train_images].flatten(1)
    test = datasets.load(configuration.dataset, "test")
    unseen, labels = (
        test.images[: configuration.test_images].flatten(1),
        test.labels[: configuration.test_images],
    )
    model = models.MLPAutoencoder(
        train.shape[1],
        latent_dim,
        hidden=configuration.hidden,
        generator=generator_for("weights", latent_dim, seed),
    )
    history = training.fit(
        model,
        train,
        epochs=configuration.epochs,
        batch_size=configuration.batch_size,
        lr=configuration.lr,
        generator=generator_for("batches", latent_dim, seed),
        checkpoint=None if cache is None else cache / "models" / content_digest(_recipe(configuration, *case)),
        checkpoint_every=max(1, configuration.epochs // 20),
        resume=resume,
    )
    model = model.double().eval()
    reference = Reference(model, train, unseen)
    values = {"training_loss": torch.tensor(history.loss[-1], dtype=torch.float64)}
    values |= _named(configuration.dataset, measure(observe(model, torch.cat([train, unseen]).split(_BLOCK))))
    shape = test.images.shape[1:]
    for name in datasets.RANDOM_PIXELS:
        seen = observe(model, _random_blocks(name, configuration, shape))
        values |= _named(name, measure(seen) | reference.areas(seen))
    if counterpart is not None:
        others = datasets.load(counterpart, "test").images[: configuration.test_images].flatten(1)
        seen = observe(model, others.split(_BLOCK))
        values |= _named(counterpart, measure(seen) | reference.areas(seen))
    values |= _examples(model, unseen, labels, configuration, shape)
    return values


def _named(name: str, values: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"{name}/{statistic}": value.contiguous() for statistic, value in values.items()}


def _random_blocks(name: str, configuration: Configuration, shape: torch.Size) -> Iterator[Tensor]:
    """One random-pixel set in blocks of flat images: the same images for every model."""
    generator = generator_for("pixels", name, configuration.seed)
    for start in range(0, configuration.random_images, _BLOCK):
        count = min(_BLOCK, configuration.random_images - start)
        yield datasets.random_pixels(name, count, shape, generator).flatten(1)


def _examples(
    model: models.MLPAutoencoder,
    unseen: Tensor,
    labels: Tensor,
    configuration: Configuration,
    shape: torch.Size,
) -> dict[str, Tensor]:
    """One image of each class and of each random set, and reconstructions: (2, count, height, width) each."""
    firsts = [int((labels == label).nonzero()[0]) for label in labels.unique()]
    drawn = [
        datasets.random_pixels(name, 1, shape, generator_for("example", name, configuration.seed))
        for name in datasets.RANDOM_PIXELS
    ]
    shown = {"examples_trained": unseen[firsts], "examples_random": torch.cat(drawn).flatten(1)}
    with torch.no_grad():
        pairs = {name: torch.stack([x, model(x.double()).float()]) for name, x in shown.items()}
    return {name: pair.unflatten(2, shape) for name, pair in pairs.items()}
