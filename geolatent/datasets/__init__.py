"""Real images and random pixels to train on and to test against."""

from geolatent.datasets.errors import DataError
from geolatent.datasets.idx import read_idx
from geolatent.datasets.image_sets import Dataset, fetch, load, names
from geolatent.datasets.random_pixels import RANDOM_PIXELS, random_pixels

__all__ = ["RANDOM_PIXELS", "DataError", "Dataset", "fetch", "load", "names", "random_pixels", "read_idx"]
