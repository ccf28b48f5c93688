"""The 1,797 handwritten digits that come with scikit-learn: 8 x 8 pixels, 17 grey levels."""

from pathlib import Path

import torch
from torch import Tensor

_BRIGHTEST = 16
_TEST_EVERY = 6


def load_digits(split: str) -> tuple[Tensor, Tensor]:
    """Load images in [0, 1] and labels.

    The split is fixed: images 0, 6, 12, ... of scikit-learn's order are the 300 test images, the other 1,497
    the training set.
    """
    import sklearn.datasets

    digits = sklearn.datasets.load_digits()
    images = torch.as_tensor(digits.images, dtype=torch.float32) / _BRIGHTEST
    labels = torch.as_tensor(digits.target, dtype=torch.int64)
    is_test = torch.arange(len(labels)) % _TEST_EVERY == 0
    order = {
        "train": torch.where(~is_test)[0],
        "test": torch.where(is_test)[0],
        "all": is_test.to(torch.uint8).argsort(stable=True),
    }[split]
    return images[order], labels[order]


def digits_folder() -> Path:
    """Folder of scikit-learn that holds the digits."""
    import sklearn.datasets

    return Path(sklearn.datasets.__file__).parent / "data"
