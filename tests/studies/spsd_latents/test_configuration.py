import pytest

from geolatent.studies.spsd_latents.configuration import PRESETS, configure


def test_the_paper_preset_has_the_papers_scale():
    paper = PRESETS["paper"]
    assert paper.dataset == "mnist"
    assert paper.widths[-1] == 128
    assert paper.test_images == paper.product_samples == 300
    assert paper.noise == (0.0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09, 0.1)
    assert paper.train_images is None


def test_quick_codes_can_have_the_papers_ranks():
    quick = PRESETS["quick"]
    assert quick.dataset == "digits"
    assert len(quick.widths) == 3
    assert quick.widths[-1] > 48
    assert quick.noise[-1] == 0.1


def test_changes_replace_fields_of_the_preset():
    changed = configure("smoke", "mnist", noise=[0, 0.2], seed=7, repeats=2)
    assert (changed.dataset, changed.noise, changed.seeds) == ("mnist", (0.0, 0.2), (7, 8))
    assert changed.epochs == PRESETS["smoke"].epochs


def test_unknown_field_names_the_fields():
    with pytest.raises(TypeError, match=r"got epoch: use dataset, widths, .*epochs"):
        configure("smoke", epoch=3)


@pytest.mark.parametrize(
    ("arguments", "changes", "message"),
    [
        (("fast",), {}, "preset must be one of smoke, quick, paper; got 'fast'"),
        (("smoke", "cifar"), {}, "dataset must be one of digits, mnist, fashion-mnist; got 'cifar'"),
        (("smoke",), {"noise": (0.0,)}, "noise must be 0 and rising levels"),
        (("smoke",), {"noise": (0.1, 0.2)}, "noise must be 0 and rising levels"),
        (("smoke",), {"noise": (0.0, 0.2, 0.1)}, "noise must be 0 and rising levels"),
        (("smoke",), {"cross_rank": "raise"}, "cross_rank must be"),
        (("smoke",), {"cross_rank": "clamp"}, "cross_rank must be"),
        (("smoke",), {"epochs": 0}, "epochs must be at least 1; got 0"),
        (("smoke",), {"product_samples": 30}, "test_images must be at least 30; got 20"),
        (("smoke",), {"train_images": 3}, "train_images must be at least 10"),
    ],
)
def test_bad_values_are_named(arguments, changes, message):
    with pytest.raises(ValueError, match=message):
        configure(*arguments, **changes)
