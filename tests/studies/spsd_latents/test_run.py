import os

import pytest
import torch

from geolatent import datasets
from geolatent.studies import spsd_latents
from geolatent.studies.spsd_latents.configuration import configure
from geolatent.studies.spsd_latents.sweep import noisy_inputs

FIGURES = [f"figure_{k}" for k in range(1, 8)]
CODES = ["CAE", "DAE", "VAE (sampled)", "VAE (means)"]


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    """The smoke preset from data to report, and the folder of its report."""
    out = tmp_path_factory.mktemp("report")
    return spsd_latents.run(preset="smoke", out=out), out


@pytest.fixture
def no_page(monkeypatch):
    """Leaves out figures and page, which take most of a small run's time."""
    monkeypatch.setattr(spsd_latents, "draw_figures", lambda *_: {})
    monkeypatch.setattr("geolatent.report.write", lambda *_: None)


def test_all_figures_exist_with_labelled_axes_and_captions(smoke):
    result, _ = smoke
    assert list(result.figures) == FIGURES
    assert {*FIGURES, *result.tables} == result.captions.keys()
    for name in ("figure_2", "figure_3", "figure_4", "figure_6"):
        axes = result.figures[name].axes
        assert all(one.get_xlabel() for one in axes)
        assert axes[0].get_ylabel()
        assert all([line.get_label() for line in one.lines][:4] == CODES for one in axes)
    histograms = result.figures["figure_1"].axes
    assert len(histograms) == 12
    assert all(one.get_xlabel() for one in histograms[-3:])
    assert [one.get_title() for one in result.figures["figure_5"].axes] == CODES


def test_tables_have_a_row_for_every_kind_of_codes_and_level(smoke):
    tables = smoke[0].tables
    assert list(tables["models"]["codes"]) == CODES
    assert len(tables["noise"]) == 4 * 3
    assert len(tables["ranks"]) == 4 * 2 * 3
    assert tables["noise"].notna().all(axis=None)
    shares = tables["strata"].groupby(["codes", "σ"])["share"].sum()
    assert (shares <= 1 + 1e-12).all()
    assert set(tables["ranks"][tables["ranks"]["matrix"] == "S3"]["possible"]) == {8}


def test_codes_have_no_angle_without_noise_but_between_two_draws(smoke):
    noise, models = smoke[0].tables["noise"], smoke[0].tables["models"].set_index("codes").filter(like="angle")
    assert (noise[noise["σ"] == 0].filter(like="angle") < 1e-5).all(axis=None)
    assert models.shape[1] == 3
    assert (models.loc["VAE (sampled)"] > 1).all()
    assert models.drop("VAE (sampled)").isna().all(axis=None)


def test_untrained_models_are_not_judged(smoke):
    verdicts = smoke[0].verdicts
    assert len(verdicts) == 10
    assert set(verdicts["verdict"]) == {"not tested at this scale"}


def test_only_what_a_change_affects_is_computed_again(smoke, no_page):
    _, out = smoke
    models, measurements = (out / "cache" / "spsd_latents" / name for name in ("models", "measurements"))
    trained, kept = set(models.iterdir()), set(measurements.iterdir())
    assert (len(trained), len(kept)) == (3, 3)
    spsd_latents.run(preset="smoke", out=out, noise=(0.0, 0.1), product_samples=6)
    assert set(models.iterdir()) == trained
    assert len(set(measurements.iterdir()) - kept) == 3
    spsd_latents.run(preset="smoke", out=out, noise_scale=0.2)
    assert len(set(models.iterdir()) - trained) == 1


def test_inputs_are_resized_and_noise_is_one_draw():
    clean, labels, noise = noisy_inputs(configure("smoke"))
    assert clean.shape == noise.shape == (20, 1, 28, 28)
    assert len(labels) == 20
    assert 0 <= float(clean.min()) < float(clean.max()) <= 1
    digits = datasets.load("digits", "test").images[:20]
    torch.testing.assert_close(clean.mean(), digits.mean(), rtol=0.05, atol=0)
    assert torch.equal(noisy_inputs(configure("smoke", epochs=1))[2], noise)
    assert not torch.equal(noisy_inputs(configure("smoke", seed=1))[2], noise)


@pytest.mark.data
@pytest.mark.skipif(not os.environ.get("GEOLATENT_DATA"), reason="GEOLATENT_DATA names no folder with the data")
def test_mnist_needs_no_resizing():
    clean, _, _ = noisy_inputs(configure("smoke", "mnist"))
    assert torch.equal(clean[:, 0], datasets.load("mnist", "test").images[:20])
