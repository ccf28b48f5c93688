"""Singular values of batches of small matrices as one torch operator."""

import torch
from torch import Tensor

from geolatent import _kernels

_MOST_VECTORS = 48  # beyond either, LAPACK is about as fast
_LONGEST = 64


def lapack_svdvals(matrices: Tensor) -> Tensor:
    """The definition: ``torch.linalg.svdvals``; a matrix that is not finite gives NaN for itself alone."""
    finite = matrices.isfinite().all(-1).all(-1)
    values = torch.linalg.svdvals(torch.where(finite[..., None, None], matrices, 0.0))
    return torch.where(finite[..., None], values, torch.nan)


@torch.library.custom_op("geolatent::svdvals", mutates_args=())
def svdvals(matrices: Tensor) -> Tensor:
    """Descending singular values of (..., m, n), by the kernel where it serves and by LAPACK elsewhere."""
    if matrices.shape[-1] < matrices.shape[-2]:
        matrices = matrices.mT
    n, m = matrices.shape[-2:]
    if not (_kernels.usable(matrices) and 1 <= n <= _MOST_VECTORS and m <= _LONGEST):
        return lapack_svdvals(matrices)
    batch = matrices.reshape(-1, n, m).contiguous()
    values, failed = batch.new_empty(len(batch), n), torch.empty(len(batch), dtype=torch.bool)
    addresses = (batch.data_ptr(), values.data_ptr(), failed.data_ptr())
    _kernels.launch("svdvals", batch.dtype, *addresses, len(batch), n, m)
    if failed.any():
        values[failed] = lapack_svdvals(batch[failed])
    return values.reshape(matrices.shape[:-1])


@svdvals.register_fake
def _(matrices: Tensor) -> Tensor:
    return matrices.new_empty((*matrices.shape[:-2], min(matrices.shape[-2:])))


@svdvals.register_vmap
def _(_info: object, in_dims: tuple[int], matrices: Tensor) -> tuple[Tensor, int]:
    return svdvals(matrices.movedim(in_dims[0], 0)), 0


def _save(
    ctx: torch.autograd.function.FunctionCtx,
    inputs: tuple[Tensor],
    output: Tensor,  # noqa: ARG001 - torch's signature
) -> None:
    ctx.save_for_backward(*inputs)


def _gradient(ctx: torch.autograd.function.FunctionCtx, grad: Tensor) -> Tensor:
    """Gradient U diag(g) V^T; a matrix that is not finite gets NaN for itself alone."""
    (matrices,) = ctx.saved_tensors  # type: ignore[attr-defined]
    finite = matrices.isfinite().all(-1).all(-1)[..., None, None]
    left, _, right = torch.linalg.svd(torch.where(finite, matrices, 0.0), full_matrices=False)
    return torch.where(finite, (left * grad.unsqueeze(-2)) @ right, torch.nan)


svdvals.register_autograd(_gradient, setup_context=_save)
