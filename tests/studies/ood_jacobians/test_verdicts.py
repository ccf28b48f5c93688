import pandas as pd
import pytest
import torch

from geolatent.datasets import RANDOM_PIXELS
from geolatent.studies.ood_jacobians.sweep import Measurement
from geolatent.studies.ood_jacobians.verdicts import weigh_claims


def world(strange: bool, explained: float = 0.9):
    """Six models on which every claim about random images holds, or none does."""
    measurements, rows = [], []
    for d in (2, 4, 8, 16, 20, 32):
        values = {
            "digits/reconstruction error": torch.tensor(1 - explained),
            "digits/pixel variance": torch.tensor(1.0),
            "digits/character": torch.full((32,), 0.1),
            "digits/squared difference, 95 %": torch.tensor(1.0),
        }
        for k, name in enumerate(RANDOM_PIXELS):
            values[f"{name}/character"] = torch.eye(32)[d - 1 if strange else k]
            values[f"{name}/squared difference, median"] = torch.tensor(2.0 if strange else 0.5)
        measurements.append(Measurement("digits", d, 0, values))
        for name in ("digits", *RANDOM_PIXELS):
            high = (name != "digits") == strange
            rows.append([d, 0, name, 3.0 if high else 1.0, float(d) if high else 1.0, *[2.0 if high else 1.0] * 2])
    columns = ["squared difference, mean", "J_I geometric mean", "J_I std log|lambda|", "J_I reversed"]
    theorem = pd.DataFrame({"max |lambda_I - 1|": [1e-15], "max |lambda_L - 1|": [1e-15], "bound": [1e-14]})
    theorem["bound"] *= 1 if strange else 1e-3
    return measurements, {
        "statistics": pd.DataFrame(rows, columns=["d", "seed", "set", *columns]),
        "theorem": theorem,
    }


@pytest.mark.parametrize(("strange", "verdict"), [(True, "agrees"), (False, "disagrees")])
def test_verdicts_follow_the_numbers(strange, verdict):
    verdicts = weigh_claims(*world(strange))
    assert len(verdicts) == 8
    assert set(verdicts["verdict"]) == {verdict}


def test_nothing_is_said_of_autoencoders_that_did_not_learn():
    verdicts = weigh_claims(*world(strange=True, explained=0.3))["verdict"]
    assert (verdicts[:-1] == "not tested at this scale").all()
    assert verdicts.iloc[-1] == "agrees"


def test_architectures_need_three_latent_dimensions():
    measurements, tables = world(strange=True)
    verdicts = weigh_claims(measurements[:2], tables)["verdict"]
    assert list(verdicts[verdicts == "not tested at this scale"].index) == [1, 4]


def test_undetermined_orientations_are_left_out():
    measurements, tables = world(strange=True)
    tables["statistics"].loc[tables["statistics"]["d"] == 2, "J_I reversed"] = float("nan")
    assert "in 50 of 50 cases" in weigh_claims(measurements, tables).iloc[6]["ours"]
