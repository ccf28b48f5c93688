import json
import os
import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from geolatent import __version__, _kernels, bench, doctor
from geolatent.cli import app

runner = CliRunner()


def refused(arguments):
    """The one line of a command that ends with status 2."""
    result = runner.invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("geolatent: ")
    return line


def test_version():
    result = runner.invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"geolatent {__version__}\n")


def test_runs_as_a_module():
    command = [sys.executable, "-m", "geolatent", "--version"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == f"geolatent {__version__}\n"


def test_help_names_every_command_and_loads_nothing_heavy():
    script = (
        "import sys\nfrom geolatent.cli import app\n"
        "try: app(['--help'])\nexcept SystemExit: pass\n"
        "print(sorted({'torch', 'matplotlib', 'pandas', 'sklearn'} & set(sys.modules)))"
    )
    output = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True).stdout
    for command in ("run", "bench", "doctor", "data"):
        assert re.search(rf"\b{command}\b", output)
    assert output.splitlines()[-1] == "[]"


def test_run_writes_the_report_and_says_where(tmp_path):
    out = tmp_path / "report"
    result = runner.invoke(app, ["run", "ood_jacobians", "--preset", "smoke", "--out", str(out), "--jobs", "1"])
    assert result.exit_code == 0, result.output
    assert (out / "index.html").exists()
    assert f"Report: {out / 'index.html'}" in result.stdout
    assert "AUROC" in result.stdout
    assert "model" in result.stderr


def test_run_without_a_study_runs_every_study_on_digits_at_quick(tmp_path, monkeypatch):
    from geolatent import studies

    modules = [getattr(studies, name) for name in studies.__all__]
    asked = []

    def record(**settings):
        asked.append(settings)
        raise RuntimeError("enough")

    for module in modules:
        monkeypatch.setattr(module, "run", record)
    result = runner.invoke(app, ["run", "--out", str(tmp_path), "--seed", "5", "--fresh"])
    assert result.exit_code == 1
    for name in studies.__all__:
        assert f"study {name} failed" in result.stderr
    expected = {
        "preset": "quick",
        "dataset": None,
        "jobs": -1,
        "resume": False,
        "seed": 5,
        "out": tmp_path,
        "progress": True,
    }
    assert asked == [expected] * len(modules)
    assert {module.PRESETS["quick"].dataset for module in modules} == {"digits"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "no_such_study"], "unknown study 'no_such_study': use ood_jacobians, spsd_latents or all"),
        (["run", "--preset", "fast"], "unknown preset 'fast': use smoke, quick, paper"),
        (["run", "--dataset", "cifar"], "unknown data set 'cifar': use digits, mnist, fashion-mnist"),
        (["run", "--jobs", "0"], "--jobs must be a positive number, or -1"),
        (["data", "cifar"], "unknown data set 'cifar': use digits, mnist, fashion-mnist"),
    ],
)
def test_bad_usage_is_one_line(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert message in refused(arguments)
    assert not list(tmp_path.iterdir())


def test_an_unwritable_folder_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    out = tmp_path / "file" / "report"
    assert "out must be a writable folder" in refused(["run", "--preset", "smoke", "--out", out])
    assert "out must be a writable folder" in refused(["bench", "--quick", "--out", out / "bench.json"])


def test_a_damaged_data_file_is_one_line(tmp_path, monkeypatch):
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / "t10k-images-idx3-ubyte").write_bytes(b"damaged")
    monkeypatch.setenv("GEOLATENT_DATA", str(tmp_path))
    arguments = ["run", "--preset", "smoke", "--dataset", "mnist", "--out", tmp_path / "report"]
    assert "t10k-images-idx3-ubyte" in refused(arguments)
    assert not (tmp_path / "report" / "index.html").exists()


def test_a_scheduler_without_dask_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "dask.distributed", None)
    line = refused(["run", "--scheduler", "tcp://localhost:1", "--preset", "smoke", "--out", tmp_path])
    assert "pip install 'geolatent[dask]'" in line


def test_a_failed_computation_ends_with_status_one(tmp_path, monkeypatch):
    def fail(*_arguments, **_settings):
        raise FloatingPointError("loss is not finite")

    monkeypatch.setattr("geolatent.training.fit", fail)
    result = runner.invoke(app, ["run", "--preset", "smoke", "--out", str(tmp_path), "--jobs", "1"])
    assert result.exit_code == 1
    assert "loss is not finite" in result.stderr
    assert not (tmp_path / "index.html").exists()


def test_doctor_tells_what_runs_natively(monkeypatch):
    monkeypatch.setattr(doctor, "self_check", lambda: [doctor.Check("linalg.eigvals", "v3", "float32", 0.01)])
    result = runner.invoke(app, ["doctor"])
    assert result.exit_code == 0
    for word in ("torch:", "instruction set:", "native kernels:", "data mnist:", "linalg.eigvals", "ok"):
        assert word in result.stdout


def test_doctor_fails_with_a_failed_check(monkeypatch):
    monkeypatch.setattr(doctor, "self_check", lambda: [doctor.Check("linalg.eigvals", "v3", "float32", 2.0)])
    result = runner.invoke(app, ["doctor"])
    assert result.exit_code == 1
    assert "FAILED" in result.stdout
    assert "GEOLATENT_ISA" in result.stderr


def test_bench_prints_and_writes_timings(tmp_path, monkeypatch):
    timing = bench.Timing("linalg.eigvals", 8, "float32", "torch.linalg.eigvals", 0.2, 8.0)
    monkeypatch.setattr(bench, "benchmark", lambda quick, threads: iter([timing]))
    result = runner.invoke(app, ["bench", "--quick", "--out", str(tmp_path / "bench.json")])
    assert result.exit_code == 0, result.output
    assert "40.0x" in result.stdout
    content = json.loads((tmp_path / "bench.json").read_text())
    assert content["timings"][0]["ratio"] == pytest.approx(40)
    assert content["environment"]["instruction set"].startswith(_kernels.isa())


def test_data_says_where_the_files_lie():
    result = runner.invoke(app, ["data", "digits"])
    assert result.exit_code == 0
    assert re.match(r"digits: verified in .+", result.stdout)


def test_the_module_runs_as_a_program(tmp_path):
    command = [sys.executable, "-P", "-m", "geolatent.cli", "run", "nothing", "--out", str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert result.stderr == "geolatent: unknown study 'nothing': use ood_jacobians, spsd_latents or all\n"


def test_an_unknown_instruction_set_is_bad_usage_in_one_line() -> None:
    environment = {**os.environ, "GEOLATENT_ISA": "v9"}
    command = [sys.executable, "-P", "-m", "geolatent.cli", "doctor"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("geolatent: GEOLATENT_ISA must name an instruction set of this machine; got 'v9'")
