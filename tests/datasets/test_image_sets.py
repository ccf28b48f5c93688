import os

import pytest
import sklearn.datasets
import torch

from geolatent import datasets


def test_names():
    assert datasets.names() == ("digits", "mnist", "fashion-mnist")


@pytest.mark.parametrize("call", [datasets.load, datasets.fetch])
def test_unknown_name_is_refused_with_the_choices(call):
    with pytest.raises(ValueError, match=r'name must be one of "digits", "mnist", "fashion-mnist"; got \'cifar\''):
        call("cifar")


def test_unknown_split_is_refused_with_the_choices():
    with pytest.raises(ValueError, match='split must be one of "train", "test", "all"; got \'validation\''):
        datasets.load("digits", split="validation")


def test_digits_are_those_of_sklearn_split_at_every_sixth():
    whole = sklearn.datasets.load_digits()
    test = datasets.load("digits", split="test")
    assert torch.equal(test.images, torch.as_tensor(whole.images[::6] / 16, dtype=torch.float32))
    assert torch.equal(test.labels, torch.as_tensor(whole.target[::6]))
    train = datasets.load("digits")
    assert (len(train.images), len(test.images)) == (1497, 300)
    assert torch.equal(train.images[:5], torch.as_tensor(whole.images[1:6] / 16, dtype=torch.float32))
    assert torch.equal(train.labels[4:6], torch.as_tensor(whole.target[[5, 7]]))


def test_all_digits_are_train_then_test():
    train, test, whole = (datasets.load("digits", split=split) for split in ("train", "test", "all"))
    assert torch.equal(whole.images, torch.cat([train.images, test.images]))
    assert torch.equal(whole.labels, torch.cat([train.labels, test.labels]))


def test_digits_types_and_range():
    images, labels = datasets.load("digits", split="all")
    assert images.dtype == torch.float32
    assert labels.dtype == torch.int64
    assert (float(images.min()), float(images.max())) == (0.0, 1.0)


def test_every_class_is_in_the_digits_test_set():
    assert torch.bincount(datasets.load("digits", split="test").labels, minlength=10).min() >= 25


def test_fetch_of_digits_downloads_nothing(tmp_path):
    folder = datasets.fetch("digits", root=tmp_path)
    assert (folder / "digits.csv.gz").is_file()
    assert not list(tmp_path.iterdir())


@pytest.mark.data
@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_real_files_load(name, monkeypatch, tmp_path):
    if not os.environ.get("GEOLATENT_DATA"):
        pytest.skip("GEOLATENT_DATA names no folder with the data")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    try:
        test = datasets.load(name, split="test")
    except datasets.DataError as error:
        if "was not found in" in str(error):
            pytest.skip(f"{name} is not in GEOLATENT_DATA")
        raise
    whole = datasets.load(name, split="all")
    assert test.images.shape == (10_000, 28, 28)
    assert whole.images.shape == (70_000, 28, 28)
    assert torch.equal(whole.images[60_000:], test.images)
    assert torch.equal(torch.bincount(test.labels) > 800, torch.ones(10, dtype=torch.bool))
    assert (float(whole.images.min()), float(whole.images.max())) == (0.0, 1.0)
    assert datasets.fetch(name).parts[-1] == name
