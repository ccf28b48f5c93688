"""What a run of the study is asked for."""

from dataclasses import dataclass
from typing import Any

from geolatent.studies._presets import chosen_preset, jsonable, require_at_least, require_dataset, require_images


@dataclass(frozen=True)
class Configuration:
    """Scale and recipe of the experiment.

    Args:
        dataset: images to train on: "digits", "mnist" or "fashion-mnist".
        latent_dims: latent dimensions d, one family of autoencoders each.
        seed: first seed.
        repeats: autoencoders trained for each latent dimension, with seeds seed, seed + 1, ...
        hidden: widths of the encoder's hidden layers, mirrored in the decoder.
        epochs: passes over the training images.
        batch_size: images in a step.
        lr: learning rate of Adam.
        train_images: images to train on and to evaluate; None for the whole training set.
        test_images: unseen images to evaluate; None for the whole test set.
        random_images: images in each of the ten random-pixel sets.
    """

    dataset: str = "digits"
    latent_dims: tuple[int, ...] = (2, 4, 8, 12, 16, 20)
    seed: int = 0
    repeats: int = 2
    hidden: tuple[int, ...] = (128, 64, 32)
    epochs: int = 300
    batch_size: int = 256
    lr: float = 1e-3
    train_images: int | None = 2_000
    test_images: int | None = 500
    random_images: int = 1_000

    def __post_init__(self) -> None:
        require_dataset(self.dataset)
        object.__setattr__(self, "latent_dims", tuple(sorted(set(self.latent_dims))))
        object.__setattr__(self, "hidden", tuple(self.hidden))
        if not self.latent_dims or self.latent_dims[0] < 1:
            raise ValueError(f"latent_dims must be positive; got {self.latent_dims}: give at least one, such as (2, 4)")
        require_at_least(self, {"repeats": 1, "epochs": 1, "batch_size": 1, "random_images": 10})
        require_images(self, "train_images", "test_images")

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds of the repeated trainings."""
        return tuple(range(self.seed, self.seed + self.repeats))

    def as_dict(self) -> dict[str, Any]:
        """The fields, JSON-able."""
        return jsonable(self)


PRESETS = {
    "smoke": Configuration(latent_dims=(2, 3), repeats=1, epochs=5, train_images=200, test_images=60, random_images=40),
    "quick": Configuration(),
    "paper": Configuration(
        dataset="mnist",
        latent_dims=tuple(range(2, 21)),
        train_images=None,
        test_images=None,
        random_images=70_000,
    ),
}


def configure(preset: str, dataset: str | None = None, **changes: Any) -> Configuration:
    """The preset with some fields replaced.

    Raises:
        ValueError: if the preset is unknown, or a value out of range.
        TypeError: if a change names no field.
    """
    return chosen_preset(PRESETS, preset, dataset, changes)
