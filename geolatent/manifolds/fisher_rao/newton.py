"""Newton's method on the fibre of the lift, in torch: the definition that the compiled solver is tested against.

Deviations from the compiled solver: singular values by LAPACK instead of one-sided Jacobi, which loses small ones at
far pairs; every pair of the batch is evaluated until the last one has converged.
"""

import torch
from torch import Tensor

from geolatent.manifolds.fisher_rao.lift import Lift, Pair, hessian_times, lift

UNIQUE_UP_TO = 11.7496
_MOST_STEPS = 60
_MOST_HALVINGS = 30
_SUFFICIENT = 1e-4
_NOISE = 1e-14
_FLOOR = 1e-15
_FINE = 1e-8


def shortest(pair: Pair) -> tuple[Lift, Tensor]:
    """Lift of the shortest geodesic found, and the number of Newton steps taken, shape (...)."""
    divisor = 12.5 + 4 * torch.log1p((pair.mean.square() / pair.values).sum(-1) / 6)
    fibre, best, steps = minimize(pair, _commutator(pair) / divisor[..., None, None])
    doubtful = best.value > UNIQUE_UP_TO**2
    for start in (-60.0, 60.0, 12.0) if doubtful.any() else ():
        first = torch.where(doubtful[..., None, None], _commutator(pair) / start, fibre)
        other, found, more = minimize(pair, first)
        shorter = found.value < best.value
        fibre = _choose(shorter, other, fibre)
        best = Lift(*(_choose(shorter, new, old) for new, old in zip(found, best, strict=True)))
        steps = steps + more
    return best, steps


def first_upper_bounds(pair: Pair) -> tuple[Tensor, Tensor]:
    """Values f at K = 0 and at Lawson's ansatz: upper bounds of the squared distance."""
    divisor = 12.5 + 4 * torch.log1p((pair.mean.square() / pair.values).sum(-1) / 6)
    commutator = _commutator(pair)
    return lift(pair, torch.zeros_like(commutator)).value, lift(pair, commutator / divisor[..., None, None]).value


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
        stalled = (following.residual > 0.5 * now.residual) & (following.residual < _FINE)
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


def _commutator(pair: Pair) -> Tensor:
    """Return [log S, m m^T]."""
    log = pair.values.log()
    return (log.unsqueeze(-1) - log.unsqueeze(-2)) * pair.mean.unsqueeze(-1) * pair.mean.unsqueeze(-2)
