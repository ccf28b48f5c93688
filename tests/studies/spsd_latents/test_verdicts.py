import pandas as pd
import pytest
import torch

from geolatent.studies.spsd_latents.sweep import Measurement
from geolatent.studies.spsd_latents.tables import map_displacement, tabulate
from geolatent.studies.spsd_latents.verdicts import summarize_verdicts, weigh_claims

CODES = ("CAE", "DAE", "VAE (sampled)", "VAE (means)")
NOT_TESTED = "not tested at this scale"


def values(strange, noise, full):
    """What is measured where codes suffer from noise, or do not."""
    levels, images = len(noise), 6
    ranks = torch.tensor(full).expand(levels, images, 3).clone()
    if strange:
        ranks[:, :3] = torch.tensor([5, 6, 30])
    steps = torch.arange(levels, dtype=torch.float64)
    start = torch.rand(images, 2, generator=torch.Generator().manual_seed(0))
    measured = {
        "noise": torch.tensor(noise, dtype=torch.float64),
        "full ranks": torch.tensor(full),
        "ranks": ranks,
        "ranks by tolerance": torch.stack([ranks[0], 0 * ranks[0]]).expand(5, 2, images, 3),
        "psnr": (25 - (3 * steps if strange else 0 * steps))[:, None].expand(levels, images),
        "training loss": torch.tensor(0.01),
        "error": torch.tensor(0.1),
        "pixel variance": torch.tensor(1.0),
        "map": torch.stack([start, start + (10.0 if strange else 0.01)]),
    }
    for name in ("product", "log-projection"):
        measured[f"{name}/dimension"] = 10 + (steps.long() if strange else 0 * steps.long())
        measured[f"{name}/negative mass"] = 0 * steps
    for name in ("log-projection, joint space", "log-projection, eigenspaces", "product, eigenspaces"):
        measured[f"{name}/angles"] = (0.2 * steps if strange else 0 * steps)[:, None].expand(levels, 4)
    for name in ("product, raise", "product, truncate", "product, schubert", "log-projection, same samples"):
        measured[f"ablation/{name}"] = torch.tensor([6.0, 4.0, 0.01])
    return measured


def world(as_the_paper=True, full=(7, 7, 48), noise=(0.0, 0.05, 0.1)):
    """Measurements on which every claim holds, or none does."""
    return [Measurement(codes, 0, values((codes in CODES[:2]) == as_the_paper, noise, full)) for codes in CODES]


def weighed(measurements, dataset="mnist"):
    return weigh_claims(measurements, tabulate(measurements), dataset)


def test_verdicts_follow_the_numbers():
    assert set(weighed(world())["verdict"]) == {"agrees"}
    opposite = weighed(world(as_the_paper=False))
    assert len(opposite) == 10
    assert set(opposite["verdict"]) == {"disagrees"}


@pytest.mark.parametrize(
    ("ranks", "yes"),
    [([4, 5, 28], 12), ([1, 6, 30], 8), ([7, 7, 48], 4), ([5, 6, 39], 12), ([6, 7, 40], 8), ([5, 6, 38], 12)],
)
def test_ranges_of_ranks_are_compared_by_their_overlap(ranks, yes):
    measurements = world()
    for one in measurements[:2]:
        one.values["ranks"][:, :3] = torch.tensor(ranks)
    assert f"in {yes} of 12 cases" in weighed(measurements)["ours"][1]


def test_numbers_of_the_paper_need_its_codes_and_its_images():
    for full, dataset, untested in (((7, 7, 16), "mnist", [1]), ((7, 7, 48), "digits", [1, 5])):
        verdicts = weighed(world(full=full), dataset)["verdict"]
        assert list(verdicts[verdicts == NOT_TESTED].index) == untested


def test_nothing_is_said_of_models_that_did_not_learn():
    measurements = world()
    measurements[1].values["error"] = torch.tensor(0.7)
    assert set(weighed(measurements)["verdict"]) == {NOT_TESTED}


def test_means_of_the_vae_decide_nothing():
    measurements = world()
    verdicts = weighed(measurements)
    measurements[3] = Measurement(CODES[3], 0, values(True, (0.0, 0.05, 0.1), (7, 7, 48)))
    measurements[3].values["error"] = torch.tensor(0.7)
    pd.testing.assert_frame_equal(weighed(measurements), verdicts)


def test_tables_say_what_was_measured():
    tables = tabulate(world())
    ranks = tables["ranks"].set_index(["codes", "σ", "matrix"])
    assert ranks.loc["CAE", 0.1, "S3"][["least", "greatest", "possible", "full"]].tolist() == [30, 48, 48, 0.5]
    noise = tables["noise"].set_index(["codes", "σ"])
    assert noise.loc[("DAE", 0.1), "PSNR"] == pytest.approx(19)
    assert noise.loc[("DAE", 0.05), "angle, product, eigenspaces"] == pytest.approx(11.459, abs=1e-3)
    strata = tables["strata"]
    assert strata[strata["codes"] == "CAE"]["strata"].tolist() == [2] * 4
    assert strata[strata["codes"] == "CAE"]["share"].sum() == 2
    assert len(tables["tolerance"]) == 4 * 5
    assert tables["tolerance"].loc[0, ["strata", "S3 least", "S3 greatest", "S3 full"]].tolist() == [2, 30, 48, 0.5]
    assert tables["geometry"]["distance"].tolist()[:4] == [
        "product, raise",
        "product, truncate",
        "product, schubert",
        "log-projection",
    ]


def test_equal_changes_of_dimension_are_not_larger():
    measurements = world()
    for one in measurements:
        one.values["product/dimension"] = torch.tensor([10, 11, 11])
    assert "in 2 of 4 cases" in weighed(measurements)["ours"][6]


def test_displacement_is_relative_to_the_spread():
    clean = torch.tensor([[0.0, 0.0], [2.0, 0.0], [4.0, 0.0]])
    one = Measurement("CAE", 0, {"map": torch.stack([clean, clean + torch.tensor([0.0, 3.0])])})
    assert map_displacement(one) == pytest.approx(1.5)


def test_the_summary_counts():
    measurements = world()
    sentence = summarize_verdicts(weighed(measurements), tabulate(measurements))
    assert "Of 10 claims of the paper, our numbers agree with 10" in sentence
    assert "CAE: 2" in sentence
    assert "VAE (sampled): 1" in sentence
