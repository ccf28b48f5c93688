"""What every study promises: a report, and runs that can be killed, continued, spread and made anew."""

import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pytest

from geolatent import datasets, studies, training
from geolatent.report import OutputError


@dataclass(frozen=True)
class Case:
    """A study at its smallest."""

    name: str
    settings: dict[str, Any]  # a run of seconds
    models: int  # that it trains
    slow: dict[str, Any]  # settings of a run long enough to be killed after its first of three models
    reproducible: tuple[str, ...]  # tables that do not hang on the order of floating point sums

    @property
    def study(self) -> Any:
        return getattr(studies, self.name)


CASES = [
    Case(
        "ood_jacobians",
        {
            "latent_dims": (2, 3),
            "repeats": 1,
            "epochs": 4,
            "train_images": 150,
            "test_images": 50,
            "random_images": 30,
        },
        2,
        {"latent_dims": (2, 3, 4), "epochs": 40, "random_images": 20},
        ("models", "statistics", "detection", "theorem"),
    ),
    Case(
        "spsd_latents",
        {"epochs": 1, "train_images": 40, "test_images": 12, "noise": (0.0, 0.1), "product_samples": 6},
        3,
        {"epochs": 3, "train_images": 80, "test_images": 12, "noise": (0.0, 0.1), "product_samples": 6},
        ("models", "ranks"),
    ),
]
every_study = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def test_every_study_is_here():
    assert [case.name for case in CASES] == studies.__all__


@pytest.fixture
def no_page(monkeypatch):
    """Leaves out figures and page, which take most of a small run's time."""
    for case in CASES:
        monkeypatch.setattr(case.study, "draw_figures", lambda *_: {})
    monkeypatch.setattr("geolatent.report.write", lambda *_: None)


@pytest.fixture
def trained(monkeypatch):
    """Grows by one for every model that is trained."""
    fitted, original = [], training.fit

    def count(*arguments, **settings):
        fitted.append(1)
        return original(*arguments, **settings)

    monkeypatch.setattr(training, "fit", count)
    return fitted


def assert_same_tables(result, other):
    assert result.tables.keys() == other.tables.keys()
    for name, table in result.tables.items():
        pd.testing.assert_frame_equal(table, other.tables[name], check_exact=True)
    pd.testing.assert_frame_equal(result.verdicts, other.verdicts)


@every_study
def test_a_report_is_written_and_a_second_run_reads_what_the_first_kept(case, tmp_path, trained):
    result = case.study.run(preset="smoke", out=tmp_path, **case.settings)
    assert len(trained) == case.models
    assert result.name == case.name
    assert result.summary in (tmp_path / "index.html").read_text()
    assert {path.stem for path in (tmp_path / case.name).glob("*.png")} == set(result.figures)
    assert {path.stem for path in (tmp_path / case.name).glob("*.csv")} == {*result.tables, "verdicts"}
    assert {*result.figures, *result.tables} <= result.captions.keys()
    assert list(result.verdicts.columns) == ["claim", "paper", "ours", "verdict"]
    assert result.config["preset"] == "smoke"
    assert result.deviations == case.study.DEVIATIONS
    again = case.study.run(preset="smoke", out=tmp_path, **case.settings)
    assert len(trained) == case.models
    assert_same_tables(again, result)


@every_study
def test_fresh_computes_all_anew_with_the_same_result(case, tmp_path, trained, no_page):
    first = case.study.run(preset="smoke", out=tmp_path, **case.settings)
    second = case.study.run(preset="smoke", out=tmp_path, resume=False, **case.settings)
    assert len(trained) == 2 * case.models
    assert_same_tables(second, first)


@every_study
def test_the_same_numbers_without_a_folder_and_with_two_processes(case, tmp_path, no_page):
    alone = case.study.run(preset="smoke", **case.settings)
    together = case.study.run(preset="smoke", out=tmp_path, jobs=2, **case.settings)
    for name in case.reproducible:
        pd.testing.assert_frame_equal(alone.tables[name], together.tables[name], rtol=1e-3)


SCRIPT = """
import sys
import torch
from geolatent import report, studies

torch.set_num_threads(1)
study = getattr(studies, sys.argv[1])
report.write = study.draw_figures = lambda *_: {{}}
result = study.run(preset="smoke", out=sys.argv[2], **{settings})
for name, table in (result.tables | {{"verdicts": result.verdicts}}).items():
    table.to_csv(f"{{sys.argv[2]}}/{{name}}.csv", index=False)
"""


@every_study
def test_a_killed_run_continues_and_ends_with_the_same_tables(case, tmp_path):
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    command = [sys.executable, "-P", "-c", SCRIPT.format(settings=case.slow), case.name]
    process = subprocess.Popen([*command, str(killed)])
    measurements = killed / "cache" / case.name / "measurements"
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
    assert len(tables) > 1
    for table in tables:
        assert (killed / table.name).read_bytes() == table.read_bytes()


@every_study
def test_an_unwritable_folder_stops_before_any_computation(case, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setattr(case.study, "sweep", None)
    with pytest.raises(OutputError, match="out must be a writable folder"):
        case.study.run(preset="smoke", out=tmp_path / "file")


@every_study
def test_missing_data_stops_before_any_computation(case, tmp_path, monkeypatch, trained):
    (tmp_path / "mnist").mkdir()
    for name in ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"):
        (tmp_path / "mnist" / name).write_bytes(b"damaged")
    monkeypatch.setenv("GEOLATENT_DATA", str(tmp_path))
    with pytest.raises(datasets.DataError, match="t10k-images-idx3-ubyte"):
        case.study.run(preset="smoke", dataset="mnist")
    assert not trained
