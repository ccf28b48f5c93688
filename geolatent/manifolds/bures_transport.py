r"""Parallel transport of the Bures-Wasserstein metric, by Taylor steps along the geodesic.

The geodesic lifts to the line :math:`X(t) = (I + t S) X_0` of matrices with :math:`P = X X^T`, and a vector V to
:math:`K X` with :math:`V = K P + P K`. The transported vector's lift changes only by what projects to zero:

.. math:: K' P + P K' = -(K D + D^T K), \qquad D(t) = X' X^T = S P_0 (I + t S).

P and D are polynomials in t, so the Taylor coefficients of K follow from each other, one equation of the same matrix
P(t) each. While the arguments of all :math:`1 + t s_i` stay below :math:`\pi / 4`, P(t) has eigenvalues of positive
real part alone and the solution is analytic: the radius of convergence is at least :math:`1 / \sqrt 2` of the distance
to the nearest :math:`t = -1 / s_i`. Steps of constant ratio to these distances have a constant rate of convergence.

Source: the horizontal lift of [takatsu2011wasserstein].
"""

import math
from itertools import pairwise

import torch
from torch import Tensor

from geolatent import _kernels
from geolatent.linalg import eigvalsh
from geolatent.linalg.matrix_function import symmetric_part
from geolatent.manifolds.lyapunov import Lyapunov

_ORDER = 28
_RATIO = 0.2  # logarithm of the ratio of consecutive distances: terms fall by (e^0.2 - 1) sqrt(2) = 0.31
_STEPS_UNSEEN = 24  # under a transform, which hides the spectrum: exact to rounding up to cond(T) = 100
_CLEAR = 1e-2  # singularities further away than 1 / _CLEAR do not shape the steps


def transport(vector: Tensor, base: Tensor, stretch: Tensor) -> Tensor:
    """Transport ``vector`` from ``base`` along the geodesic of T = I + ``stretch`` to its end at time 1."""
    lift = Lyapunov(base).solve(vector)
    shape = torch.broadcast_shapes(lift.shape, stretch.shape)
    lift, base, stretch = (x.expand(shape) for x in (lift, base, stretch))
    identity = torch.eye(shape[-1], dtype=base.dtype, device=base.device)
    moved = stretch @ base
    for start, length in _steps(stretch.detach()):
        at = identity + start * stretch
        lift = _step(lift, symmetric_part(at @ base @ at), moved @ at, moved @ stretch, length)
    end = identity + stretch
    point = symmetric_part(end @ base @ end)
    return 2 * symmetric_part(lift @ point)


def _steps(stretch: Tensor) -> list[tuple[Tensor, Tensor]]:
    r"""Starts and lengths of the steps from 0 to 1, shape (..., 1, 1).

    With :math:`\alpha` and :math:`1 + \beta` the distances from 0 to the nearest singularities below and above,
    :math:`(t + \alpha) / (1 + \beta - t)` is multiplied by the same number in every step.
    """
    if stretch.numel() == 0:
        return []
    values = eigvalsh(symmetric_part(stretch))
    low, high = values[..., 0].clamp_max(-_CLEAR), values[..., -1].clamp_min(_CLEAR)
    low = low.clamp_min(torch.finfo(low.dtype).eps - 1)
    alpha, above = 1 / high, -1 / low  # above = 1 + beta
    ratio = (1 + high) / (1 + low)
    count = _STEPS_UNSEEN
    if not _kernels.transformed(stretch):
        count = max(1, math.ceil(ratio.log().max().item() / _RATIO))
    times = []
    for k in range(count + 1):
        q = alpha / above * ratio ** (k / count)
        times.append(((q * above - alpha) / (1 + q))[..., None, None])
    return [(start, end - start) for start, end in pairwise(times)]


def _step(lift: Tensor, point: Tensor, slope: Tensor, bend: Tensor, length: Tensor) -> Tensor:
    r"""Sum the Taylor series of K over a step: P + u (D + D^T) + u^2 F and D + u F are P and D beyond its start.

    Args:
        lift: K at the start.
        point: P.
        slope: D.
        bend: :math:`F = S P_0 S`.
        length: of the step.
    """
    equation = Lyapunov(point)
    slope, bend = equation.inner(length * slope), equation.inner(length.square() * symmetric_part(bend))
    lift, rise = equation.inner(lift), slope + slope.mT
    before, current, total = torch.zeros_like(lift), lift, lift
    for order in range(_ORDER):
        # K' P + P K' + K D + D^T K = 0 at the power ``order`` of u, all but its newest coefficient
        known = current @ (order * rise + slope) + order * (before @ bend)
        before, current = current, equation.solve_inner(-known - known.mT) / (order + 1)
        total = total + current
    return equation.outer(total)
