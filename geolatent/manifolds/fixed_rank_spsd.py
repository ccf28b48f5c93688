"""Symmetric positive semidefinite matrices of fixed rank."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from geolatent import _kernels
from geolatent.linalg.matrix_function import symmetric_part
from geolatent.manifolds import congruence, subspaces
from geolatent.manifolds.arguments import require_shape
from geolatent.manifolds.base import Manifold
from geolatent.manifolds.positive_definite import random_psd, require_size
from geolatent.manifolds.spsd_checks import require_rank, spsd_belongs
from geolatent.manifolds.spsd_factors import Factors, factors, narrowed, widened
from geolatent.manifolds.spsd_pairs import CrossRank, Pair, dist_table, squared_dist

_RESOLUTION = 2.0**-23  # of float32, in which most data were made


class FixedRankSPSD(Manifold[Tensor]):
    r"""Symmetric positive semidefinite matrices of size p and rank r: a subspace and a positive definite matrix on it.

    With :math:`A = U_A P_A U_A^T`, :math:`B = U_B P_B U_B^T`, orthonormal :math:`U_A, U_B` (p x r), the principal
    angles :math:`U_A^T U_B = O_A \cos(\Theta) O_B^T` and the rotation :math:`Z = O_A O_B^T`,

    .. math::
        d^2(A, B) = \|\Theta\|_2^2 + k \, \bigl\| \log(P_A^{-1/2} Z P_B Z^T P_A^{-1/2}) \bigr\|_F^2

    with the ``spectrum_weight`` k. `geodesic` is the curve that is a geodesic in both parts, of `Grassmannian` and of
    `AffineInvariantSPD`; `exp` and `log` follow it, and `parallel_transport` moves the two parts of a tangent vector
    along its two parts. The metric is, with :math:`X = H P U^T + U P H^T + U E U^T` and :math:`U^T H = 0`,

    .. math:: \langle X, X \rangle_A = \operatorname{tr}(H^T H) + k \operatorname{tr}\bigl((P^{-1} E)^2\bigr).

    **d is not the length of a geodesic of one Riemannian metric**: the curve has length d, but shorter ones may exist,
    and some triples break the triangle inequality, as :doc:`/theory/strata` shows. d is invariant under rotations,
    scaling and pseudo-inversion. At full rank the angles vanish and all is that of `AffineInvariantSPD`. Where an angle
    is :math:`\pi / 2` the rotation is not unique, and neither is d.

    Matrices of unequal rank have distances (`dist`, `squared_dist`, `pairwise_dist`) by one of the policies

    - ``"raise"``: none; every matrix must have rank r;
    - ``"truncate"``: of both only the leading eigenvectors, as many as the smaller rank, are compared;
    - ``"schubert"``: the larger is restricted to the part of its range nearest to the range of the smaller, and
      every dimension by which they differ adds a right angle, :math:`(\pi / 2)^2` to the square;

    with the last two, r is the greatest rank allowed. All other methods need rank r.

    Points are matrices, shape (..., p, p); tangent vectors are symmetric matrices of that shape (what maps the null
    space of the point to itself counts for nothing). Derivatives are exact up to the second order, along changes of
    the matrix that keep its rank.

    Args:
        p: size of the matrices.
        rank: r, at most p.
        spectrum_weight: k, positive.
        cross_rank: what is done with matrices of unequal rank.
        rtol: eigenvalues up to ``rtol`` times the largest of their matrix count as zero; p times the resolution of
            float32 if left out, for matrices computed from float32 data.

    Accuracy:
        Error of distances at most 100 p eps kappa (1 + d) / c, kappa the greatest ratio of non-zero eigenvalues of one
        matrix, c the least cosine of a principal angle: near a right angle the rotation is badly determined.

    Source:
        [bonnabel2009riemannian]; unequal dimensions [ye2016schubert].

    >>> manifold = FixedRankSPSD(3, 1)
    >>> a, b = torch.diag(torch.tensor([1.0, 0.0, 0.0])), torch.diag(torch.tensor([2.0, 0.0, 0.0]))
    >>> manifold.dist(a, b)
    tensor(0.6931)
    """

    event_ndims = (2,)

    def __init__(
        self,
        p: int,
        rank: int,
        spectrum_weight: float = 1.0,
        cross_rank: CrossRank = "raise",
        *,
        rtol: float | None = None,
    ) -> None:
        self.p = require_size("p", p, "the number of rows of the matrices")
        self.rank = require_size("rank", rank, "the rank of the matrices")
        if rank > p:
            raise ValueError(f"rank must be at most p = {p}; got {rank}: a matrix has no higher rank than rows")
        if not (isinstance(spectrum_weight, float | int) and 0 < spectrum_weight < float("inf")):
            raise ValueError(
                f"spectrum_weight must be positive and finite; got {spectrum_weight!r}: the default is 1.0"
            )
        if cross_rank not in ("raise", "truncate", "schubert"):
            raise ValueError(f"cross_rank must be 'raise', 'truncate' or 'schubert'; got {cross_rank!r}")
        if rtol is not None and not 0 <= rtol < 1:
            raise ValueError(f"rtol must lie in [0, 1); got {rtol}: it is a share of the largest eigenvalue")
        self.spectrum_weight = spectrum_weight
        self.cross_rank = cross_rank
        self.rtol = p * _RESOLUTION if rtol is None else rtol

    def __repr__(self) -> str:
        weight = "" if self.spectrum_weight == 1 else f", spectrum_weight={self.spectrum_weight}"
        policy = "" if self.cross_rank == "raise" else f", cross_rank={self.cross_rank!r}"
        return f"FixedRankSPSD({self.p}, {self.rank}{weight}{policy})"

    def _as_point(self, name: str, value: Any) -> Tensor:
        return require_shape(name, value, (self.p, self.p), "use FixedRankSPSD(p, rank) with p the matrices' size")

    def _check_point(self, name: str, point: Tensor) -> None:
        least = self.rank if self.cross_rank == "raise" else 1
        require_rank(name, point, least, self.rank, self.rtol)

    def _belongs(self, point: Tensor) -> Tensor:
        return spsd_belongs(point, 1 if self.cross_rank != "raise" else self.rank, self.rank, self.rtol)

    def _squared_dist(self, point_a: Tensor, point_b: Tensor) -> Tensor:
        return squared_dist(self._factored(point_a), self._factored(point_b), self.spectrum_weight, self.cross_rank)

    def _inner_product(self, u: Tensor, v: Tensor, base_point: Tensor) -> Tensor:
        base = self._whole(base_point)
        (turn_u, bend_u), (turn_v, bend_v) = (_parts(vector, base) for vector in (u, v))
        factor = torch.linalg.cholesky(base.core)
        bends = congruence.inward(factor, bend_u) * congruence.inward(factor, bend_v)
        return (turn_u * turn_v).sum((-1, -2)) + self.spectrum_weight * bends.sum((-1, -2))

    def _exp(self, tangent_vec: Tensor, base_point: Tensor) -> Tensor:
        base = self._whole(base_point)
        turn, bend = _parts(tangent_vec, base)
        factor = torch.linalg.cholesky(base.core)
        core = congruence.outward(factor, congruence.exponential(congruence.inward(factor, bend)))
        return _congruent(subspaces.exponential(base.basis, turn), core)

    def _log(self, point: Tensor, base_point: Tensor) -> Tensor:
        pair = Pair(self._whole(base_point), self._whole(point))
        return _vector(pair.a.basis, pair.a.core, pair.turn(), congruence.outward(pair.factor, pair.bend()))

    def _geodesic(self, initial_point: Tensor, end_point: Tensor) -> Callable[[Tensor], Tensor]:
        pair = Pair(self._whole(initial_point), self._whole(end_point))
        turn, bend = pair.turn(), pair.bend()

        def at(time: Tensor) -> Tensor:
            t = time[..., None, None]
            core = congruence.outward(pair.factor, congruence.exponential(t * bend))
            return _congruent(subspaces.exponential(pair.a.basis, t * turn), core)

        return at

    def _parallel_transport(self, tangent_vec: Tensor, base_point: Tensor, end_point: Tensor) -> Tensor:
        pair = Pair(self._whole(base_point), self._whole(end_point))
        turn, bend = _parts(tangent_vec, pair.a)
        moved = subspaces.transported(turn, pair.a.basis, pair.turn())
        half = pair.factor @ congruence.exponential(pair.bend() / 2)
        return _vector(
            pair.aligned_basis(),
            pair.aligned_core(),
            moved,
            congruence.outward(half, congruence.inward(pair.factor, bend)),
        )

    def _random_point(
        self, batch_shape: tuple[int, ...], generator: torch.Generator | None, dtype: torch.dtype, device: Any
    ) -> Tensor:
        return random_psd(batch_shape, self.p, self.rank, generator, dtype, device)

    def _factors(self, points: Tensor) -> Factors:
        return narrowed(self._factored(points))

    def _pairwise_block(self, rows: Factors, columns: Factors) -> Tensor:
        rank = max(rows.values.shape[-1], columns.values.shape[-1])
        return dist_table(widened(rows, rank), widened(columns, rank), self.spectrum_weight, self.cross_rank)

    def _entries_of_pair(self, factors: Factors) -> int:
        return factors.values.shape[-1] ** 2

    def _factored(self, points: Tensor) -> Factors:
        return factors(points, self.rank, self.rtol)

    def _whole(self, points: Tensor) -> Factors:
        """Factor matrices that must have rank r, whatever the policy."""
        found = self._factored(points)
        if not _kernels.transformed(points) and self.cross_rank != "raise":
            require_rank("points", points, self.rank, self.rank, self.rtol)
        return found


def _parts(vector: Tensor, base: Factors) -> tuple[Tensor, Tensor]:
    """Return H and E of a tangent vector."""
    image = symmetric_part(vector) @ base.basis
    turn = subspaces.horizontal(base.basis, image)
    factor = torch.linalg.cholesky(base.core)
    half = torch.linalg.solve_triangular(factor, turn.mT, upper=False)
    return torch.linalg.solve_triangular(factor.mT, half, upper=True).mT, symmetric_part(base.basis.mT @ image)


def _vector(basis: Tensor, core: Tensor, turn: Tensor, bend: Tensor) -> Tensor:
    """Return the tangent vector of H and E."""
    return symmetric_part((2 * turn @ core + basis @ bend) @ basis.mT)


def _congruent(basis: Tensor, core: Tensor) -> Tensor:
    return symmetric_part(basis @ core @ basis.mT)
