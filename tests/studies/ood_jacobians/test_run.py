import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

from geolatent import datasets
from geolatent.report import OutputError
from geolatent.studies import ood_jacobians

FIGURES = [f"figure_{k}" for k in range(1, 8)] + ["table_I", "table_II"]
TINY = {
    "latent_dims": (2, 3),
    "repeats": 1,
    "epochs": 4,
    "train_images": 150,
    "test_images": 50,
    "random_images": 30,
}


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    """The smoke preset from data to report, and the folder of its report."""
    out = tmp_path_factory.mktemp("report")
    return ood_jacobians.run(preset="smoke", out=out), out


@pytest.fixture
def no_page(monkeypatch):
    """Leaves out figures and page, which take most of a small run's time."""
    monkeypatch.setattr(ood_jacobians, "draw_figures", lambda *_: {})
    monkeypatch.setattr("geolatent.report.write", lambda *_: None)


def assert_same_tables(result, other):
    assert result.tables.keys() == other.tables.keys()
    for name, table in result.tables.items():
        pd.testing.assert_frame_equal(table, other.tables[name], check_exact=True)
    pd.testing.assert_frame_equal(result.verdicts, other.verdicts)


def test_all_figures_exist_with_labelled_axes_and_captions(smoke):
    result, _ = smoke
    assert list(result.figures) == FIGURES
    for name in FIGURES:
        assert result.captions[name]
    for name in ("figure_1", "figure_7"):
        (axes,) = result.figures[name].axes
        assert axes.get_xlabel()
        assert axes.get_ylabel()
    for name in ("figure_2", "figure_4", "figure_5"):
        axes = result.figures[name].axes
        assert all(one.get_ylabel() for one in axes[::2])
        assert all(one.get_xlabel() for one in axes[-2:])
        assert all(len(one.lines) == 11 for one in axes)
    for name in ("figure_3", "figure_6"):
        figure = result.figures[name]
        assert figure.get_supxlabel()
        assert figure.get_supylabel()
        assert sum(bool(one.get_title()) for one in figure.axes) == 11


def test_tables_have_a_row_for_every_model_and_set(smoke):
    result, _ = smoke
    statistics = result.tables["statistics"]
    assert len(statistics) == 2 * 11
    assert set(statistics["set"]) == {"digits", *datasets.RANDOM_PIXELS}
    assert list(result.tables["detection"]["set"]) == list(datasets.RANDOM_PIXELS)
    assert list(result.tables["models"]["d"]) == [2, 3]
    assert len(result.tables["theorem"]) == 2 * 2
    random = statistics[statistics["set"] != "digits"]
    assert random.filter(like="AUROC").notna().all(axis=None)
    assert statistics.filter(like="mean").gt(0).all(axis=None)


def test_theorem_holds_and_untrained_claims_are_not_judged(smoke):
    verdicts = smoke[0].verdicts.set_index("claim")["verdict"]
    assert len(verdicts) == 8
    assert verdicts.iloc[-1] == "agrees"
    assert (verdicts.iloc[[1, 4]] == "not tested at this scale").all()


def test_report_is_written(smoke):
    result, out = smoke
    page = (out / "index.html").read_text()
    assert result.summary in page
    assert {path.stem for path in (out / "ood_jacobians").glob("*.png")} == set(FIGURES)
    assert {path.stem for path in (out / "ood_jacobians").glob("*.csv")} == {*result.tables, "verdicts"}


def test_a_second_run_reads_what_the_first_kept(smoke, monkeypatch, no_page):
    result, out = smoke

    def refuse(*_arguments, **_settings):
        raise AssertionError("trained again")

    monkeypatch.setattr("geolatent.training.fit", refuse)
    assert_same_tables(ood_jacobians.run(preset="smoke", out=out), result)


def test_the_same_numbers_without_a_folder_and_with_two_processes(tmp_path, no_page):
    alone = ood_jacobians.run(preset="smoke", **TINY)
    together = ood_jacobians.run(preset="smoke", out=tmp_path, jobs=2, **TINY)
    for name, table in alone.tables.items():
        pd.testing.assert_frame_equal(table, together.tables[name], rtol=1e-3)


def test_only_what_a_change_affects_is_computed_again(smoke, no_page):
    _, out = smoke
    before = set((out / "cache").rglob("*.safetensors"))
    models = set((out / "cache" / "ood_jacobians" / "models").iterdir())
    ood_jacobians.run(preset="smoke", out=out, random_images=20)
    assert set((out / "cache" / "ood_jacobians" / "models").iterdir()) == models
    assert len(set((out / "cache").rglob("*.safetensors")) - before) == 2
    ood_jacobians.run(preset="smoke", out=out, latent_dims=(2,), epochs=2)
    assert len(set((out / "cache" / "ood_jacobians" / "models").iterdir()) - models) == 1


def test_fresh_computes_all_anew_with_the_same_result(tmp_path, monkeypatch, no_page):
    from geolatent import training

    fitted = []

    def count(*arguments, **settings):
        fitted.append(1)
        return original(*arguments, **settings)

    original = training.fit
    monkeypatch.setattr(training, "fit", count)
    first = ood_jacobians.run(preset="smoke", out=tmp_path, **TINY)
    second = ood_jacobians.run(preset="smoke", out=tmp_path, resume=False, **TINY)
    assert len(fitted) == 4
    assert_same_tables(second, first)


SCRIPT = """
import sys
import torch
from geolatent import report
from geolatent.studies import ood_jacobians

torch.set_num_threads(1)
report.write = ood_jacobians.draw_figures = lambda *_: {}
result = ood_jacobians.run(preset="smoke", out=sys.argv[1], latent_dims=(2, 3, 4), epochs=40, random_images=20)
for name, table in (result.tables | {"verdicts": result.verdicts}).items():
    table.to_csv(f"{sys.argv[1]}/{name}.csv", index=False)
"""


def test_a_killed_run_continues_and_ends_with_the_same_tables(tmp_path):
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    command = [sys.executable, "-P", "-c", SCRIPT]
    process = subprocess.Popen([*command, str(killed)])
    measurements = killed / "cache" / "ood_jacobians" / "measurements"
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
    assert len(tables) == 5
    for table in tables:
        assert (killed / table.name).read_bytes() == table.read_bytes()


def test_an_unwritable_folder_stops_before_any_computation(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setattr("geolatent.studies.ood_jacobians.sweep", None)
    with pytest.raises(OutputError, match="out must be a writable folder"):
        ood_jacobians.run(preset="smoke", out=tmp_path / "file")


def test_missing_data_stops_before_any_computation(tmp_path, monkeypatch):
    def refuse(*_arguments, **_settings):
        raise AssertionError("trained without data")

    (tmp_path / "mnist").mkdir()
    for name in ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"):
        (tmp_path / "mnist" / name).write_bytes(b"damaged")
    monkeypatch.setenv("GEOLATENT_DATA", str(tmp_path))
    monkeypatch.setattr("geolatent.training.fit", refuse)
    with pytest.raises(datasets.DataError, match="t10k-images-idx3-ubyte"):
        ood_jacobians.run(preset="smoke", dataset="mnist")


@pytest.mark.data
@pytest.mark.skipif(not os.environ.get("GEOLATENT_DATA"), reason="GEOLATENT_DATA names no folder with the data")
def test_mnist_is_compared_with_fashion_mnist():
    result = ood_jacobians.run(preset="smoke", dataset="mnist", latent_dims=(2,), epochs=1)
    assert list(result.tables["detection"]["set"]) == [*datasets.RANDOM_PIXELS, "fashion-mnist"]
    assert len(result.tables["statistics"]) == 12
    assert len(result.figures["figure_1"].axes[0].lines) == 11
