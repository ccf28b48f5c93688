import json
from dataclasses import dataclass

import pytest

from geolatent.studies._presets import chosen_preset, jsonable, require_at_least, require_dataset, require_images


@dataclass(frozen=True)
class Configuration:
    dataset: str = "digits"
    widths: tuple[int, ...] = (2, 3)
    images: int | None = None


PRESETS = {"smoke": Configuration(images=20), "paper": Configuration("mnist")}


def test_changes_and_the_data_set_replace_fields():
    assert chosen_preset(PRESETS, "paper", None, {}) == PRESETS["paper"]
    assert chosen_preset(PRESETS, "smoke", "mnist", {"widths": (5,)}) == Configuration("mnist", (5,), 20)
    assert PRESETS["smoke"].dataset == "digits"


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="preset must be one of smoke, paper; got 'fast': choose one of these"):
        chosen_preset(PRESETS, "fast", None, {})
    with pytest.raises(TypeError, match="got width, depth: use dataset, widths, images"):
        chosen_preset(PRESETS, "smoke", None, {"width": 3, "images": 4, "depth": 1})
    with pytest.raises(ValueError, match="dataset must be one of digits, mnist, fashion-mnist; got 'cifar'"):
        require_dataset("cifar")
    require_dataset("digits")


def test_a_configuration_survives_json():
    values = jsonable(Configuration())
    assert values == {"dataset": "digits", "widths": [2, 3], "images": None}
    assert json.loads(json.dumps(values)) == values


def test_numbers_have_a_least():
    require_at_least(PRESETS["smoke"], {"images": 20})
    with pytest.raises(ValueError, match="images must be at least 21; got 20: raise it"):
        require_at_least(PRESETS["smoke"], {"images": 21})
    require_images(Configuration(), "images")
    require_images(Configuration(images=10), "images")
    with pytest.raises(ValueError, match="images must be at least 10, or None for all; got 9"):
        require_images(Configuration(images=9), "images")
