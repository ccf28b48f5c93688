r"""Fisher-Rao geodesics between Gaussians by shooting: no minimisation, no lift.

From N(0, I) with velocity (x, B), Eriksen's exponential
:math:`\exp \begin{pmatrix} -B & x & 0 \\ x^\top & 0 & -x^\top \\ 0 & -x & B \end{pmatrix}` holds
:math:`\Sigma^{-1}` in its corner and :math:`\Sigma^{-1} \mu` beside it. Newton's method finds the velocity that hits a
target, which moves from N(0, I) to where it belongs.
"""

import torch
from torch import Tensor

Pair = tuple[Tensor, Tensor]


def exponential(x: Tensor, B: Tensor) -> Pair:
    """Mean and covariance where the geodesic from N(0, I) with velocity (x, B) is at time 1."""
    n = len(x)
    zero, corner = x.new_zeros(n, n), x.new_zeros(1, 1)
    column = x[:, None]
    rows = [[-B, column, zero], [column.T, corner, -column.T], [zero, -column, B]]
    exp = torch.linalg.matrix_exp(torch.cat([torch.cat(row, 1) for row in rows]))
    covariance = torch.linalg.inv(exp[:n, :n])
    return covariance @ exp[:n, n], covariance


def shoot(point_a: Pair, point_b: Pair) -> Pair:
    """Velocity of the geodesic from a to b, points (loc, covariance), that continues the one of length zero."""
    (loc_a, covariance_a), (loc_b, covariance_b) = point_a, point_b
    factor = torch.linalg.cholesky(covariance_a)
    m = torch.linalg.solve_triangular(factor, (loc_b - loc_a)[:, None], upper=False)[:, 0]
    half = torch.linalg.solve_triangular(factor, covariance_b, upper=False)
    S = torch.linalg.solve_triangular(factor, half.mT, upper=False)
    eigenvalues, vectors = torch.linalg.eigh((S + S.mT) / 2)
    n = len(m)
    velocity, reached, step = torch.zeros(n + n * (n + 1) // 2, dtype=m.dtype), 0.0, 0.25
    while reached < 1:
        time = min(1.0, reached + step)
        start = velocity * (time / reached) if reached else velocity
        found = _newton(start, time * m, vectors * eigenvalues**time @ vectors.mT)
        if found is None:
            step /= 2
            assert step > 1e-4, "the continuation came to a halt"
        else:
            velocity, reached = found, time
    x, B = _unpack(velocity, n)
    return factor @ x, factor @ B @ factor.mT


def _unpack(velocity: Tensor, n: int) -> Pair:
    rows, columns = torch.tril_indices(n, n)
    lower = velocity.new_zeros(n, n).index_put((rows, columns), velocity[n:])
    return velocity[:n], lower + lower.tril(-1).mT


def _newton(velocity: Tensor, m: Tensor, S: Tensor) -> Tensor | None:
    """Velocity that hits (m, S), or None where Newton's method does not settle."""
    n = len(m)
    lower = torch.tril_indices(n, n)
    inverse = torch.linalg.inv(torch.linalg.cholesky(S))

    def miss(velocity: Tensor) -> Tensor:
        loc, covariance = exponential(*_unpack(velocity, n))
        off = inverse @ covariance @ inverse.mT - torch.eye(n, dtype=m.dtype)
        return torch.cat([inverse @ (loc - m), off[lower[0], lower[1]]])

    size = torch.inf
    for _ in range(20):
        missed = miss(velocity)
        if not missed.isfinite().all() or missed.norm() > 10:
            return None
        if missed.norm() >= size and size < 1e-9:  # rounding alone is left
            return velocity
        size = missed.norm()
        velocity = velocity - torch.linalg.solve(torch.func.jacfwd(miss)(velocity), missed)
    return None
