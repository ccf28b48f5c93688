"""Measurements of many cases, each a job, each kept in a file: a run that was killed continues where it was."""

from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from typing import TypeVar

from safetensors.torch import load_file, save
from torch import Tensor

from geolatent import report

Case = TypeVar("Case", bound=Hashable)


def measure_cases(
    measure: Callable[[Case], dict[str, Tensor]],
    files: dict[Case, Path | None],
    *,
    jobs: int,
    resume: bool,
    progress: bool,
) -> dict[Case, dict[str, Tensor]]:
    """Measure all cases, each a joblib job; those whose file exists are read instead.

    Args:
        measure: what is done with one case; must be picklable, such as a ``functools.partial`` of a function.
        files: where the measurement of each case is kept; None where nothing is written.
        jobs: cases measured at a time; -1 for as many as there are cores.
        resume: False measures everything anew.
        progress: show a progress bar, one step a case.

    Returns:
        The measurement of each case.
    """
    from joblib import Parallel, delayed
    from tqdm import tqdm

    done = {case: load_file(file) for case, file in files.items() if resume and file is not None and file.exists()}
    waiting = [case for case in files if case not in done]
    _forget([files[case] for case in waiting])
    with tqdm(total=len(files), initial=len(done), desc="autoencoders", unit="model", disable=not progress) as bar:
        tasks = (delayed(_measured)(measure, case) for case in waiting)
        for case, values in Parallel(n_jobs=jobs, return_as="generator_unordered")(tasks):
            if (file := files[case]) is not None:
                report.write_atomically(file, save(values))
            done[case] = values
            bar.update()
    return done


def _measured(measure: Callable[[Case], dict[str, Tensor]], case: Case) -> tuple[Case, dict[str, Tensor]]:
    return case, measure(case)


def _forget(files: Sequence[Path | None]) -> None:
    """Delete what is to be measured anew, so that a run killed on the way leaves nothing stale."""
    for file in files:
        if file is not None:
            file.unlink(missing_ok=True)
