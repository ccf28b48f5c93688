import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest
import torch

from geolatent import datasets
from geolatent.report import OutputError
from geolatent.studies import spsd_latents
from geolatent.studies.spsd_latents.configuration import configure
from geolatent.studies.spsd_latents.sweep import noisy_inputs

FIGURES = [f"figure_{k}" for k in range(1, 8)]
CODES = ["CAE", "DAE", "VAE (sampled)", "VAE (means)"]
TINY = {"epochs": 1, "train_images": 40, "test_images": 12, "noise": (0.0, 0.1), "product_samples": 6}


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


def assert_same_tables(result, other):
    assert result.tables.keys() == other.tables.keys()
    for name, table in result.tables.items():
        pd.testing.assert_frame_equal(table, other.tables[name], check_exact=True)
    pd.testing.assert_frame_equal(result.verdicts, other.verdicts)


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


def test_means_and_deterministic_codes_have_no_angle_without_noise(smoke):
    noise = smoke[0].tables["noise"]
    clean = noise[noise["σ"] == 0].set_index("codes").filter(like="angle")
    assert (clean.drop("VAE (sampled)") < 1e-5).all(axis=None)
    assert (clean.loc["VAE (sampled)"] > 1).all()


def test_untrained_models_are_not_judged(smoke):
    verdicts = smoke[0].verdicts
    assert len(verdicts) == 10
    assert set(verdicts["verdict"]) == {"not tested at this scale"}


def test_report_is_written(smoke):
    result, out = smoke
    assert result.summary in (out / "index.html").read_text()
    assert {path.stem for path in (out / "spsd_latents").glob("*.png")} == set(FIGURES)
    assert {path.stem for path in (out / "spsd_latents").glob("*.csv")} == {*result.tables, "verdicts"}


def test_a_second_run_reads_what_the_first_kept(smoke, monkeypatch, no_page):
    result, out = smoke

    def refuse(*_arguments, **_settings):
        raise AssertionError("trained again")

    monkeypatch.setattr("geolatent.training.fit", refuse)
    assert_same_tables(spsd_latents.run(preset="smoke", out=out), result)


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


def test_the_same_numbers_without_a_folder_and_with_two_processes(tmp_path, no_page):
    alone = spsd_latents.run(preset="smoke", **TINY)
    together = spsd_latents.run(preset="smoke", out=tmp_path, jobs=2, **TINY)
    for name in ("models", "ranks"):
        pd.testing.assert_frame_equal(alone.tables[name], together.tables[name], rtol=1e-3)


def test_fresh_computes_all_anew_with_the_same_result(tmp_path, monkeypatch, no_page):
    from geolatent import training

    fitted = []
    original = training.fit

    def count(*arguments, **settings):
        fitted.append(1)
        return original(*arguments, **settings)

    monkeypatch.setattr(training, "fit", count)
    first = spsd_latents.run(preset="smoke", out=tmp_path, **TINY)
    second = spsd_latents.run(preset="smoke", out=tmp_path, resume=False, **TINY)
    assert len(fitted) == 6
    assert_same_tables(second, first)


def test_inputs_are_resized_and_noise_is_one_draw():
    clean, labels, noise = noisy_inputs(configure("smoke"))
    assert clean.shape == noise.shape == (20, 1, 28, 28)
    assert len(labels) == 20
    assert 0 <= float(clean.min()) < float(clean.max()) <= 1
    digits = datasets.load("digits", "test").images[:20]
    torch.testing.assert_close(clean.mean(), digits.mean(), rtol=0.05, atol=0)
    assert torch.equal(noisy_inputs(configure("smoke", epochs=1))[2], noise)
    assert not torch.equal(noisy_inputs(configure("smoke", seed=1))[2], noise)


SCRIPT = """
import sys
import torch
from geolatent import report
from geolatent.studies import spsd_latents

torch.set_num_threads(1)
report.write = spsd_latents.draw_figures = lambda *_: {}
result = spsd_latents.run(preset="smoke", out=sys.argv[1], epochs=3, train_images=80, test_images=12,
                          noise=(0.0, 0.1), product_samples=6)
for name, table in (result.tables | {"verdicts": result.verdicts}).items():
    table.to_csv(f"{sys.argv[1]}/{name}.csv", index=False)
"""


def test_a_killed_run_continues_and_ends_with_the_same_tables(tmp_path):
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    command = [sys.executable, "-P", "-c", SCRIPT]
    process = subprocess.Popen([*command, str(killed)])
    measurements = killed / "cache" / "spsd_latents" / "measurements"
    deadline = time.monotonic() + 120
    while not list(measurements.glob("*.safetensors")) and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = {path: path.stat().st_mtime_ns for path in measurements.glob("*.safetensors")}
    assert 1 <= len(kept) < 3
    assert not list(killed.glob("*.csv"))

    for folder in (killed, whole):
        subprocess.run([*command, str(folder)], check=True)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    tables = sorted(whole.glob("*.csv"))
    assert len(tables) == 7
    for table in tables:
        assert (killed / table.name).read_bytes() == table.read_bytes()


def test_an_unwritable_folder_stops_before_any_computation(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setattr("geolatent.studies.spsd_latents.sweep", None)
    with pytest.raises(OutputError, match="out must be a writable folder"):
        spsd_latents.run(preset="smoke", out=tmp_path / "file")


def test_missing_data_stops_before_any_computation(tmp_path, monkeypatch):
    def refuse(*_arguments, **_settings):
        raise AssertionError("trained without data")

    (tmp_path / "mnist").mkdir()
    for name in ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"):
        (tmp_path / "mnist" / name).write_bytes(b"damaged")
    monkeypatch.setenv("GEOLATENT_DATA", str(tmp_path))
    monkeypatch.setattr("geolatent.training.fit", refuse)
    with pytest.raises(datasets.DataError, match="t10k-images-idx3-ubyte"):
        spsd_latents.run(preset="smoke", dataset="mnist")


@pytest.mark.data
@pytest.mark.skipif(not os.environ.get("GEOLATENT_DATA"), reason="GEOLATENT_DATA names no folder with the data")
def test_mnist_needs_no_resizing():
    clean, _, _ = noisy_inputs(configure("smoke", "mnist"))
    assert torch.equal(clean[:, 0], datasets.load("mnist", "test").images[:20])
