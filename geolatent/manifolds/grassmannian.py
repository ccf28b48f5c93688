"""Subspaces of one dimension."""

from typing import Any

import torch
from torch import Tensor

from geolatent._checks import require_floating
from geolatent._kernels.pairwise_svdvals import Sum
from geolatent.linalg.checks import require_orthonormal
from geolatent.manifolds import subspaces
from geolatent.manifolds.arguments import prepare, require_shape
from geolatent.manifolds.base import Manifold
from geolatent.manifolds.checks import orthonormal
from geolatent.manifolds.pairwise import entries_of_product, recomputed, sums_over_svdvals
from geolatent.manifolds.positive_definite import require_size
from geolatent.manifolds.smooth import root

_NEAR = 0.1  # distance below which cosines hold too few digits of it


class Grassmannian(Manifold[Tensor]):
    r"""Subspaces of dimension k of :math:`\mathbb R^p`, measured by their principal angles.

    .. math::
        A^T B = U \cos(\Theta) V^T, \quad 0 \le \theta_i \le \tfrac{\pi}{2}, \qquad d(A, B) = \|\Theta\|_2, \qquad
        ds^2 = \operatorname{tr}(dA^T dA), \quad A^T dA = 0

    A point is given by any orthonormal basis, shape (..., p, k): distances do not depend on which, and a tangent vector
    at a basis is a matrix H of that shape with :math:`A^T H = 0` (columns of A in it count for nothing). Geodesics,
    the exponential and logarithm maps and parallel transport are closed forms. The geodesic is unique while all angles
    are below :math:`\pi / 2`. Derivatives are exact up to the fifth order; at an angle of :math:`\pi / 2` the distance
    has none.

    `dist`, `squared_dist`, `pairwise_dist`, `chordal_dist` and `procrustes_dist` also take subspaces of another
    dimension l: the \|k - l\| angles that are missing count as :math:`\pi / 2`, which makes all subspaces of
    :math:`\mathbb R^p` one metric space. The other methods need dimension k.

    Args:
        p: dimension of the space.
        k: dimension of the subspaces.

    Accuracy:
        Error of distances at most 20 p k eps, from equal subspaces on; relative, for bases near to each other. Points
        and vectors to 100 p k eps while the largest angle stays below 1.5.

    Source:
        [edelman1998geometry]; unequal dimensions [ye2016schubert].

    >>> manifold = Grassmannian(3, 1)
    >>> x, y = torch.eye(3)[:, :1], torch.eye(3)[:, 1:2]
    >>> manifold.dist(x, (x + y) / 2**0.5)
    tensor(0.7854)
    """

    event_ndims = (2,)

    def __init__(self, p: int, k: int) -> None:
        self.p = require_size("p", p, "the dimension of the space")
        self.k = require_size("k", k, "the dimension of the subspaces")
        if k > p:
            raise ValueError(f"k must be at most p = {p}; got {k}: a subspace has no more dimensions than the space")

    def __repr__(self) -> str:
        return f"Grassmannian({self.p}, {self.k})"

    def chordal_dist(self, point_a: Tensor, point_b: Tensor) -> Tensor:
        r"""Chordal (projection) distance :math:`\|\sin \Theta\|_2 = \|A A^T - B B^T\|_F / \sqrt 2`.

        Args:
            point_a: bases.
            point_b: bases; batch shapes broadcast.

        Returns:
            Distances, of the broadcast batch shape; \|k - l\| is added to the square for unequal dimensions.

        Source:
            [edelman1998geometry]; [ye2016schubert].
        """
        (a, b), dtype = prepare(self, {"point_a": point_a, "point_b": point_b})
        small, large = _ordered(subspaces.orthonormalised(a), subspaces.orthonormalised(b))
        return root(_rejected(small, large) + (large.shape[-1] - small.shape[-1])).to(dtype)

    def procrustes_dist(self, point_a: Tensor, point_b: Tensor) -> Tensor:
        r"""Procrustes distance :math:`2 \|\sin(\Theta / 2)\|_2 = \min_Q \|A - B Q\|_F` over rotations Q.

        Args:
            point_a: bases.
            point_b: bases; batch shapes broadcast.

        Returns:
            Distances, of the broadcast batch shape; 2 \|k - l\| is added to the square for unequal dimensions.

        Source:
            [edelman1998geometry]; [ye2016schubert].
        """
        (a, b), dtype = prepare(self, {"point_a": point_a, "point_b": point_b})
        small, nearest, missing = _pair(a, b)
        difference = subspaces.aligned_difference(small, nearest, subspaces.rotation_excess(small, nearest))
        return root(difference.square().sum((-1, -2)) + 2 * missing).to(dtype)

    def _as_point(self, name: str, value: Any) -> Tensor:
        require_floating(name, value)
        point: Tensor = value
        if point.ndim < 2 or point.shape[-2] != self.p or not 1 <= point.shape[-1] <= self.p:
            raise ValueError(
                f"{name} must have shape (..., {self.p}, {self.k}), columns that span the subspace; got "
                f"{tuple(point.shape)}: use Grassmannian(p, k) with p its rows"
            )
        return point

    def _as_tangent(self, name: str, value: Any) -> Tensor:
        return require_shape(name, value, (self.p, self.k), "vectors have the shape of the base point")

    def _check_point(self, name: str, point: Tensor) -> None:
        require_orthonormal(name, point)

    def _belongs(self, point: Tensor) -> Tensor:
        return orthonormal(point) & (point.shape[-1] == self.k)

    def _squared_dist(self, point_a: Tensor, point_b: Tensor) -> Tensor:
        small, nearest, missing = _pair(point_a, point_b)
        squares = _log(nearest, small).square().sum((-1, -2))
        return squares + subspaces.missing_angles(missing)

    def _inner_product(self, u: Tensor, v: Tensor, base_point: Tensor) -> Tensor:
        self._require_dimension(base_point)
        return (subspaces.horizontal(base_point, u) * subspaces.horizontal(base_point, v)).sum((-1, -2))

    def _exp(self, tangent_vec: Tensor, base_point: Tensor) -> Tensor:
        self._require_dimension(base_point)
        return subspaces.exponential(base_point, subspaces.horizontal(base_point, tangent_vec))

    def _log(self, point: Tensor, base_point: Tensor) -> Tensor:
        self._require_dimension(point, base_point)
        return _log(point, base_point)

    def _parallel_transport(self, tangent_vec: Tensor, base_point: Tensor, end_point: Tensor) -> Tensor:
        self._require_dimension(base_point, end_point)
        excess = subspaces.rotation_excess(base_point, end_point)
        difference = subspaces.aligned_difference(base_point, end_point, excess)
        tangent = subspaces.logarithm(base_point, difference)
        moved = subspaces.transported(subspaces.horizontal(base_point, tangent_vec), base_point, tangent)
        return moved + moved @ excess  # from the basis B Z^T to B

    def _random_point(
        self, batch_shape: tuple[int, ...], generator: torch.Generator | None, dtype: torch.dtype, device: Any
    ) -> Tensor:
        normal = torch.randn(*batch_shape, self.p, self.k, generator=generator, dtype=dtype, device=device)
        return torch.linalg.qr(normal).Q

    def _pairwise_block(self, rows: Tensor, columns: Tensor) -> Tensor:
        """Angles from cosines, and near subspaces once more."""
        missing = abs(rows.shape[-1] - columns.shape[-1])
        squares = sums_over_svdvals(rows.mT, columns, Sum.SQUARED_ANGLES, within=rows is columns)
        table = (squares + subspaces.missing_angles(missing)).sqrt()
        return recomputed(table, ~(squares >= _NEAR**2), self._dist, rows, columns)

    def _entries_of_pair(self, factors: Tensor) -> int:
        return entries_of_product(factors.mT, factors)

    def _require_dimension(self, *points: Tensor) -> None:
        for point in points:
            if point.shape[-1] != self.k:
                raise ValueError(
                    f"points must have dimension k = {self.k}; got a subspace of dimension {point.shape[-1]}: unequal "
                    "dimensions have distances, but neither geodesics nor tangent vectors in common"
                )


def _log(point: Tensor, base_point: Tensor) -> Tensor:
    excess = subspaces.rotation_excess(base_point, point)
    return subspaces.logarithm(base_point, subspaces.aligned_difference(base_point, point, excess))


def _ordered(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    return (a, b) if a.shape[-1] <= b.shape[-1] else (b, a)


def _pair(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, int]:
    """Bases of equal dimension with the principal angles of A and B, and by how much the dimensions differ."""
    small, large = _ordered(subspaces.orthonormalised(a), subspaces.orthonormalised(b))
    missing = large.shape[-1] - small.shape[-1]
    return small, subspaces.nearest_basis(small, large) if missing else large, missing


def _rejected(small: Tensor, large: Tensor) -> Tensor:
    """Sum of the squared sines of the principal angles."""
    equal = small.shape[-1] == large.shape[-1]
    return subspaces.horizontal(large, small - large if equal else small).square().sum((-1, -2))
