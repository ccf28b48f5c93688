"""Newton's method on the fibre of the lift, in torch: the definition that the compiled solver is tested against.

Deviations from the compiled solver: singular values by LAPACK instead of one-sided Jacobi; every pair of the batch is
evaluated until the last one has converged.
"""

import math

import torch
from torch import Tensor

from geolatent.manifolds.fisher_rao.lift import Lift, Pair, hessian_times, lift

UNIQUE_UP_TO = 11.7496
_MOST_STEPS = 60
_MOST_HALVINGS = 30
_SUFFICIENT = 1e-4
_NOISE = 1e-14
_FLOOR = 1e-15
_STARTS = (38.0, math.inf)  # divisors of [log S, m m^T]: between two minima of needle pairs, and K = 0
_PROMISING = 1.1
_SHORTER = 1 - 1e-13


def shortest(pair: Pair) -> tuple[Lift, Tensor]:
    """Lift of the shortest geodesic found, and the number of Newton steps taken, shape (...)."""
    first, _ = first_start(pair)
    fibre, best, steps = minimize(pair, first)
    doubtful = best.value > UNIQUE_UP_TO**2
    for divisor in _STARTS if doubtful.any() else ():
        start = pair.commutator / divisor
        tried = doubtful & (lift(pair, start).value < _PROMISING * best.value)
        other, end, more = minimize(pair, _choose(tried, start, fibre))
        found = tried & (end.value < _SHORTER * best.value)
        fibre = _choose(found, other, fibre)
        best = Lift(*(_choose(found, new, old) for new, old in zip(end, best, strict=True)))
        steps = steps + more
    return best, steps


def first_start(pair: Pair) -> tuple[Tensor, Tensor]:
    """Of K = 0 and Lawson's ansatz the one where f is lower, and f there: an upper bound of the squared distance."""
    square = (pair.mean * pair.inverse[..., 0, 0]).square()  # m^T S^-1 m
    ansatz = pair.commutator / (12.5 + 4 * torch.log1p(square / 6))[..., None, None]
    flat, bent = lift(pair, torch.zeros_like(ansatz)).value, lift(pair, ansatz).value
    return _choose(bent < flat, ansatz, torch.zeros_like(ansatz)), torch.minimum(flat, bent)


def minimize(pair: Pair, fibre: Tensor) -> tuple[Tensor, Lift, Tensor]:
    """Minimise f from K = ``fibre``; returns the minimiser, its lift and the number of steps."""
    now = lift(pair, fibre)
    active = now.residual > _FLOOR
    steps = torch.zeros_like(now.value)
    for _ in range(_MOST_STEPS):
        if not active.any():
            break
        direction = newton_direction(now, active)
        slope = (now.gradient * direction).sum((-1, -2))
        length = torch.where(active, 1.0, 0.0).to(slope)
        wanting, trial, following = active, fibre, now
        for halvings in range(_MOST_HALVINGS + 1):
            length = torch.where(wanting, 0.0, length) if halvings == _MOST_HALVINGS else length
            trial = fibre + length[..., None, None] * direction
            following = lift(pair, trial)
            limit = now.value * (1 + _NOISE) + _SUFFICIENT * length * slope
            wanting = wanting & ~(following.value <= limit)
            if not wanting.any():
                break
            length = torch.where(wanting, 0.5 * length, length)
        steps = steps + active
        stalled = (following.residual > 0.5 * now.residual) & (following.value >= (1 - _NOISE) * now.value)
        active = active & (following.residual > _FLOOR) & ~stalled & (length > 0)
        fibre, now = trial, following
    return fibre, now, steps


def newton_direction(at: Lift, active: Tensor) -> Tensor:
    """Solve the Newton system by conjugate gradients, down the gradient where the curvature is negative at once."""
    n = at.gradient.shape[-1]
    covariance = midpoint_covariance(at)
    direction, residual = torch.zeros_like(at.gradient), -at.gradient
    conjugate = covariance @ residual @ covariance
    square = (residual * conjugate).sum((-1, -2))
    goal = at.residual.clamp(max=0.1).square() * square
    running = active & (square > 0)
    for step in range(min(n * (n - 1) // 2 + 4, 300)):
        if not running.any():
            break
        image = hessian_times(at, conjugate)
        bend = (conjugate * image).sum((-1, -2))
        convex = running & (bend > 0)
        moving = running if step == 0 else convex
        length = torch.where(moving, square / torch.where(bend == 0, 1.0, bend.abs()), 0.0)[..., None, None]
        direction = direction + length * conjugate
        residual = residual - length * image
        turned = covariance @ residual @ covariance
        following = (residual * turned).sum((-1, -2))
        running = convex & (following > goal)
        conjugate = turned + (following / torch.where(square > 0, square, 1.0))[..., None, None] * conjugate
        square = following
    return direction


def midpoint_covariance(at: Lift) -> Tensor:
    """Covariance half way along: D -> S D S is close to the inverse Hessian and preconditions the Newton system."""
    u, last, v = at.left[..., :-1, :-1], at.left[..., :-1, -1:], at.right
    half = (0.5 * at.singular).exp().unsqueeze(-2)
    information = 0.25 * (((u + v) * half) @ (u + v).mT + ((u - v) / half) @ (u - v).mT) + 0.5 * last @ last.mT
    factor, _ = torch.linalg.cholesky_ex(information)
    return torch.cholesky_inverse(factor)


def _choose(where: Tensor, yes: Tensor, no: Tensor) -> Tensor:
    """Choose pair by pair."""
    return torch.where(where[(..., *[None] * (yes.ndim - where.ndim))], yes, no)
