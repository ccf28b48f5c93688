"""A guard behind the last derivative that is right: one more would be wrong without a word."""

from typing import Any, NoReturn

import torch
from torch import Tensor


def last_derivative(refusal: str, *tensors: Tensor) -> tuple[Tensor, ...]:
    """Return the tensors unchanged; a derivative of what is computed from them raises, or is NaN in forward mode.

    Args:
        refusal: message of the NotImplementedError that reverse mode raises.
        *tensors: what the formula of the last derivative is made of.
    """
    guarded: tuple[Tensor, ...] = _Guard.apply(refusal, *tensors)
    return guarded


class _Guard(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(_refusal: str, *tensors: Tensor) -> tuple[Tensor, ...]:
        return tuple(tensor.clone() for tensor in tensors)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], _output: tuple[Tensor, ...]) -> None:
        ctx.refusal = inputs[0]

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> NoReturn:
        raise NotImplementedError(ctx.refusal)

    @staticmethod
    def jvp(_ctx: Any, _refusal: None, *tangents: Tensor) -> tuple[Tensor, ...]:
        return tuple(torch.full_like(tangent, torch.nan) for tangent in tangents)
