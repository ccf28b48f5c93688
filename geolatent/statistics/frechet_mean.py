"""Frechet means on any manifold."""

import math
import warnings
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor
from torch.distributions import Distribution

from geolatent.manifolds import ConvergenceWarning, Manifold
from geolatent.manifolds.arguments import prepare
from geolatent.manifolds.components import batch_shape, cast, components, map_components, scaled
from geolatent.statistics.checks import require_manifold
from geolatent.statistics.weights import normalised_weights

Point = TypeVar("Point", bound=Tensor | tuple[Any, ...])

_DECREASE = 1e-4  # of the decrease that the slope promises, which a step must reach
_ROUNDING = 1e4 * torch.finfo(torch.float64).eps  # relative change of the variance that says nothing
_FLOOR = 64 * torch.finfo(torch.float64).eps


class FrechetMean(NamedTuple):
    """Frechet means, and how well they are known. The fields have the batch shape of the means."""

    point: Any
    """The means, points of the manifold."""
    variance: Tensor
    """Weighted mean of the squared distances to the points."""
    converged: Tensor
    """Whether the residual met the tolerance, bool."""
    iterations: Tensor
    """Steps that were tried."""
    residual: Tensor
    """Length of the weighted mean of the logarithms at the mean: zero at an exact one."""


class _State(NamedTuple):
    """Where the iteration stands, one entry a mean."""

    point: Any
    pull: Any
    """Weighted mean of the logarithms: the negative gradient of half the variance."""
    variance: Tensor
    residual: Tensor


def frechet_mean(
    manifold: Manifold[Point],
    points: Point | Distribution,
    weights: Tensor | None = None,
    *,
    tol: float = 1e-10,
    max_iter: int = 200,
    initial: Point | Distribution | None = None,
) -> FrechetMean:
    r"""Frechet (Karcher) means: the points of least mean squared distance, many at once.

    .. math:: \bar x = \arg\min_x \sum_i w_i \, d^2(x, x_i), \qquad
              x \leftarrow \exp_x \Bigl( t \sum_i w_i \log_x x_i \Bigr), \qquad \sum_i w_i = 1

    Gradient descent with Barzilai-Borwein steps t, halved until the variance decreases: the unit step alone diverges
    for widely spread points. Every mean has its own step, and one that fails does not disturb the others. Where
    curvature is negative (univariate and diagonal Gaussians) the mean is unique; elsewhere it is unique in small balls,
    and the iteration finds a stationary point near the start.

    Args:
        manifold: where the points lie.
        points: batch shape (N, ...); the mean is taken over the first dimension, the others are separate means.
        weights: shape (N,) or (N, ...), not negative, with positive sum; equal if left out.
        tol: a mean has converged when its residual is at most ``tol`` times the root of its variance.
        max_iter: largest number of steps tried.
        initial: starting points, of a batch shape that broadcasts to that of the means; if left out, the heaviest point
            of each.

    Returns:
        The means, computed in float64 and returned in the type of the points. They carry no gradient.

    Raises:
        TypeError: if ``points`` or ``weights`` are of another type.
        ValueError: if a set is empty, a weight is negative or not finite, or all weights of a set are zero.

    Warns:
        ConvergenceWarning: if a mean has not converged; names its batch index.

    Accuracy:
        Where curvature is not positive the distance to the exact mean is at most the residual.

    Source:
        [karcher1977riemannian]; steps [barzilai1988two].

    >>> from geolatent.manifolds import DiagonalGaussian, UnivariateGaussians
    >>> points = DiagonalGaussian(torch.tensor([[-1.0], [1.0]]), torch.ones(2, 1))
    >>> mean = frechet_mean(UnivariateGaussians(), points)
    >>> mean.point.loc.abs() < 1e-6, mean.point.scale
    (tensor([True]), tensor([1.2247]))
    """
    require_manifold(manifold)
    _require_options(tol, max_iter)
    with torch.no_grad():
        (given,), dtype = prepare(manifold, {"points": points})
        shape = _require_sets(batch_shape(given, manifold.event_ndims))
        count = math.prod(shape[1:])
        flat = _flattened(cast(torch.float64, given), len(shape))
        like = components(flat)[0]
        shares = normalised_weights(weights, shape, like.device).reshape(shape[0], count)
        if initial is None:
            start = _heaviest(flat, shares)
        else:
            (begin,), _ = prepare(manifold, {"initial": initial})
            start = _expanded(cast(torch.float64, begin), shape[1:], manifold.event_ndims)
        state, iterations = _descend(manifold, flat, shares, start, tol, max_iter)
        converged = _converged(state, tol)
        _warn_of(~converged.reshape(shape[1:]), state.residual.reshape(shape[1:]), tol, max_iter)
        point = map_components(lambda x: x.reshape(shape[1:] + x.shape[1:]), cast(dtype, state.point))
        numbers = (state.variance.to(dtype), converged, iterations, state.residual.to(dtype))
        return FrechetMean(point, *(x.reshape(shape[1:]) for x in numbers))


def _descend(
    manifold: Manifold[Any], points: Any, weights: Tensor, start: Any, tol: float, max_iter: int
) -> tuple[_State, Tensor]:
    """Iterate on M means of N points, (N, M), until all have converged or ``max_iter`` is reached."""
    state = _measure(manifold, points, weights, start)
    step = torch.ones_like(state.residual)
    iterations = torch.zeros_like(step, dtype=torch.long)
    for _ in range(max_iter):
        active = ~_converged(state, tol)
        if not active.any():
            break
        iterations += active
        now = _selected(state, active)
        mine = map_components(lambda x, a=active: x[:, a], points)
        length = step[active]
        target = manifold.exp(scaled(now.pull, length, manifold.event_ndims), now.point)
        then = _measure(manifold, mine, weights[:, active], target)
        promised = length * now.residual.square()
        accepted = then.variance / 2 <= now.variance / 2 * (1 + _ROUNDING) - _DECREASE * promised
        step[active] = torch.where(accepted, _next_step(manifold, now, then, length), length / 2)
        better = active.clone()
        better[active] = accepted
        state = map_components(_replaced(better), state, _selected(then, accepted))
    return state, iterations


def _measure(manifold: Manifold[Any], points: Any, weights: Tensor, base_point: Any) -> _State:
    base = map_components(lambda x: x[None], base_point)
    logs = manifold.log(points, base)
    squares = manifold.inner_product(logs, logs, base).clamp_min(0.0)
    pull = map_components(lambda x: x.sum(0), scaled(logs, weights, manifold.event_ndims))
    residual = manifold.norm(pull, base_point)
    return _State(base_point, pull, (weights * squares).sum(0), residual)


def _next_step(manifold: Manifold[Any], now: _State, then: _State, length: Tensor) -> Tensor:
    """Barzilai-Borwein step: the minimum of the parabola through the slopes at both ends of the last step."""
    back = manifold.log(now.point, then.point)
    slope = -manifold.inner_product(then.pull, back, then.point) / (length * now.residual.square())
    return length / (1 - slope).clamp_min(0.05)


def _converged(state: _State, tol: float) -> Tensor:
    return state.residual <= (tol * state.variance.sqrt()).clamp_min(_FLOOR)


def _selected(state: _State, mask: Tensor) -> _State:
    return map_components(lambda x: x[mask], state)


def _replaced(mask: Tensor) -> Any:
    def replace(old: Tensor, new: Tensor) -> Tensor:
        result = old.clone()
        result[mask] = new
        return result

    return replace


def _flattened(points: Any, ndim: int) -> Any:
    """Merge the batch dimensions after the first into one, present also where there was none."""
    return map_components(lambda x: x.flatten(1, ndim - 1) if ndim > 1 else x[:, None], points)


def _expanded(points: Any, shape: tuple[int, ...], event_ndims: tuple[int, ...]) -> Any:
    ndims = iter(event_ndims)

    def expand(x: Tensor) -> Tensor:
        event = x.shape[x.ndim - next(ndims) :]
        return x.expand(shape + event).reshape(-1, *event).clone()

    return map_components(expand, points)


def _heaviest(points: Any, weights: Tensor) -> Any:
    index = weights.argmax(0)
    return map_components(lambda x: x[index, torch.arange(len(index), device=x.device)], points)


def _require_sets(shape: tuple[int, ...]) -> tuple[int, ...]:
    if not shape:
        raise ValueError("points must have batch shape (N, ...); got one point: the first dimension counts the points")
    if shape[0] == 0:
        raise ValueError(f"points must hold at least one point a mean; got batch shape {shape}: leave empty sets out")
    return shape


def _require_options(tol: float, max_iter: int) -> None:
    if not tol > 0:
        raise ValueError(f"tol must be positive; got {tol}: the default is 1e-10")
    if not isinstance(max_iter, int) or max_iter < 1:
        raise ValueError(f"max_iter must be a positive integer; got {max_iter!r}: the default is 200")


def _warn_of(failed: Tensor, residual: Tensor, tol: float, max_iter: int) -> None:
    if not failed.any():
        return
    indices = [index[0] if len(index) == 1 else tuple(index) for index in failed.nonzero().tolist()]
    named = ", ".join(map(str, indices[:5])) + (", ..." if len(indices) > 5 else "")
    which = f"{len(indices)} of {failed.numel()} means, batch index {named}," if failed.ndim else "the mean"
    warnings.warn(
        f"frechet_mean: {which} did not reach tol = {tol:g} in {max_iter} iterations (largest residual "
        f"{residual[failed].max().item():.3g}): raise max_iter, or pass initial points nearer to the means",
        ConvergenceWarning,
        stacklevel=3,
    )
