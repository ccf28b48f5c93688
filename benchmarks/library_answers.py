"""What public libraries answer for the Fisher-Rao distance of the same pairs of Gaussians, as Markdown.

Run with: python benchmarks/library_answers.py [--out answers.md]

geomstats needs numpy < 2.4 and pyBregMan numpy < 2; one environment holds both, and a library that cannot be imported
is reported as such:

    pip install -c constraints.txt . "geomstats>=2.8" pyBregMan mpmath
"""

import argparse
import math
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import NamedTuple

import numpy as np
import torch
from fifty_digits import fifty_digits
from threadpoolctl import threadpool_limits

import geolatent as gl

BATCH = 10_000


class Pair(NamedTuple):
    """Two Gaussians and, where there is a closed form, their exact distance."""

    name: str
    loc_a: np.ndarray
    covariance_a: np.ndarray
    loc_b: np.ndarray
    covariance_b: np.ndarray
    exact: float | None = None

    @property
    def reference(self) -> float:
        """The closed form's value, or that of fifty-digit arithmetic."""
        return fifty_digits(*self[1:5]) if self.exact is None else self.exact


class Answer(NamedTuple):
    """What a library says, or the name of what it raises, and the seconds that it takes."""

    value: float | str
    seconds: float


Library = Callable[[Pair], float]


def pairs() -> Iterator[Pair]:
    """Yield the pairs of the table."""
    zero, one = np.zeros(2), np.eye(2)
    root2 = math.sqrt(2)
    shear = np.array([[2.0, 0.5], [0.5, 1.0]])
    turn = np.array([[math.cos(0.05), -math.sin(0.05)], [math.sin(0.05), math.cos(0.05)]])
    half_logs = np.log(np.linalg.eigvalsh(shear))
    yield Pair(
        "univariate: N(0, 1) to N(3, 2²)",
        zero[:1],
        one[:1, :1],
        np.array([3.0]),
        np.array([[4.0]]),
        root2 * math.acosh(1 + (9 / 2 + 1) / 4),
    )
    yield Pair(
        "same covariance: N(0, I) to N((10, 0), I)", zero, one, np.array([10.0, 0.0]), one, root2 * math.acosh(26)
    )
    yield Pair(
        "same mean: N(0, I) to N(0, [[2, ½], [½, 1]])", zero, one, zero, shear, math.sqrt((half_logs**2).sum() / 2)
    )
    yield Pair(
        "isotropic: N(0, I) to N((3, 4), 4I)",
        zero,
        one,
        np.array([3.0, 4.0]),
        4 * one,
        math.hypot(root2 * math.acosh(1 + (25 / 2 + 1) / 4), math.log(4) / root2),
    )
    yield Pair("general: N(0, I) to N((1, 1), [[2, ½], [½, 1]])", zero, one, np.array([1.0, 1.0]), shear)
    yield Pair(
        "general, farther: N(0, I) to N((6, 2), [[4, 1], [1, ½]])",
        zero,
        one,
        np.array([6.0, 2.0]),
        np.array([[4.0, 1.0], [1.0, 0.5]]),
    )
    yield Pair(
        "two geodesics: N(0, I) to N((100, 0), R diag(16, 10⁻⁴) R'), R a turn by 0.05",
        zero,
        one,
        np.array([100.0, 0.0]),
        turn @ np.diag([16, 1e-4]) @ turn.T,
    )
    yield Pair("the same Gaussian twice: N(0, I)", zero, one, zero, one, 0.0)


def manifold(pair: Pair) -> gl.manifolds.MultivariateGaussians:
    """Return the manifold that the pair lies on."""
    return gl.manifolds.MultivariateGaussians(len(pair.loc_a))


def points(pair: Pair) -> tuple[gl.manifolds.Gaussian, gl.manifolds.Gaussian]:
    """Return the pair as ours."""
    tensors = [torch.from_numpy(array) for array in pair[1:5]]
    return gl.manifolds.Gaussian(*tensors[:2]), gl.manifolds.Gaussian(*tensors[2:])


def geolatent() -> Library:
    """Return our distance."""
    return lambda pair: manifold(pair).dist(*points(pair)).item()


def geomstats() -> Library:
    """Return geomstats' distance: of its univariate family, of its general one from two dimensions."""
    from geomstats.information_geometry.normal import NormalDistributions

    def dist(pair: Pair) -> float:
        if len(pair.loc_a) == 1:
            a, b = (np.append(loc, np.sqrt(covariance)) for loc, covariance in (pair[1:3], pair[3:5]))
        else:
            a, b = (np.append(loc, covariance) for loc, covariance in (pair[1:3], pair[3:5]))
        return float(NormalDistributions(len(pair.loc_a)).metric.dist(a, b))

    return dist


def pybregman() -> Library:
    """Return pyBregMan's distance at its default precision, 1e-5."""
    from bregman.application.distribution.exponential_family.gaussian import GaussianFisherRaoDistance, GaussianManifold
    from bregman.base import LAMBDA_COORDS, Point

    def dist(pair: Pair) -> float:
        a, b = (Point(LAMBDA_COORDS, np.append(loc, covariance)) for loc, covariance in (pair[1:3], pair[3:5]))
        return float(GaussianFisherRaoDistance(GaussianManifold(len(pair.loc_a)))(a, b))

    return dist


def ask(library: Library, pair: Pair) -> Answer:
    """Ask for one distance, up to 20 times within a second; the median time counts."""
    times: list[float] = []
    while len(times) < 20 and sum(times) < 1:
        start = perf_counter()
        try:
            value: float | str = library(pair)
        except Exception as error:  # whatever a peer raises is its answer
            value = type(error).__name__
        times.append(perf_counter() - start)
    return Answer(value, median(times))


def batched_seconds(pair: Pair) -> float:
    """Return our seconds a pair for a batch of copies: the median of five."""
    a, b = (gl.manifolds.Gaussian(*(x.expand(BATCH, *x.shape).contiguous() for x in point)) for point in points(pair))
    space = manifold(pair)
    times = []
    for _ in range(5):
        start = perf_counter()
        space.dist(a, b)
        times.append((perf_counter() - start) / BATCH)
    return median(times)


def shown(value: float | str, reference: float) -> str:
    """Return an answer with its error: relative, or absolute where the reference is zero."""
    if isinstance(value, str):
        return value
    if value == reference:
        return f"{value:.12f}"
    error = value - reference if reference == 0 else value / reference - 1
    return f"{value:.6f} ({error:+.0%})" if abs(error) >= 0.005 else f"{value:.12f} ({error:+.0e})"


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def report() -> str:
    """Ask every library for every pair."""
    libraries, missing = {f"geolatent {gl.__version__}": geolatent()}, []
    for package, load in (("geomstats", geomstats), ("pyBregMan", pybregman)):
        try:
            libraries[f"{package} {version(package)}"] = load()
        except ImportError as error:
            missing.append(f"{package} could not be imported here: {error}.")
    answers, times = [], []
    for pair in pairs():
        reference = pair.reference
        lower, upper = (bound.item() for bound in manifold(pair).dist_bounds(*points(pair)))
        asked = [ask(library, pair) for library in libraries.values()]
        origin = "50 digits" if pair.exact is None else "closed form"
        answers.append(
            [
                pair.name,
                f"{reference:.12f} ({origin})",
                *(shown(a.value, reference) for a in asked),
                f"{lower:.4f} to {upper:.4f}",
            ]
        )
        times.append(
            [pair.name, f"{batched_seconds(pair) * 1e6:.2f} us", *(f"{a.seconds * 1e3:,.2f} ms" for a in asked)]
        )
    sections = [
        "Printed by `python benchmarks/library_answers.py --out docs/theory/library-answers.md`; relative errors in "
        "parentheses:",
        table(["pair", "exact", *libraries, "our bounds"], answers),
        *missing,
        f"Time a pair, one pair a call, but {BATCH:,} at once in the first column; torch on {torch.get_num_threads()} "
        "threads, BLAS on one:",
        table(["pair", "geolatent, batched", *libraries], times),
    ]
    return "\n\n".join(sections) + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="Markdown file to write; printed if left out")
    out = parser.parse_args().out
    with threadpool_limits(1, user_api="blas"):  # the fastest for matrices of this size
        markdown = report()
    print(markdown, end="") if out is None else out.write_text(markdown)
