"""Fisher-Rao geodesics of batches of pairs as one differentiable function."""

import warnings
from typing import Any, NamedTuple

import torch
from torch import Tensor

from geolatent import _kernels
from geolatent._kernels import fisher_rao as kernel
from geolatent.manifolds.fisher_rao.derivative import squared_dist_gradient, velocity_tangent
from geolatent.manifolds.fisher_rao.lift import symmetric, whiten
from geolatent.manifolds.fisher_rao.newton import shortest
from geolatent.manifolds.points import Gaussian
from geolatent.manifolds.warnings import ConvergenceWarning

LARGEST_RESIDUAL = 1e-8  # the distance's error is of second order in it


class Geodesics(NamedTuple):
    """Shortest geodesics found between pairs, all of batch shape (...)."""

    squared_dist: Tensor
    velocity: Gaussian
    residual: Tensor
    iterations: Tensor


def geodesics(a: Gaussian, b: Gaussian) -> Geodesics:
    """Solve for the geodesics from a to b; batch shapes broadcast. Differentiable twice, by every transform."""
    loc, other_loc = torch.broadcast_tensors(a.loc, b.loc)
    covariance, other_covariance = torch.broadcast_tensors(a.covariance_matrix, b.covariance_matrix)
    function = _solve if torch.compiler.is_compiling() else _Solve.apply
    squared_dist, mean, matrix, residual, iterations = function(loc, covariance, other_loc, other_covariance)
    return Geodesics(squared_dist, Gaussian(mean, matrix), residual, iterations)


def torch_solve(loc: Tensor, covariance: Tensor, other_loc: Tensor, other_covariance: Tensor) -> tuple[Tensor, ...]:
    """The definition, in torch: what the compiled solver computes too."""
    pair = whiten(loc, covariance, other_loc, other_covariance)
    end, iterations = shortest(pair)
    bend = -symmetric(end.velocity[..., :-1, :])
    mean = (pair.back @ end.velocity[..., -1, :, None]).squeeze(-1) / 2**0.5
    return end.value, mean, symmetric(pair.back @ bend @ pair.back.mT), end.residual, iterations


@torch.library.custom_op("geolatent::fisher_rao", mutates_args=())
def _solve(
    loc: Tensor, covariance: Tensor, other_loc: Tensor, other_covariance: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    batch, n = loc.shape[:-1], loc.shape[-1]
    pairs = [
        tensor.reshape(-1, *tensor.shape[len(batch) :]).double().contiguous()
        for tensor in (loc, covariance, other_loc, other_covariance)
    ]
    results = kernel.solve(*pairs) if _kernels.usable(*pairs) else torch_solve(*pairs)
    _warn(results[3].reshape(batch))
    shapes = ((), (n,), (n, n), (), ())
    squared_dist, mean, matrix, residual, iterations = (
        result.reshape(batch + shape).to(loc.dtype) for result, shape in zip(results, shapes, strict=True)
    )
    return squared_dist, mean, matrix, residual, iterations


def _warn(residual: Tensor) -> None:
    bad = ~(residual <= LARGEST_RESIDUAL)
    if bad.any():
        indices = [tuple(index) if len(index) > 1 else index[0] for index in bad.nonzero()[:8].tolist() if index]
        where = f"at batch index {', '.join(map(str, indices))}" if indices else "for the pair"
        more = int(bad.sum()) - len(indices)
        warnings.warn(
            f"the Fisher-Rao geodesic did not converge {where}{f' and {more} more' if indices and more else ''} "
            f"(residual {residual[bad].max():.1e}, wanted {LARGEST_RESIDUAL:.0e}): its distance is an upper bound "
            "there, its velocity approximate; solve() tells the residual of every pair",
            ConvergenceWarning,
            stacklevel=2,
        )


@_solve.register_fake
def _(loc: Tensor, covariance: Tensor, *_others: Tensor) -> tuple[Tensor, ...]:
    scalars = [loc.new_empty(loc.shape[:-1]) for _ in range(3)]
    return scalars[0], torch.empty_like(loc), torch.empty_like(covariance), *scalars[1:]


def _save(ctx: Any, inputs: tuple[Tensor, ...], output: tuple[Tensor, ...]) -> None:
    ctx.mark_non_differentiable(*output[3:])
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(*inputs, *output[:3])
    ctx.save_for_forward(*inputs, *output[:3])


def _save_op(ctx: Any, inputs: tuple[Tensor, ...], output: tuple[Tensor, ...]) -> None:
    ctx.save_for_backward(*inputs, *output[:3])


def _backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor, ...]:
    a, b, velocity = _saved(ctx)
    total = [torch.zeros_like(tensor) for tensor in (*a, *b)]
    if grads[0] is not None:
        weight = grads[0].unsqueeze(-1)
        for index, part in enumerate(squared_dist_gradient(a, b, velocity)):
            total[2 * index] = total[2 * index] + weight * part.loc
            total[2 * index + 1] = total[2 * index + 1] + weight.unsqueeze(-1) * part.covariance_matrix
    if grads[1] is not None or grads[2] is not None:
        cotangent = Gaussian(
            *(torch.zeros_like(v) if g is None else g for v, g in zip(velocity, grads[1:3], strict=True))
        )
        pulled = velocity_cotangent(a, b, velocity, cotangent)
        total = [first + second for first, second in zip(total, pulled, strict=True)]
    return tuple(total)


def velocity_cotangent(a: Gaussian, b: Gaussian, velocity: Gaussian, cotangent: Gaussian) -> tuple[Tensor, ...]:
    """Transpose of :func:`velocity_tangent`: what a cotangent of the velocity means for the four parameters."""
    zeros = [torch.zeros_like(tensor) for tensor in (*a, *b)]

    def push(*moved: Tensor) -> tuple[Tensor, ...]:
        return tuple(velocity_tangent(a, b, velocity, Gaussian(*moved[:2]), Gaussian(*moved[2:])))

    return torch.func.vjp(push, *zeros)[1](tuple(cotangent))


def _saved(ctx: Any) -> tuple[Gaussian, Gaussian, Gaussian]:
    loc, covariance, other_loc, other_covariance, _, mean, matrix = ctx.saved_tensors
    return Gaussian(loc, covariance), Gaussian(other_loc, other_covariance), Gaussian(mean, matrix)


_solve.register_autograd(_backward, setup_context=_save_op)


class _Solve(torch.autograd.Function):
    """The operator with a rule for forward mode, which torch.library lacks; torch.compile takes the operator."""

    @staticmethod
    def forward(*parameters: Tensor) -> tuple[Tensor, ...]:
        return _solve(*parameters)

    setup_context = staticmethod(_save)
    backward = staticmethod(_backward)

    @staticmethod
    def jvp(ctx: Any, *tangents: Tensor | None) -> tuple[Any, ...]:
        if _kernels.forward_levels() > 1:  # torch would differentiate this rule to zero, silently
            raise NotImplementedError(
                "Fisher-Rao geodesics cannot be differentiated in forward mode within forward mode: take torch.func."
                "hessian, which is forward over reverse, or jacrev in place of one jacfwd"
            )
        a, b, velocity = _saved(ctx)
        moved = [torch.zeros_like(x) if t is None else t for x, t in zip((*a, *b), tangents, strict=True)]
        moved_a, moved_b = Gaussian(*moved[:2]), Gaussian(*moved[2:])
        gradients = squared_dist_gradient(a, b, velocity)
        first, second = (
            (part.loc * step.loc).sum(-1) + (part.covariance_matrix * step.covariance_matrix).sum((-1, -2))
            for part, step in zip(gradients, (moved_a, moved_b), strict=True)
        )
        return first + second, *velocity_tangent(a, b, velocity, moved_a, moved_b), None, None

    @staticmethod
    def vmap(_info: object, in_dims: tuple[int | None, ...], *parameters: Tensor) -> tuple[Any, Any]:
        leading = [x if dim is None else x.movedim(dim, 0) for x, dim in zip(parameters, in_dims, strict=True)]
        size = next(x.shape[0] for x, dim in zip(leading, in_dims, strict=True) if dim is not None)
        full = [x.expand(size, *x.shape) if dim is None else x for x, dim in zip(leading, in_dims, strict=True)]
        return _Solve.apply(*full), (0,) * 5
