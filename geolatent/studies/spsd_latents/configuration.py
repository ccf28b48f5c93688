"""What a run of the study is asked for."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from geolatent.manifolds import FixedRankSPSD
from geolatent.manifolds.spsd_pairs import CrossRank
from geolatent.studies._presets import chosen_preset, jsonable, require_at_least, require_dataset, require_images


@dataclass(frozen=True)
class Configuration:
    """Scale and recipe of the experiment.

    Args:
        dataset: images to train on: "digits", "mnist" or "fashion-mnist"; those of another size are brought to 28 x 28.
        widths: channels of the encoder's blocks; codes have 7 x 7 pixels with three, and the last as channels.
        seed: first seed.
        repeats: trainings of each of the three models, with seeds seed, seed + 1, ...
        epochs: passes over the training images.
        batch_size: images in a step.
        lr: learning rate of Adam.
        noise_scale: standard deviation of the noise that the denoising autoencoder is trained with.
        kl_weight: weight of the divergence in the loss of the variational autoencoder; 1 is the evidence lower bound.
        train_images: images to train on; None for the whole training set.
        test_images: unseen images whose codes are measured.
        noise: standard deviations of the Gaussian noise added to the test images; the first is 0.
        product_samples: test images between whose codes the product distance is measured.
        cross_rank: what the product distance does with codes of unequal rank, as in FixedRankSPSD; not "raise".
        angle_dimension: dimension of the subspaces between which angles are measured.
    """

    dataset: str = "digits"
    widths: tuple[int, ...] = (8, 16, 64)
    seed: int = 0
    repeats: int = 1
    epochs: int = 12
    batch_size: int = 32
    lr: float = 1e-3
    noise_scale: float = 0.1
    kl_weight: float = 1.0
    train_images: int | None = None
    test_images: int = 300
    noise: tuple[float, ...] = (0.0, 0.02, 0.04, 0.06, 0.08, 0.1)
    product_samples: int = 100
    cross_rank: CrossRank = "truncate"
    angle_dimension: int = 10

    def __post_init__(self) -> None:
        require_dataset(self.dataset)
        object.__setattr__(self, "widths", tuple(self.widths))
        object.__setattr__(self, "noise", tuple(float(level) for level in self.noise))
        if len(self.noise) < 2 or self.noise[0] != 0 or any(low >= high for low, high in pairwise(self.noise)):
            raise ValueError(f"noise must be 0 and rising levels; got {self.noise}: give some, such as (0, 0.05, 0.1)")
        if self.cross_rank == "raise":
            raise ValueError('cross_rank must be "truncate" or "schubert"; got "raise": codes differ in rank')
        FixedRankSPSD(1, 1, cross_rank=self.cross_rank)
        least = {"repeats": 1, "epochs": 1, "batch_size": 1, "angle_dimension": 1, "product_samples": 5}
        require_at_least(self, least | {"test_images": self.product_samples})
        require_images(self, "train_images")

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds of the repeated trainings."""
        return tuple(range(self.seed, self.seed + self.repeats))

    def as_dict(self) -> dict[str, Any]:
        """The fields, JSON-able."""
        return jsonable(self)


PRESETS = {
    "smoke": Configuration(
        widths=(4, 4, 8),
        epochs=2,
        lr=3e-3,
        train_images=160,
        test_images=20,
        noise=(0.0, 0.05, 0.1),
        product_samples=12,
        angle_dimension=3,
    ),
    "quick": Configuration(),
    "paper": Configuration(
        dataset="mnist",
        widths=(16, 32, 128),
        epochs=6,
        batch_size=64,
        noise=tuple(k / 100 for k in range(11)),
        product_samples=300,
    ),
}


def configure(preset: str, dataset: str | None = None, **changes: Any) -> Configuration:
    """The preset with some fields replaced.

    Raises:
        ValueError: if the preset is unknown, or a value out of range.
        TypeError: if a change names no field.
    """
    return chosen_preset(PRESETS, preset, dataset, changes)
