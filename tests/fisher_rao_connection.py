r"""Geodesics and parallel transport of Gaussians from first principles: the metric's own Christoffel symbols.

The metric :math:`g = d\mu^\top \Sigma^{-1} d\mu + \operatorname{tr}((\Sigma^{-1} d\Sigma)^2) / 2` is all that enters.
In the coordinates (mu, lower triangle of Sigma),
:math:`\Gamma^k_{ij} = g^{kl} (\partial_i g_{jl} + \partial_j g_{il} - \partial_l g_{ij}) / 2`, a geodesic is
:math:`\theta'' = -\Gamma(\theta', \theta')` and a parallel vector :math:`w' = -\Gamma(\theta', w)`, solved together
by a Runge-Kutta method of order 8. For moderate distances and covariances near the identity: stiff elsewhere.
"""

import numpy as np
import torch
from scipy.integrate import solve_ivp
from torch import Tensor

Pair = tuple[Tensor, Tensor]


def integrate(point: Pair, velocity: Pair, vector: Pair) -> tuple[Pair, Pair]:
    """Where the geodesic with this initial velocity is at time 1, and the vector transported to there."""
    n = len(point[0])
    basis = _symmetric_basis(n)
    size = n + len(basis)

    def derivative(_: float, state: np.ndarray) -> np.ndarray:
        theta, speed, moved = state.reshape(3, size)
        metric, slope = _metric(theta, basis)
        lowered = np.einsum("ijl->lij", slope) + np.einsum("jil->lij", slope) - slope
        gamma = np.linalg.solve(metric, lowered.reshape(size, -1)).reshape(size, size, size) / 2
        return np.concatenate([speed, -gamma @ speed @ speed, -gamma @ moved @ speed])

    start = np.concatenate([_coordinates(*pair, basis) for pair in (point, velocity, vector)])
    end = solve_ivp(derivative, (0, 1), start, "DOP853", rtol=1e-13, atol=1e-13).y[:, -1].reshape(3, size)
    return _pair(end[0], basis), _pair(end[2], basis)


def _metric(theta: np.ndarray, basis: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Metric tensor g, and its derivatives with the direction first."""
    n = basis.shape[-1]
    size = n + len(basis)
    precision = np.linalg.inv(np.tensordot(theta[n:], basis, 1))
    turned = precision @ basis  # P E_i
    change = -turned @ precision  # the derivative of P along E_i
    metric, slope = np.zeros((size, size)), np.zeros((size, size, size))
    metric[:n, :n], slope[n:, :n, :n] = precision, change
    metric[n:, n:] = np.einsum("iab,jba->ij", turned, turned) / 2
    one_side = np.einsum("kab,ibc,jca->kij", change, basis, turned) / 2
    slope[n:, n:, n:] = one_side + one_side.transpose(0, 2, 1)
    return metric, slope


def _symmetric_basis(n: int) -> np.ndarray:
    rows, columns = np.tril_indices(n)
    basis = np.zeros((len(rows), n, n))
    basis[np.arange(len(rows)), rows, columns] = basis[np.arange(len(rows)), columns, rows] = 1
    return basis


def _coordinates(loc: Tensor, covariance: Tensor, basis: np.ndarray) -> np.ndarray:
    rows, columns = np.tril_indices(basis.shape[-1])
    return np.concatenate([loc.numpy(), covariance.numpy()[rows, columns]])


def _pair(theta: np.ndarray, basis: np.ndarray) -> Pair:
    n = basis.shape[-1]
    return torch.from_numpy(theta[:n].copy()), torch.from_numpy(np.tensordot(theta[n:], basis, 1))
