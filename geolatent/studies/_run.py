"""The steps that every study takes: a writable folder first, then measurements, tables, verdicts, figures, a report."""

import os
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple, TypeVar

import pandas as pd
from matplotlib.figure import Figure

from geolatent import report

M = TypeVar("M")
Tables = dict[str, pd.DataFrame]


class Paper(NamedTuple):
    """What the study is about, whatever its numbers are."""

    name: str
    """Identifier of the study."""
    title: str
    reference: str
    deviations: list[str]
    captions: dict[str, str]
    """Name of a figure or table -> caption."""


def run_study(
    paper: Paper,
    config: dict[str, Any],
    out: str | os.PathLike[str] | None,
    *,
    sweep: Callable[[Path | None], list[M]],
    tabulate: Callable[[list[M]], Tables],
    weigh: Callable[[list[M], Tables], pd.DataFrame],
    summarize: Callable[[pd.DataFrame, Tables], str],
    draw: Callable[[list[M], Tables], dict[str, Figure]],
) -> report.StudyResult:
    """Measure, tabulate, weigh, draw, and write the report if ``out`` names its folder.

    Raises:
        OutputError: if ``out`` cannot be written; before anything is computed.
    """
    folder = None if out is None else report.require_writable(out)
    started = perf_counter()
    measurements = sweep(folder)
    swept = perf_counter()
    tables = tabulate(measurements)
    verdicts = weigh(measurements, tables)
    figures = draw(measurements, tables)
    result = report.StudyResult(
        name=paper.name,
        title=paper.title,
        paper=paper.reference,
        summary=summarize(verdicts, tables),
        config=config,
        tables=tables,
        figures=figures,
        captions=paper.captions,
        verdicts=verdicts,
        deviations=paper.deviations,
        seconds={"training and measurements": swept - started, "tables and figures": perf_counter() - swept},
    )
    if folder is not None:
        report.write(result, folder)
    return result
