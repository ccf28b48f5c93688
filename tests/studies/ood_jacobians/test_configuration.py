import pytest

from geolatent.studies.ood_jacobians.configuration import PRESETS, configure


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
