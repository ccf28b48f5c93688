import hashlib

import pytest
import torch

from geolatent.studies.ood_jacobians.configuration import (
    PRESETS,
    configure,
    content_digest,
    generator_for,
)


def test_the_paper_preset_has_the_papers_scale():
    paper = PRESETS["paper"]
    assert paper.dataset == "mnist"
    assert paper.latent_dims == tuple(range(2, 21))
    assert paper.hidden == (128, 64, 32)
    assert paper.seeds == (0, 1)
    assert paper.epochs == 300
    assert paper.random_images == 70_000
    assert paper.train_images is None
    assert paper.test_images is None


def test_changes_replace_fields_of_the_preset():
    changed = configure("smoke", "mnist", latent_dims=[5, 3, 5], seed=7, repeats=2)
    assert (changed.dataset, changed.latent_dims, changed.seeds) == ("mnist", (3, 5), (7, 8))
    assert changed.epochs == PRESETS["smoke"].epochs


def test_unknown_field_names_the_fields():
    with pytest.raises(TypeError, match=r"got epoch: use dataset, latent_dims, .*epochs"):
        configure("smoke", epoch=3)


@pytest.mark.parametrize(
    ("arguments", "changes", "message"),
    [
        (("fast",), {}, "preset must be one of smoke, quick, paper; got 'fast'"),
        (("smoke", "cifar"), {}, "dataset must be one of digits, mnist, fashion-mnist; got 'cifar'"),
        (("smoke",), {"latent_dims": ()}, "latent_dims must be positive"),
        (("smoke",), {"latent_dims": (0, 2)}, "latent_dims must be positive"),
        (("smoke",), {"epochs": 0}, "epochs must be at least 1; got 0"),
        (("smoke",), {"train_images": 3}, "train_images must be at least 10"),
    ],
)
def test_bad_values_are_named(arguments, changes, message):
    with pytest.raises(ValueError, match=message):
        configure(*arguments, **changes)


def test_digest_is_the_sha256_of_canonical_json():
    canonical = b'{"epochs":3,"hidden":[2,1]}'
    assert content_digest({"hidden": [2, 1], "epochs": 3}) == hashlib.sha256(canonical).hexdigest()


def test_generators_are_reproducible_and_apart():
    def draw(*parts):
        return torch.rand(4, generator=generator_for(*parts))

    assert torch.equal(draw("weights", 2, 0), draw("weights", 2, 0))
    assert not torch.equal(draw("weights", 2, 0), draw("weights", 2, 1))
    assert not torch.equal(draw("weights", 2, 0), draw("batches", 2, 0))
