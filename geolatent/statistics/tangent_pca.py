"""Principal components of points of a manifold, in the tangent space at their mean."""

from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor
from torch.distributions import Distribution

from geolatent.manifolds import Manifold
from geolatent.manifolds.arguments import prepare
from geolatent.manifolds.components import batch_shape, cast, map_components
from geolatent.statistics.checks import require_manifold
from geolatent.statistics.frechet_mean import frechet_mean
from geolatent.statistics.tangent_vectors import as_rows, from_rows, lowered

Point = TypeVar("Point", bound=Tensor | tuple[Any, ...])


class TangentComponents(NamedTuple):
    """Principal directions at a point, and the coordinates of the points along them."""

    base_point: Any
    """Where the tangent space touches."""
    offset: Any
    """Mean of the logarithms, a tangent vector: zero, up to rounding, at the Frechet mean."""
    components: Any
    """Directions, orthonormal in the metric, the one of most variance first; tangent vectors of batch shape (k,)."""
    scores: Tensor
    """Coordinates of the points along the components, shape (N, k)."""
    explained_variance: Tensor
    """Variance of each column of scores, divisor N - 1, shape (k,)."""
    explained_variance_ratio: Tensor
    """Its share of the whole variance, shape (k,)."""


def tangent_pca(
    manifold: Manifold[Point],
    points: Point | Distribution,
    n_components: int | None = None,
    *,
    base_point: Point | Distribution | None = None,
) -> TangentComponents:
    r"""Principal component analysis of logarithms, in the inner product of the metric.

    .. math:: v_i = \log_{\bar x} x_i - \bar v, \qquad
              \max_{u_1, \dots, u_k} \sum_{i, j} \langle v_i, u_j \rangle_{\bar x}^2, \quad
              \langle u_j, u_l \rangle_{\bar x} = \delta_{jl}

    Directions and variances do not depend on the coordinates in which points are written, because orthogonality is that
    of the metric. Distances between points far from the base point are not those of their logarithms.

    Args:
        manifold: where the points lie.
        points: batch shape (N,), N at least 2.
        n_components: number k of components; all that vary if left out. Where the logarithms span fewer dimensions, k
            is their number.
        base_point: where to take logarithms, one point; the Frechet mean if left out.

    Returns:
        The analysis, computed in float64 and returned in the type of the points. It carries no gradient.

    Raises:
        TypeError: if ``points`` are of another type, or n_components is not an integer.
        ValueError: if the batch shape is not (N,) with N at least 2, all points are equal, or n_components is less
            than 1.

    Warns:
        ConvergenceWarning: if the Frechet mean has not converged.

    Source:
        [fletcher2004principal].

    >>> from geolatent.manifolds import DiagonalGaussian, DiagonalGaussians
    >>> points = DiagonalGaussian(torch.zeros(3, 2), torch.tensor([[1.0, 1.0], [2.0, 1.0], [4.0, 1.0]]))
    >>> tangent_pca(DiagonalGaussians(2), points).scores.diff(dim=0)
    tensor([[0.9803],
            [0.9803]])
    """
    require_manifold(manifold)
    _require_components(n_components)
    with torch.no_grad():
        (given,), dtype = prepare(manifold, {"points": points})
        shape = batch_shape(given, manifold.event_ndims)
        if len(shape) != 1 or shape[0] < 2:
            raise ValueError(
                f"points must have batch shape (N,), N at least 2; got {shape}: flatten the batch dimensions"
            )
        given = cast(torch.float64, given)
        base = _base(manifold, given, base_point)
        rows = as_rows(manifold.log(given, base), manifold.event_ndims)
        offset = rows.mean(0, keepdim=True)
        scores, directions = _principal(manifold, rows - offset, base)
        variance = scores.square().sum(0) / (shape[0] - 1)
        k = slice(n_components)
        return TangentComponents(
            cast(dtype, base),
            cast(dtype, map_components(lambda x: x[0], from_rows(offset, base))),
            cast(dtype, from_rows(directions[k], base)),
            scores[:, k].to(dtype),
            variance[k].to(dtype),
            (variance[k] / variance.sum()).to(dtype),
        )


def _base(manifold: Manifold[Any], points: Any, base_point: Any) -> Any:
    """The base point in float64."""
    if base_point is None:
        return frechet_mean(manifold, points).point
    (base,), _ = prepare(manifold, {"base_point": base_point})
    if batch_shape(base, manifold.event_ndims) != ():
        raise ValueError(
            f"base_point must be one point; got batch shape {batch_shape(base, manifold.event_ndims)}: index it"
        )
    return cast(torch.float64, base)


def _principal(manifold: Manifold[Any], rows: Tensor, base: Any) -> tuple[Tensor, Tensor]:
    """Scores (N, r) and directions, as rows (r, D), of tangent vectors that span r dimensions.

    The vectors are written in a basis that the metric makes orthonormal: Euclidean singular vectors span them, and the
    Cholesky factor of their Gram matrix straightens the angles.
    """
    _, singular, basis = torch.linalg.svd(rows, full_matrices=False)
    if not singular[0] > 0:
        raise ValueError("points must differ; all have the same logarithm: a single point has no principal direction")
    basis = basis[singular > max(rows.shape) * torch.finfo(rows.dtype).eps * singular[0]]
    gram = basis @ lowered(manifold, from_rows(basis, base), base).mT
    factor = torch.linalg.cholesky((gram + gram.mT) / 2)
    left, singular, right = torch.linalg.svd(rows @ basis.mT @ factor, full_matrices=False)
    directions = torch.linalg.solve_triangular(factor.mT, right.mT, upper=True).mT @ basis
    largest = directions.gather(1, directions.abs().argmax(1, keepdim=True))[:, 0]
    signs = torch.where(largest < 0, -1.0, 1.0).to(rows.dtype)
    return left * singular * signs, directions * signs[:, None]


def _require_components(n_components: int | None) -> None:
    if n_components is None:
        return
    if isinstance(n_components, bool) or not isinstance(n_components, int):
        raise TypeError(f"n_components must be an integer or None; got {n_components!r}: None keeps all")
    if n_components < 1:
        raise ValueError(f"n_components must be at least 1; got {n_components}: None keeps all")
