import pytest
import torch

from geolatent.studies._measurements import measure_cases


@pytest.fixture
def files(tmp_path):
    return {case: tmp_path / f"{case}.safetensors" for case in ("a", "b", "c")}


def square(case):
    return {"value": torch.tensor([float(ord(case))]).square()}


def run(measure, files, **settings):
    return measure_cases(measure, files, **{"jobs": 1, "resume": True, "progress": False, **settings})


def refuse(case):
    raise AssertionError(f"measured {case} again")


def test_what_was_measured_is_kept_and_read(files):
    first = run(square, files)
    assert {case: float(values["value"]) for case, values in first.items()} == {
        "a": 97.0**2,
        "b": 98.0**2,
        "c": 99.0**2,
    }
    again = run(refuse, files)
    assert all(torch.equal(again[case]["value"], first[case]["value"]) for case in files)
    assert first.keys() == again.keys()


def test_only_what_is_missing_is_measured(files):
    run(square, files)
    files["b"].unlink()
    measured = []
    run(lambda case: measured.append(case) or square(case), files)
    assert measured == ["b"]


def test_without_resuming_a_run_that_stops_leaves_nothing_stale(files):
    run(square, files)

    def stop(case):
        if case == "b":
            raise RuntimeError("stopped")
        return {"value": torch.zeros(1)}

    with pytest.raises(RuntimeError, match="stopped"):
        run(stop, files, resume=False)
    assert [case for case, file in files.items() if file.exists()] == ["a"]
    assert float(run(square, files)["a"]["value"]) == 0.0
    assert float(run(square, files)["b"]["value"]) == 98.0**2


def test_nothing_is_written_without_files(tmp_path):
    assert set(run(square, dict.fromkeys("ab"))) == {"a", "b"}
    assert not list(tmp_path.iterdir())
