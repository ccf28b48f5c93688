r"""Fisher-Rao distance and initial velocity between Gaussians to 50 digits, by mpmath alone.

Written from the mathematics, sharing no line with the library. Whiten, :math:`\Sigma_0 = L L^\top`,
:math:`S = L^{-1} \Sigma_1 L^{-\top}`, :math:`m = L^{-1} (\mu_1 - \mu_0)`, and lift with a free skew matrix K:

.. math:: G(K) = M \, \mathrm{diag}(S^{-1}, 1, S) \, M^\top, \qquad
          M = \begin{pmatrix} I & 0 & 0 \\ m^\top & 1 & 0 \\ K - m m^\top / 2 & -m & I \end{pmatrix}

Then :math:`d^2 = \min_K \operatorname{tr} \log^2 G / 4`, whose gradient is the corner block Y of log G. The minimum is
found by a damped Newton method in 80 digits.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Any, NamedTuple

import torch
from mpmath import mp
from torch import Tensor

Pair = tuple[Any, Any]

DIGITS = 80
EXTREMAL = 1e-50  # largest corner block, against the distance
ROUNDING = 1e-50  # decrease of the squared distance that 80 digits no longer show


class Reference(NamedTuple):
    """Exact geodesic from the first Gaussian to the second."""

    dist: Any  # mpf
    loc_velocity: Any  # mp matrix (n, 1)
    covariance_velocity: Any  # mp matrix (n, n)
    covariance_factor: Any  # Cholesky factor of the first covariance


def exact(entries: Any) -> Any:
    """The entries of a float64 tensor as an mp matrix, without rounding; an mp matrix as it is."""
    return mp.matrix(entries.double().tolist()) if isinstance(entries, Tensor) else entries


def reference(point_a: Pair, point_b: Pair, starts: Sequence[float] = (0.0,)) -> Reference:
    """Shortest of the geodesics that Newton's method reaches from K = c [log S, m m'], c in ``starts``.

    Points are (loc, covariance), of float64 tensors or of mp matrices.
    """
    with mp.workdps(DIGITS):
        factor = mp.cholesky(exact(point_a[1]))
        inverse = factor**-1
        m = inverse * (exact(point_b[0]) - exact(point_a[0]))
        S = inverse * exact(point_b[1]) * inverse.T
        S = (S + S.T) / 2
        return min((_geodesic(factor, m, S, start) for start in starts), key=lambda found: found.dist)


def relative_error(value: Tensor, expected: Any) -> float:
    """Relative error of a number against an mpf."""
    with mp.workdps(DIGITS):
        return float(abs(mp.mpf(value.item()) / expected - 1))


def velocity_error(found: Reference, ours: Pair) -> float:
    """Fisher norm of the error of a float64 initial velocity, relative to the distance."""
    loc_velocity, covariance_velocity = ours
    with mp.workdps(DIGITS):
        inverse = found.covariance_factor**-1
        u = inverse * (exact(loc_velocity) - found.loc_velocity)
        U = inverse * (exact(covariance_velocity) - found.covariance_velocity) * inverse.T
        return float(mp.sqrt(_square(u) + _square(U) / 2) / found.dist)


def velocity(found: Reference) -> tuple[Tensor, Tensor]:
    """Initial velocity rounded to float64."""
    loc, covariance = (
        torch.tensor([[float(x) for x in row] for row in matrix.tolist()], dtype=torch.float64)
        for matrix in (found.loc_velocity, found.covariance_velocity)
    )
    return loc[:, 0], covariance


def _square(matrix: Any) -> Any:
    return mp.fsum(entry**2 for entry in matrix)


def _geodesic(factor: Any, m: Any, S: Any, start: float) -> Reference:
    n = len(m)
    eigenvalues, vectors = mp.eigsy(S)
    log_S = vectors * mp.diag([mp.log(value) for value in eigenvalues]) * vectors.T
    inverse_S = vectors * mp.diag([1 / value for value in eigenvalues]) * vectors.T
    K = start * (log_S * m * m.T - m * m.T * log_S)
    logs, U = _spectrum(m, S, inverse_S, K)
    for _ in range(100):
        log_G = U * mp.diag(logs) * U.T
        Y = log_G[:n, n + 1 :]
        squared = mp.fsum(log**2 for log in logs) / 4
        if mp.norm(Y, mp.inf) <= EXTREMAL * mp.sqrt(squared):
            return _reference(factor, log_G)
        direction, slope = _newton_direction(logs, U, Y)
        step = mp.mpf(1)
        while True:
            trial = _spectrum(m, S, inverse_S, K + step * direction)
            allowed = squared + step * slope / 10**4 + squared * ROUNDING
            if mp.fsum(log**2 for log in trial[0]) / 4 <= allowed:
                break
            step /= 2
        K, (logs, U) = K + step * direction, trial
    raise AssertionError("the reference did not converge")


def _spectrum(m: Any, S: Any, inverse_S: Any, K: Any) -> tuple[Any, Any]:
    """Logarithms of the eigenvalues of G(K), and its eigenvectors."""
    n = len(m)
    M, core = mp.eye(2 * n + 1), mp.eye(2 * n + 1)
    M[n, :n] = m.T
    M[n + 1 :, :n] = K - m * m.T / 2
    M[n + 1 :, n] = -m
    core[:n, :n] = inverse_S
    core[n + 1 :, n + 1 :] = S
    G = M * core * M.T
    eigenvalues, vectors = mp.eigsy((G + G.T) / 2)
    return mp.matrix([mp.log(value) for value in eigenvalues]), vectors


def _newton_direction(logs: Any, U: Any, Y: Any) -> tuple[Any, Any]:
    """Newton direction with the absolute values of the Hessian's eigenvalues, and the slope of f along it."""
    n, size = Y.rows, len(logs)
    first, third = U[:n, :], U[n + 1 :, :]
    phi = mp.matrix(size)
    for a in range(size):
        for b in range(size):
            gap = logs[a] - logs[b]
            phi[a, b] = gap / mp.expm1(gap) if gap else 1
    pairs = list(combinations(range(n), 2))
    gradient = mp.matrix([Y[j, i] - Y[i, j] for i, j in pairs])
    hessian = mp.matrix(len(pairs))
    for column, (i, j) in enumerate(pairs):
        Z = third[i, :].T * first[j, :] - third[j, :].T * first[i, :]
        weighted = mp.matrix([[phi[a, b] * Z[a, b] for b in range(size)] for a in range(size)])
        dY = first * (weighted + weighted.T) * third.T
        for row, (a, b) in enumerate(pairs):
            hessian[row, column] = dY[b, a] - dY[a, b]
    curvatures, axes = mp.eigsy((hessian + hessian.T) / 2)
    components = axes.T * gradient
    solution = -axes * mp.matrix([c / abs(k) for c, k in zip(components, curvatures, strict=True)])
    direction = mp.zeros(n)
    for k, (i, j) in enumerate(pairs):
        direction[i, j], direction[j, i] = solution[k], -solution[k]
    return direction, mp.fsum(a * b for a, b in zip(gradient, solution, strict=True))


def _reference(factor: Any, log_G: Any) -> Reference:
    n = factor.rows
    x, B = log_G[:n, n], -log_G[:n, :n]
    dist = mp.sqrt(_square(x) + _square(B) / 2)
    return Reference(dist, factor * x, factor * B * factor.T, factor)
