"""The report: one self-contained HTML page, and a CSV or PNG file for every table and figure."""

import base64
import io
import math
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure

from geolatent.report.environment import environment
from geolatent.report.files import require_writable, write_atomically
from geolatent.report.study_result import StudyResult

_DOTS_PER_INCH = 150


def write(results: StudyResult | Iterable[StudyResult], out: str | os.PathLike[str]) -> Path:
    """Write ``index.html`` and, in a folder for each study, its tables as CSV and its figures as PNG.

    The page refers to no other file: figures are embedded, so that it can be mailed or archived alone. Every
    file is written to a temporary one first and renamed, the page last.

    Args:
        results: one result or several, shown in this order.
        out: folder; created where missing.

    Returns:
        The path of ``index.html``.

    Raises:
        OutputError: if the folder or a file cannot be written.

    Example:
        >>> import geolatent as gl
        >>> result = gl.studies.ood_jacobians.run(preset="smoke")  # doctest: +SKIP
        >>> gl.report.write(result, "report")  # doctest: +SKIP
    """
    folder = require_writable(out)
    listed = [results] if isinstance(results, StudyResult) else list(results)
    images = {result.name: _write_files(result, folder / result.name) for result in listed}
    template = _templates().get_template("page.html")
    written = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    page = template.render(studies=listed, images=images, environment=environment(), written=written)
    write_atomically(folder / "index.html", page.encode())
    return folder / "index.html"


def _write_files(result: StudyResult, folder: Path) -> dict[str, str]:
    """Write the CSV and PNG files of one study; return its figures as base64."""
    for name, table in {**result.tables, "verdicts": result.verdicts}.items():
        write_atomically(folder / f"{name}.csv", table.to_csv(index=False).encode())
    images = {}
    for name, figure in result.figures.items():
        content = _png(figure)
        write_atomically(folder / f"{name}.png", content)
        images[name] = base64.b64encode(content).decode()
    return images


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DOTS_PER_INCH, facecolor="white", metadata={"Software": None})
    return buffer.getvalue()


def _templates() -> Environment:
    templates = Environment(
        loader=PackageLoader("geolatent.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["cell"] = _cell
    templates.filters["duration"] = _duration
    templates.filters["setting"] = _setting
    templates.tests["numeric"] = _is_numeric
    return templates


def _cell(value: Any) -> str:
    """A table entry as text: four significant digits, an en dash for a missing value."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


def _is_numeric(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _setting(value: Any) -> str:
    """A configuration entry as text: lists without brackets."""
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
