"""Divergences between two Gaussians by their textbook formulas, in arithmetic of 60 digits."""

import mpmath
import torch
from mpmath import mp

from geolatent.manifolds import Gaussian

at_60_digits = mp.workdps(60)


@at_60_digits
def kullback_leibler(p: Gaussian, q: Gaussian) -> mpmath.mpf:
    mean, cov_p, cov_q = _moments(p, q)
    trace = sum((cov_q**-1 * cov_p)[i, i] for i in range(cov_p.rows))
    return (trace - cov_p.rows - mp.log(mp.det(cov_p) / mp.det(cov_q)) + _quadratic(mean, cov_q)) / 2


@at_60_digits
def renyi(p: Gaussian, q: Gaussian, alpha: float) -> mpmath.mpf:
    mean, cov_p, cov_q = _moments(p, q)
    order = mp.mpf(alpha)
    mixture = order * cov_q + (1 - order) * cov_p
    if min(mp.eigsy(mixture, eigvals_only=True)) <= 0:
        return mp.inf
    determinants = mp.det(mixture) / (mp.det(cov_p) ** (1 - order) * mp.det(cov_q) ** order)
    return order / 2 * _quadratic(mean, mixture) + mp.log(determinants) / (2 * (1 - order))


@at_60_digits
def bhattacharyya(p: Gaussian, q: Gaussian) -> mpmath.mpf:
    mean, cov_p, cov_q = _moments(p, q)
    middle = (cov_p + cov_q) / 2
    return _quadratic(mean, middle) / 8 + mp.log(mp.det(middle) / mp.sqrt(mp.det(cov_p) * mp.det(cov_q))) / 2


@at_60_digits
def hellinger(p: Gaussian, q: Gaussian) -> mpmath.mpf:
    return mp.sqrt(1 - mp.exp(-bhattacharyya(p, q)))


@at_60_digits
def wasserstein(p: Gaussian, q: Gaussian) -> mpmath.mpf:
    mean, cov_p, cov_q = _moments(p, q)
    values, basis = mp.eigsy(cov_p)
    root = basis * mp.diag([mp.sqrt(value) for value in values]) * basis.T
    cross = sum(mp.sqrt(value) for value in mp.eigsy(root * cov_q * root, eigvals_only=True))
    trace = sum(cov_p[i, i] + cov_q[i, i] for i in range(cov_p.rows))
    return mp.sqrt((mean.T * mean)[0] + trace - 2 * cross)


@at_60_digits
def relative_error(ours: torch.Tensor, exact: mpmath.mpf) -> float:
    if exact == mp.inf:
        return 0.0 if ours.item() == float("inf") else float("inf")
    return float(abs(mp.mpf(ours.item()) / exact - 1))


def _moments(p: Gaussian, q: Gaussian) -> tuple[mpmath.matrix, mpmath.matrix, mpmath.matrix]:
    mean = mp.matrix(p.loc.tolist()) - mp.matrix(q.loc.tolist())
    return mean, mp.matrix(p.covariance_matrix.tolist()), mp.matrix(q.covariance_matrix.tolist())


def _quadratic(vector: mpmath.matrix, matrix: mpmath.matrix) -> mpmath.mpf:
    return (vector.T * mp.lu_solve(matrix, vector))[0]
