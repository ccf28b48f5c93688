"""The command line: ``geolatent run | bench | doctor | data``."""

import contextlib
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from geolatent import __version__

if TYPE_CHECKING:
    from types import ModuleType

    from geolatent.report import StudyResult

app = typer.Typer(
    name="geolatent",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Geometry of latent spaces: studies of autoencoders on real data, on kernels compiled for this CPU.",
    epilog="Start with: geolatent run   (some minutes; then open report/index.html)",
)


def main() -> None:
    """Entry point of the console script."""
    try:
        app()
    except ValueError as error:  # raised by the first import that reads it
        if not str(error).startswith("GEOLATENT_ISA"):
            raise
        typer.echo(f"geolatent: {error}", err=True)
        raise SystemExit(2) from None


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"geolatent {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and stop."),
    ] = False,
) -> None:
    pass


@app.command(epilog="Examples: geolatent run  |  geolatent run ood_jacobians --dataset mnist --out results --jobs 4")
def run(
    study: Annotated[str, typer.Argument(help="Name of a study, or all.")] = "all",
    preset: Annotated[
        str,
        typer.Option(help="smoke: seconds. quick: minutes. paper: the paper's scale, hours to days."),
    ] = "quick",
    dataset: Annotated[
        str | None,
        typer.Option(help="digits, mnist or fashion-mnist; by default digits, for preset paper the paper's."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of the report, and of results kept for the next run.")] = Path(
        "report"
    ),
    jobs: Annotated[int, typer.Option(help="Models trained at a time; -1 for one a core.")] = -1,
    scheduler: Annotated[
        str | None,
        typer.Option(help="Address of a Dask scheduler, such as tcp://host:8786, to run the jobs there."),
    ] = None,
    seed: Annotated[int, typer.Option(help="First seed of the trainings.")] = 0,
    resume: Annotated[
        bool,
        typer.Option("--resume/--fresh", help="Continue where an earlier run stopped, or compute all anew."),
    ] = True,
) -> None:
    """Run a study, or all of them, and write one report page with its tables and figures."""
    from geolatent import datasets, report

    if jobs == 0:
        _stop("--jobs must be a positive number, or -1 for one a core; got 0")
    chosen = _choose(study, preset, dataset)
    try:
        folder = report.require_writable(out)
        with _scheduler(scheduler):
            settings: dict[str, Any] = {
                "preset": preset,
                "dataset": dataset,
                "jobs": jobs,
                "resume": resume,
                "seed": seed,
            }
            results = _run_all(chosen, folder, settings)
    except (datasets.DataError, report.OutputError) as error:
        _stop(str(error))
    if len(results) > 1:
        report.write(results, folder)
    for result in results:
        typer.echo(f"{result.title}. {result.summary}")
    if results:
        typer.echo(f"Report: {folder / 'index.html'}")
    if len(results) < len(chosen):
        raise typer.Exit(1)


def _choose(study: str, preset: str, dataset: str | None) -> "dict[str, ModuleType]":
    """The studies asked for, by name; stops where a name is unknown."""
    from geolatent import datasets, studies

    if study not in ("all", *studies.__all__):
        _stop(f"unknown study {study!r}: use {', '.join(studies.__all__)} or all")
    chosen = {name: getattr(studies, name) for name in studies.__all__ if study in ("all", name)}
    for module in chosen.values():
        if preset not in module.PRESETS:
            _stop(f"unknown preset {preset!r}: use {', '.join(module.PRESETS)}")
    if dataset is not None and dataset not in datasets.names():
        _stop(f"unknown data set {dataset!r}: use {', '.join(datasets.names())}")
    return chosen


def _run_all(chosen: "dict[str, ModuleType]", folder: Path, settings: dict[str, Any]) -> "list[StudyResult]":
    """Results of the studies that ended; what stopped the others is printed."""
    from geolatent import datasets, report

    results = []
    for name, module in chosen.items():
        try:
            results.append(module.run(out=folder, progress=True, **settings))
        except (datasets.DataError, report.OutputError):
            raise
        except Exception:
            traceback.print_exc()
            typer.echo(f"geolatent: study {name} failed; what it finished is kept in {folder / 'cache'}", err=True)
    return results


@contextlib.contextmanager
def _scheduler(address: str | None) -> Iterator[None]:
    """Send joblib's jobs to a Dask scheduler, if one is given."""
    if address is None:
        yield
        return
    try:
        from dask.distributed import Client  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        _stop("--scheduler needs Dask, which is not installed: pip install 'geolatent[dask]'")
    from joblib import parallel_config

    try:
        client = Client(address, timeout="10s")
    except (OSError, ValueError) as error:
        _stop(f"no Dask scheduler answers at {address} ({type(error).__name__}): start one with `dask scheduler`")
    with client, parallel_config(backend="dask"):
        yield


@app.command(epilog="Example: geolatent bench --quick --out timings.json")
def bench(
    quick: Annotated[bool, typer.Option("--quick", help="Fewer matrices and repeats: about half a minute.")] = False,
    out: Annotated[Path, typer.Option(help="JSON file for the timings.")] = Path("bench.json"),
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of every contestant; by default torch's.")] = None,
) -> None:
    """Time the kernels against torch and numpy, side by side in one run."""
    import json

    from geolatent import report
    from geolatent.bench import benchmark, pinned_threads

    try:
        report.require_writable(out.absolute().parent)
    except report.OutputError as error:
        _stop(str(error))
    timings = []
    typer.echo(f"{'operation':32}{'d':>4}  {'dtype':9}{'peer':37}{'ours us':>10}{'peer us':>11}{'ratio':>9}")
    for one in benchmark(quick, threads):
        timings.append({**one._asdict(), "ratio": one.ratio})
        typer.echo(
            f"{one.operation:32}{one.d:>4}  "
            f"{one.dtype:9}{one.peer:37}{one.ours_us:>10.3f}{one.peer_us:>11.2f}"
            f"{one.ratio:>8.1f}x"
        )
    with pinned_threads(threads) if threads else contextlib.nullcontext():
        content = {"environment": report.environment(), "timings": timings}
    report.write_atomically(out.absolute(), (json.dumps(content, indent=2) + "\n").encode())
    typer.echo(f"Timings: {out}")


@app.command(epilog="Exit status 1 if a self-check fails.")
def doctor() -> None:
    """Say what runs natively here, with which versions and data, and check every kernel."""
    from geolatent import datasets, report
    from geolatent.doctor import find_data, native_kernels, self_check

    for name, value in report.environment().items():
        typer.echo(f"{name + ':':20}{value}")
    kernels = native_kernels()
    typer.echo(f"{'native kernels:':20}{', '.join(kernels) or 'none: every operation runs as its torch formula'}")
    for name in datasets.names():
        typer.echo(f"{'data ' + name + ':':20}{find_data(name)}")
    checks = self_check()
    for check in checks:
        verdict = "ok" if check.passed else "FAILED"
        typer.echo(
            f"check {check.operation:32}{check.isa:10}{check.dtype:9}{verdict} (error / bound {check.ratio:.2g})"
        )
    if not all(check.passed for check in checks):
        typer.echo(
            "geolatent: a self-check failed: set GEOLATENT_ISA to a level that passes, and report it",
            err=True,
        )
        raise typer.Exit(1)


@app.command(epilog="Example: geolatent data mnist --root ~/data   (then: export GEOLATENT_DATA=~/data)")
def data(
    name: Annotated[str, typer.Argument(help="digits, mnist or fashion-mnist.")],
    root: Annotated[
        Path | None, typer.Option(help="Folder for the files; by default GEOLATENT_DATA or the cache.")
    ] = None,
) -> None:
    """Fetch a data set where it is missing, and verify it."""
    from geolatent import datasets

    if name not in datasets.names():
        _stop(f"unknown data set {name!r}: use {', '.join(datasets.names())}")
    try:
        folder = datasets.fetch(name, root, progress=True)
    except datasets.DataError as error:
        _stop(str(error))
    typer.echo(f"{name}: verified in {folder}")


def _stop(message: str) -> NoReturn:
    """End with status 2 and one line that says what to do."""
    typer.echo(f"geolatent: {' '.join(message.split())}", err=True)
    raise typer.Exit(2)


if __name__ == "__main__":
    main()
