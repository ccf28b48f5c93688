"""What a study found."""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from matplotlib.figure import Figure


@dataclass
class StudyResult:
    """Tables, figures and verdicts of one study, ready for :func:`geolatent.report.write`.

    Args:
        name: identifier, also the folder of its files.
        title: headline.
        paper: reference of the paper.
        summary: one sentence that says what was found.
        config: what the run was asked for, JSON-able.
        tables: name -> table.
        figures: name -> figure.
        captions: name of a figure or table -> caption.
        verdicts: the "paper vs. ours" table, columns claim, paper, ours, verdict.
        deviations: where the study departs from the paper.
        seconds: stage -> run time in seconds.
    """

    name: str
    title: str
    paper: str
    summary: str
    config: dict[str, Any]
    tables: dict[str, pd.DataFrame]
    figures: dict[str, Figure]
    captions: dict[str, str]
    verdicts: pd.DataFrame
    deviations: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
