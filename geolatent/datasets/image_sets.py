"""The image sets by name: digits, MNIST and Fashion-MNIST."""

from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from geolatent.datasets.digits import digits_folder, load_digits
from geolatent.datasets.mnist import fetch_mnist, load_mnist

_NAMES = ("digits", "mnist", "fashion-mnist")
_SPLITS = ("train", "test", "all")


class Dataset(NamedTuple):
    """Images and their labels."""

    images: Tensor
    """Grey levels in [0, 1], shape (N, height, width), float32."""
    labels: Tensor
    """Classes 0..9, shape (N,), int64."""


def names() -> tuple[str, ...]:
    """Names that :func:`load` and :func:`fetch` know."""
    return _NAMES


def load(name: str, split: str = "train", root: str | Path | None = None) -> Dataset:
    """Load a set of labelled grey-level images.

    "digits" comes with scikit-learn. The idx files of "mnist" and "fashion-mnist", plain or gzip, are looked
    for in ``root``, then in the folder that the environment variable GEOLATENT_DATA names, then in the user's
    cache, each time in the subfolder ``name`` and then in the folder itself. A file found nowhere is
    downloaded into ``root`` if given, else into the cache. SHA-256 is checked in every case.

    Args:
        name: "digits", "mnist" or "fashion-mnist".
        split: "train" (1,497 digits; 60,000 images), "test" (300 digits: every sixth; 10,000 images), or
            "all", the training set followed by the test set.
        root: folder to look in first; unused for "digits".

    Returns:
        Images, shape (N, height, width), float32 in [0, 1]; labels, shape (N,), int64.

    Raises:
        ValueError: if the name or the split is unknown.
        DataError: if a file is damaged, or found nowhere and not to be downloaded; names file and remedy.

    >>> images, labels = load("digits", split="test")
    >>> images.shape, labels.shape
    (torch.Size([300, 8, 8]), torch.Size([300]))
    """
    _require_choice("name", name, _NAMES)
    _require_choice("split", split, _SPLITS)
    return Dataset(*(load_digits(split) if name == "digits" else load_mnist(name, split, root)))


def fetch(name: str, root: str | Path | None = None, progress: bool = False) -> Path:
    """Verify all files of a set, after downloading those that are on no folder of this machine.

    Args:
        name: "digits", "mnist" or "fashion-mnist".
        root: folder that is to hold the files, in its subfolder ``name``; files found in GEOLATENT_DATA or in
            the cache are copied to it. None: the set may stay where it is found. Unused for "digits".
        progress: show a progress bar for each download.

    Returns:
        The folder that holds the files; for "digits", that of scikit-learn.

    Raises:
        ValueError: if the name is unknown.
        DataError: as for :func:`load`, and if the folder is not writable.
    """
    _require_choice("name", name, _NAMES)
    return digits_folder() if name == "digits" else fetch_mnist(name, root, progress)


def _require_choice(parameter: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        listed = ", ".join(f'"{choice}"' for choice in choices)
        raise ValueError(f"{parameter} must be one of {listed}; got {value!r}: choose one of these")
