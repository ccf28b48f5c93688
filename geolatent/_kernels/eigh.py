"""Eigenvalues and eigenvectors of batches of small symmetric matrices as torch operators."""

import torch
from torch import Tensor

from geolatent import _kernels

_LARGEST = 48  # beyond, LAPACK is as fast


def lapack_eigh(matrices: Tensor) -> tuple[Tensor, Tensor]:
    """The definition: ``torch.linalg.eigh``; a matrix that is not finite gives NaN for itself alone."""
    finite = _finite_triangles(matrices)
    values, vectors = torch.linalg.eigh(torch.where(finite[..., None, None], matrices, 0.0))
    return torch.where(finite[..., None], values, torch.nan), torch.where(finite[..., None, None], vectors, torch.nan)


def lapack_eigvalsh(matrices: Tensor) -> Tensor:
    """The definition: ``torch.linalg.eigvalsh``; a matrix that is not finite gives NaN for itself alone."""
    finite = _finite_triangles(matrices)
    values = torch.linalg.eigvalsh(torch.where(finite[..., None, None], matrices, 0.0))
    return torch.where(finite[..., None], values, torch.nan)


@torch.library.custom_op("geolatent::eigh", mutates_args=())
def eigh(matrices: Tensor) -> tuple[Tensor, Tensor]:
    """Ascending eigenvalues and their eigenvectors of (..., d, d), by the kernel where it serves, else by LAPACK."""
    if not _serves(matrices):
        return lapack_eigh(matrices)
    batch, values, failed = _flat(matrices)
    vectors = torch.empty_like(batch)
    _launch(batch, values, vectors.data_ptr(), failed)
    vectors = vectors.mT
    if failed.any():
        values[failed], vectors[failed] = lapack_eigh(batch[failed])
    return values.reshape(matrices.shape[:-1]), vectors.reshape(matrices.shape)


@torch.library.custom_op("geolatent::eigvalsh", mutates_args=())
def eigvalsh(matrices: Tensor) -> Tensor:
    """Ascending eigenvalues of (..., d, d), by the kernel where it serves and by LAPACK elsewhere."""
    if not _serves(matrices):
        return lapack_eigvalsh(matrices)
    batch, values, failed = _flat(matrices)
    _launch(batch, values, 0, failed)
    if failed.any():
        values[failed] = lapack_eigvalsh(batch[failed])
    return values.reshape(matrices.shape[:-1])


def _finite_triangles(matrices: Tensor) -> Tensor:
    """Whether the lower triangle, which alone is read, holds neither NaN nor infinity."""
    return matrices.tril().isfinite().all(-1).all(-1)


def _serves(matrices: Tensor) -> bool:
    return _kernels.usable(matrices) and 1 <= matrices.shape[-1] <= _LARGEST


def _flat(matrices: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The matrices as one contiguous batch, and room for their eigenvalues and for what failed."""
    batch = matrices.reshape(-1, *matrices.shape[-2:]).contiguous()
    return batch, batch.new_empty(batch.shape[:-1]), torch.empty(len(batch), dtype=torch.bool)


def _launch(batch: Tensor, values: Tensor, vectors: int, failed: Tensor) -> None:
    addresses = (batch.data_ptr(), values.data_ptr(), vectors, failed.data_ptr())
    _kernels.launch("eigh", batch.dtype, *addresses, *batch.shape[:2])


@eigh.register_fake
def _(matrices: Tensor) -> tuple[Tensor, Tensor]:
    return matrices.new_empty(matrices.shape[:-1]), matrices.new_empty(matrices.shape).mT


@eigvalsh.register_fake
def _(matrices: Tensor) -> Tensor:
    return matrices.new_empty(matrices.shape[:-1])


@eigh.register_vmap
def _(_info: object, in_dims: tuple[int], matrices: Tensor) -> tuple[tuple[Tensor, Tensor], tuple[int, int]]:
    return eigh(matrices.movedim(in_dims[0], 0)), (0, 0)


@eigvalsh.register_vmap
def _(_info: object, in_dims: tuple[int], matrices: Tensor) -> tuple[Tensor, int]:
    return eigvalsh(matrices.movedim(in_dims[0], 0)), 0


def _save_decomposition(
    ctx: torch.autograd.function.FunctionCtx,
    inputs: tuple[Tensor],  # noqa: ARG001 - torch's signature
    output: tuple[Tensor, Tensor],
) -> None:
    ctx.set_materialize_grads(False)
    ctx.save_for_backward(*output)


def _decomposition_gradient(
    ctx: torch.autograd.function.FunctionCtx, values_grad: Tensor | None, vectors_grad: Tensor | None
) -> Tensor | None:
    """Gradient V (diag(g) + V^T G / (lambda_j - lambda_i)) V^T, its symmetric part as by torch.linalg.eigh."""
    values, vectors = ctx.saved_tensors  # type: ignore[attr-defined]
    inner = None if values_grad is None else torch.diag_embed(values_grad)
    if vectors_grad is not None:
        gaps = values.unsqueeze(-2) - values.unsqueeze(-1)
        diagonal = torch.eye(values.shape[-1], dtype=torch.bool, device=values.device)
        turn = torch.where(diagonal, 0.0, vectors.mT @ vectors_grad) / torch.where(diagonal, 1.0, gaps)
        turn = 0.5 * (turn + turn.mT)
        inner = turn if inner is None else inner + turn
    return None if inner is None else vectors @ inner @ vectors.mT


def _save_matrices(
    ctx: torch.autograd.function.FunctionCtx,
    inputs: tuple[Tensor],
    output: Tensor,  # noqa: ARG001 - torch's signature
) -> None:
    ctx.save_for_backward(*inputs)


def _values_gradient(ctx: torch.autograd.function.FunctionCtx, grad: Tensor) -> Tensor:
    _, vectors = eigh(*ctx.saved_tensors)  # type: ignore[attr-defined]
    return (vectors * grad.unsqueeze(-2)) @ vectors.mT


eigh.register_autograd(_decomposition_gradient, setup_context=_save_decomposition)
eigvalsh.register_autograd(_values_gradient, setup_context=_save_matrices)
