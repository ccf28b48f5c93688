r"""Parallel transport of the general Fisher-Rao metric, by Taylor steps along the geodesic.

In the frame :math:`L' = \tfrac12 \Sigma' \Sigma^{-1} L, \; L L^T = \Sigma`, the velocity :math:`(\xi, H)` and a
transported vector :math:`(y, Z)` obey polynomial equations, whose Taylor coefficients follow from each other,

.. math::
    \xi' = \tfrac12 H \xi, \quad H' = -\xi \xi^T, \quad L' = \tfrac12 L H, \quad
    y' = \tfrac12 Z \xi, \quad Z' = -\tfrac12 (\xi y^T + y \xi^T).

The solution is analytic in a strip of width :math:`\pi / (\sqrt2 d)` about the geodesic of length d.

Source: the geodesic equations of [skovgaard1984riemannian], in a moving frame.
"""

import math

import torch
from torch import Tensor

from geolatent import _kernels
from geolatent.manifolds.fisher_rao.exponential import whitened
from geolatent.manifolds.fisher_rao.lift import symmetric
from geolatent.manifolds.points import Gaussian

_ORDER = 22
_STEPS_PER_LENGTH = 1.5  # the ratio of a step to the radius of convergence is then 0.3
_STEPS_UNSEEN = 24  # under a transform, which hides the length: exact to rounding up to length 16


def transport(vector: Gaussian, velocity: Gaussian, base: Gaussian) -> Gaussian:
    """Transport ``vector`` from ``base`` along the geodesic with this initial velocity, to its end at time 1."""
    factor = torch.linalg.cholesky(base.covariance_matrix)
    xi, bend = whitened(velocity, factor)
    y, z = whitened(vector, factor)
    shape = torch.broadcast_shapes(*(tensor.shape[:-2] for tensor in (xi, bend, y, z, factor)))
    state = tuple(tensor.expand(*shape, *tensor.shape[-2:]) for tensor in (xi, bend, factor, y, z))
    steps = _steps(xi, bend)
    for _ in range(steps):
        state = _step(state, 1 / steps)
    *_, frame, y, z = state
    return Gaussian((frame @ y).squeeze(-1), symmetric(frame @ z @ frame.mT))


def _steps(xi: Tensor, bend: Tensor) -> int:
    if _kernels.transformed(xi, bend) or xi.numel() == 0:
        return _STEPS_UNSEEN
    length = (xi.square().sum((-1, -2)) + 0.5 * bend.square().sum((-1, -2))).max().sqrt().item()
    return max(1, math.ceil(_STEPS_PER_LENGTH * length))


def _step(state: tuple[Tensor, ...], length: float) -> tuple[Tensor, ...]:
    """Sum of the Taylor series of the state at time ``length``; the coefficients absorb its powers."""
    terms = [state]
    total = state
    for order in range(_ORDER):
        rates = [torch.zeros_like(tensor) for tensor in state]
        for (xi, bend, frame, _, z), (other_xi, other_bend, *_, other_y, _) in zip(terms, reversed(terms), strict=True):
            outer = xi @ other_y.mT
            products = (
                0.5 * bend @ other_xi,
                -xi @ other_xi.mT,
                0.5 * frame @ other_bend,
                0.5 * z @ other_xi,
                -symmetric(outer),
            )
            rates = [rate + product for rate, product in zip(rates, products, strict=True)]
        terms.append(tuple(rate * (length / (order + 1)) for rate in rates))
        total = tuple(sum_ + term for sum_, term in zip(total, terms[-1], strict=True))
    return total
