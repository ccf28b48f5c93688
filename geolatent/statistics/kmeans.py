"""k-means on any manifold with logarithm and exponential."""

import math
import warnings
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Generator, Tensor
from torch.distributions import Distribution

from geolatent.manifolds import ConvergenceWarning, Manifold
from geolatent.manifolds.arguments import prepare
from geolatent.manifolds.components import batch_shape, cast, components, map_components
from geolatent.statistics.checks import require_manifold
from geolatent.statistics.frechet_mean import frechet_mean

Point = TypeVar("Point", bound=Tensor | tuple[Any, ...])


class KMeans(NamedTuple):
    """Clusters of points, and how tight they are."""

    centers: Any
    """Frechet means of the clusters, batch shape (n_clusters,)."""
    labels: Tensor
    """The cluster of each point, shape (N,), int64."""
    inertia: float
    """Sum of the squared distances of the points to their centers."""
    iterations: int
    """Rounds that were made, in the best run."""
    converged: bool
    """Whether the last round left every label as it was."""


def kmeans(
    manifold: Manifold[Point],
    points: Point | Distribution,
    n_clusters: int,
    *,
    n_init: int = 1,
    max_iter: int = 100,
    generator: Generator | None = None,
) -> KMeans:
    r"""Clusters of least sum of squared geodesic distances to their Frechet means, found by Lloyd's rounds.

    .. math:: \min_{c_1, \dots, c_k} \sum_{i=1}^{N} \min_j d^2(x_i, c_j)

    Starts are drawn by greedy k-means++: each new center is the best of 2 + log k candidates, drawn in proportion to
    the squared distance to the nearest center so far. A round assigns every point to its nearest center and moves each
    center to the mean of its points; neither raises the sum. A cluster that loses all points starts anew at the point
    farthest from its center. The result is a local minimum: more starts may find a better one.

    Args:
        manifold: where the points lie.
        points: batch shape (N,).
        n_clusters: number k of clusters, at most N.
        n_init: number of starts, of which the best result is kept.
        max_iter: largest number of rounds a start.
        generator: source of the starts; None means torch's default generator.

    Returns:
        Centers, labels and the sum. They carry no gradient.

    Raises:
        TypeError: if ``points`` are of another type, or a number is not an integer.
        ValueError: if the batch shape is not (N,), or a number is out of range.

    Warns:
        ConvergenceWarning: if the best start has not settled in ``max_iter`` rounds.

    Source:
        Start [arthur2007kmeans]; means [karcher1977riemannian].

    >>> from geolatent.manifolds import DiagonalGaussian, UnivariateGaussians
    >>> loc = torch.tensor([[-9.0], [-8.0], [8.0], [9.0]])
    >>> found = kmeans(UnivariateGaussians(), DiagonalGaussian(loc, torch.ones(4, 1)), 2)
    >>> found.labels[0] == found.labels[1], found.labels[0] == found.labels[3]
    (tensor(True), tensor(False))
    """
    require_manifold(manifold)
    with torch.no_grad():
        (given,), dtype = prepare(manifold, {"points": points})
        shape = batch_shape(given, manifold.event_ndims)
        if len(shape) != 1 or shape[0] == 0:
            raise ValueError(f"points must have batch shape (N,), N > 0; got {shape}: flatten the batch dimensions")
        _require_count("n_clusters", n_clusters, shape[0])
        _require_count("n_init", n_init, None)
        _require_count("max_iter", max_iter, None)
        runs = (
            _settled(manifold, given, _spread_out(manifold, given, n_clusters, generator), max_iter)
            for _ in range(n_init)
        )
        best = min(runs, key=lambda run: run.inertia)
        if not best.converged:
            warnings.warn(
                f"kmeans: labels still change after {max_iter} rounds: raise max_iter", ConvergenceWarning, stacklevel=2
            )
        return best._replace(centers=cast(dtype, best.centers))


def _settled(manifold: Manifold[Any], points: Any, centers: Any, max_iter: int) -> KMeans:
    """Lloyd's rounds until no label changes."""
    labels, squares = _nearest(manifold, points, centers)
    iterations, converged = 0, False
    while iterations < max_iter and not converged:
        centers = _means(manifold, points, centers, labels, squares)
        moved, squares = _nearest(manifold, points, centers)
        iterations, converged, labels = iterations + 1, torch.equal(moved, labels), moved
    return KMeans(centers, labels, squares.double().sum().item(), iterations, converged)


def _nearest(manifold: Manifold[Any], points: Any, centers: Any) -> tuple[Tensor, Tensor]:
    """Labels and squared distances (N,) of the nearest centers."""
    distance, labels = manifold.pairwise_dist(points, centers).min(1)
    return labels, distance.square()


def _means(manifold: Manifold[Any], points: Any, centers: Any, labels: Tensor, squares: Tensor) -> Any:
    """Means of the clusters, each sought from its last center; an empty one takes the farthest point not yet taken."""
    farthest = iter(squares.argsort(descending=True).tolist())
    means = []
    for k, count in enumerate(labels.bincount(minlength=_count(centers)).tolist()):
        if count == 0:
            means.append(_at(points, next(farthest)))
        else:
            means.append(frechet_mean(manifold, _at(points, labels == k), initial=_at(centers, k)).point)
    return map_components(lambda *parts: torch.stack(parts), *means)


def _spread_out(manifold: Manifold[Any], points: Any, n_clusters: int, generator: Generator | None) -> Any:
    """Greedy k-means++: indices of distinct places, drawn one after the other."""
    n = _count(points)
    chosen = _drawn(torch.ones(n), 1, generator)
    squares = manifold.pairwise_dist(points, _at(points, chosen)).square()[:, 0]
    for _ in range(n_clusters - 1):
        weights = squares if squares.sum() > 0 else torch.ones_like(squares)
        candidates = _drawn(weights, 2 + int(math.log(n_clusters)), generator)
        reached = manifold.pairwise_dist(points, _at(points, candidates)).square().minimum(squares[:, None])
        best = int(reached.sum(0).argmin())
        chosen, squares = torch.cat([chosen, candidates[best : best + 1]]), reached[:, best]
    return _at(points, chosen)


def _drawn(weights: Tensor, count: int, generator: Generator | None) -> Tensor:
    device = weights.device if generator is None else generator.device
    return (
        weights.to(device, torch.float64).multinomial(count, replacement=True, generator=generator).to(weights.device)
    )


def _at(points: Any, index: Any) -> Any:
    return map_components(lambda x: x[index], points)


def _count(points: Any) -> int:
    return len(components(points)[0])


def _require_count(name: str, count: int, most: int | None) -> None:
    if isinstance(count, bool) or not isinstance(count, int):
        raise TypeError(f"{name} must be an integer; got {count!r}: give a whole number of at least 1")
    if count < 1 or (most is not None and count > most):
        limits = "at least 1" if most is None else f"between 1 and the number of points, {most}"
        raise ValueError(f"{name} must be {limits}; got {count}: give another number")
