r"""Functions of symmetric matrices, with derivatives that repeated eigenvalues do not disturb.

.. math::
    f(S) = V f(\Lambda) V^T, \qquad
    Df(S)[E] = V (f[\lambda_i, \lambda_j] \circ \tilde E) V^T, \qquad
    D^2 f(S)[E, H]_{ij} = V \Bigl( \sum_k f[\lambda_i, \lambda_k, \lambda_j]
    (\tilde E_{ik} \tilde H_{kj} + \tilde H_{ik} \tilde E_{kj}) \Bigr) V^T

with :math:`\tilde E = V^T E V` (Daleckii and Krein). Both are symmetric in all their directions, so that each
derivative is its own transpose. Of a matrix the lower triangle is read, of a direction the symmetric part is taken.

Source: [bhatia1997matrix], theorem V.3.3; [higham2008functions], chapter 3.
"""

from typing import Any

import torch
from torch import Tensor

from geolatent import _kernels
from geolatent.linalg.eigh import eigh
from geolatent.linalg.last_derivative import last_derivative
from geolatent.linalg.scalar_functions import ScalarFunction

_NO_THIRD = (
    "a matrix function has two derivatives; this asks for a third: detach() a factor that need not be differentiated "
    "again"
)


def matrix_function(function: ScalarFunction, matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Return f(S) of symmetric matrices (..., d, d), differentiable twice, and the eigenvalues, not differentiable."""
    result, values, _ = _value().apply(function, matrix)
    return result, values


def matrix_function_derivative(function: ScalarFunction, matrix: Tensor, direction: Tensor) -> Tensor:
    """Return Df(S)[E], differentiable once in S and at will in E; batch shapes broadcast."""
    _, values, vectors = _value().apply(function, matrix)
    shape = torch.broadcast_shapes(matrix.shape, direction.shape)
    parts = (matrix.expand(shape), values.expand(shape[:-1]), vectors.expand(shape), direction.expand(shape))
    result: Tensor = _derivative().apply(function, *parts)
    return result


def symmetric_part(matrix: Tensor) -> Tensor:
    """Return (A + A^T) / 2."""
    return 0.5 * (matrix + matrix.mT)


class _Value(torch.autograd.Function):
    """f(S), the eigenvalues and the eigenvectors; torch.compile takes this class, which has no forward mode."""

    generate_vmap_rule = True

    @staticmethod
    def forward(function: ScalarFunction, matrix: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        values, vectors = eigh(matrix)
        half = (vectors * (0.5 * function.value(values)).unsqueeze(-2)) @ vectors.mT
        return half + half.mT, values, vectors

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        ctx.function = inputs[0]
        ctx.mark_non_differentiable(*output[1:])
        ctx.save_for_backward(inputs[1], *output[1:])
        ctx.save_for_forward(inputs[1], *output[1:])

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, Tensor]:
        return None, _derivative().apply(ctx.function, *ctx.saved_tensors, grads[0])


class _ValueWithTangent(_Value):
    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> tuple[Tensor, None, None]:
        _refuse_nested_forward_mode()
        return _derivative().apply(ctx.function, *ctx.saved_tensors, tangents[1]), None, None


class _Derivative(torch.autograd.Function):
    """Df(S)[E], from S, its eigenvalues, its eigenvectors and E."""

    generate_vmap_rule = True

    @staticmethod
    def forward(
        function: ScalarFunction, _matrix: Tensor, values: Tensor, vectors: Tensor, direction: Tensor
    ) -> Tensor:
        slopes = function.slope(values.unsqueeze(-1), values.unsqueeze(-2))
        return symmetric_part(vectors @ (slopes * (vectors.mT @ direction @ vectors)) @ vectors.mT)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], _output: Tensor) -> None:
        ctx.function = inputs[0]
        ctx.save_for_backward(*inputs[1:])
        ctx.save_for_forward(*inputs[1:])

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, Tensor, None, None, Tensor]:
        matrix, values, vectors, direction = ctx.saved_tensors
        second = _second_derivative(ctx.function, values, vectors, direction, grads[0])
        return None, second, None, None, _derivative().apply(ctx.function, matrix, values, vectors, grads[0])


class _DerivativeWithTangent(_Derivative):
    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Tensor:
        _refuse_nested_forward_mode()
        matrix, values, vectors, direction = ctx.saved_tensors
        moved = torch.zeros_like(direction)
        if tangents[1] is not None:
            moved = moved + _second_derivative(ctx.function, values, vectors, direction, tangents[1])
        if tangents[4] is not None:
            moved = moved + _derivative().apply(ctx.function, matrix, values, vectors, tangents[4])
        return moved


def _value() -> type[_Value]:
    return _Value if torch.compiler.is_compiling() else _ValueWithTangent


def _derivative() -> type[_Derivative]:
    return _Derivative if torch.compiler.is_compiling() else _DerivativeWithTangent


def _refuse_nested_forward_mode() -> None:
    if _kernels.forward_levels() > 1:  # torch would differentiate the rule to zero, silently
        raise NotImplementedError(
            "a matrix function cannot be differentiated in forward mode within forward mode: take torch.func.hessian, "
            "which is forward over reverse, or jacrev in place of one jacfwd"
        )


def _second_derivative(
    function: ScalarFunction, values: Tensor, vectors: Tensor, first: Tensor, second: Tensor
) -> Tensor:
    """Return D^2 f(S)[E, H]; needs d^3 numbers a matrix."""
    bends = function.bend(values[..., :, None, None], values[..., None, :, None], values[..., None, None, :])
    first, second = last_derivative(_NO_THIRD, first, second)
    left, right = (vectors.mT @ symmetric_part(direction) @ vectors for direction in (first, second))
    inner = torch.einsum("...ikj,...ik,...kj->...ij", bends, left, right)
    return symmetric_part(vectors @ (inner + inner.mT) @ vectors.mT)
