"""Per-sample Jacobians of any torch module."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.func import jacfwd, jacrev, vmap

from geolatent.jacobians.modules import (
    Function,
    batch_function,
    require_module,
    sample_function,
    working_dtype,
)

Mode = Literal["forward", "reverse"]


def jacobian(module: nn.Module, x: Tensor, mode: Mode | None = None) -> Tensor:
    r"""Jacobian of a module at every sample of a batch.

    .. math:: J_{n,ij} = \partial f_i(x_n) / \partial x_{n,j}

    The module sees each sample as a batch of one, so it may hold convolutions, Flatten, or BatchNorm and
    Dropout in evaluation mode. A module whose samples interact otherwise (attention across the batch, say)
    has no per-sample Jacobian; this cannot be detected.

    The result carries gradients, with respect to ``x`` and to the parameters, where grad mode is on and
    ``x.requires_grad``; otherwise nothing is recorded.

    Args:
        module: maps (N, ...) to (N, ...).
        x: samples, shape (N, ...), floating point; float16 and bfloat16 are computed in float32.
        mode: ``"forward"`` pushes one tangent an input entry, ``"reverse"`` pulls one gradient an output
            entry; by default the cheaper one.

    Returns:
        Jacobians, shape (N, out, in), where ``out`` and ``in`` count the entries of one output and one input.

    Raises:
        TypeError: if ``x`` is not floating point or differs from the parameters in data type.
        ValueError: if ``x`` has no batch axis, a layer is in training mode, or devices differ.

    Example:
        >>> import torch
        >>> jacobian(torch.nn.Tanh(), torch.zeros(1, 2))
        tensor([[[1., 0.],
                 [0., 1.]]])
    """
    if mode not in ("forward", "reverse", None):
        raise ValueError(f"mode must be 'forward', 'reverse' or None; got {mode!r}")
    require_module("module", module, x)
    if x.ndim < 2:
        raise ValueError(f"x must have shape (N, ...); got {tuple(x.shape)}: add a batch axis with .unsqueeze(0)")
    dtype = working_dtype(x)
    function = batch_function(module, dtype)
    with torch.no_grad():
        out_size = function(x.new_zeros((1, *x.shape[1:]), dtype=dtype)).numel()
    in_size = x[0].numel() if len(x) else x.new_empty(x.shape[1:]).numel()
    if mode is None:
        mode = "reverse" if out_size <= in_size else "forward"
    with torch.set_grad_enabled(torch.is_grad_enabled() and x.requires_grad):
        return jacobian_of(function, x.to(dtype), mode).reshape(len(x), out_size, in_size).to(x.dtype)


def jacobian_of(function: Function, x: Tensor, mode: Mode) -> Tensor:
    """Jacobians of a function of a batch, without checks: shape (N, out), then that of a sample."""
    if len(x) == 0:
        return x.new_zeros(0)
    transform = jacfwd if mode == "forward" else jacrev
    return vmap(transform(sample_function(function)))(x)
