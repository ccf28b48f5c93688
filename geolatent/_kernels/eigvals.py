"""Eigenvalues of batches of small real matrices as one torch operator."""

import torch
from torch import Tensor

from geolatent import _kernels

_LARGEST = 48  # beyond, LAPACK is as fast


def by_decreasing_modulus(values: Tensor) -> Tensor:
    """Order of complex ``values`` (..., d): decreasing modulus, then real part, then imaginary part, as indices."""
    order = torch.argsort(values.imag, dim=-1, descending=True, stable=True)
    for key in (values.real, values.abs()):
        order = order.gather(-1, torch.argsort(key.gather(-1, order), dim=-1, descending=True, stable=True))
    return order


def lapack_eigvals(matrices: Tensor) -> Tensor:
    """The definition: sorted ``torch.linalg.eigvals``; a matrix that is not finite gives NaN for itself alone."""
    finite = matrices.isfinite().all(-1).all(-1)
    values = torch.linalg.eigvals(torch.where(finite[..., None, None], matrices, 0.0))
    values = values.gather(-1, by_decreasing_modulus(values.detach()))
    nan = torch.full((), torch.nan, dtype=matrices.dtype, device=matrices.device)
    return torch.where(finite[..., None], values, torch.complex(nan, nan))


@torch.library.custom_op("geolatent::eigvals", mutates_args=())
def eigvals(matrices: Tensor) -> Tensor:
    """Sorted eigenvalues of (..., d, d), by the kernel where it serves and by LAPACK elsewhere."""
    d = matrices.shape[-1]
    if not (_kernels.usable(matrices) and 1 <= d <= _LARGEST):
        return lapack_eigvals(matrices)
    batch = matrices.reshape(-1, d, d).contiguous()
    pairs = batch.new_empty((*batch.shape[:2], 2))
    failed = torch.empty(len(batch), dtype=torch.bool)
    addresses = (batch.data_ptr(), pairs.data_ptr(), failed.data_ptr())
    _kernels.launch("eigvals", batch.dtype, *addresses, len(batch), d)
    values = torch.view_as_complex(pairs)
    if failed.any():
        values[failed] = lapack_eigvals(batch[failed])
    return values.reshape(matrices.shape[:-1])


@eigvals.register_fake
def _(matrices: Tensor) -> Tensor:
    return matrices.new_empty(matrices.shape[:-1], dtype=matrices.dtype.to_complex())


@eigvals.register_vmap
def _(_info: object, in_dims: tuple[int], matrices: Tensor) -> tuple[Tensor, int]:
    return eigvals(matrices.movedim(in_dims[0], 0)), 0


def _save(ctx: torch.autograd.function.FunctionCtx, inputs: tuple[Tensor], output: Tensor) -> None:
    ctx.save_for_backward(inputs[0], output)


def _gradient(ctx: torch.autograd.function.FunctionCtx, grad: Tensor) -> Tensor:
    r"""Gradient V^{-H} diag(grad) V^H, from d lambda = (w^H dA v) / (w^H v)."""
    matrices, values = ctx.saved_tensors  # type: ignore[attr-defined]
    d = matrices.shape[-1]
    finite = matrices.isfinite().all(-1).all(-1)
    distinct = torch.diag(torch.arange(1.0, d + 1.0, dtype=matrices.dtype, device=matrices.device))
    found, right = torch.linalg.eig(torch.where(finite[..., None, None], matrices, distinct))
    left, _ = torch.linalg.inv_ex(right)
    needed = finite & (grad != 0).any(-1)
    if type(grad) is Tensor and type(matrices) is Tensor:
        _require_simple(matrices.detach(), found.detach(), right.detach(), left.detach(), needed)
    # The kernel and LAPACK agree up to rounding, which may order nearly equal moduli differently.
    nearest = (found.detach()[..., None, :] - values.detach()[..., None]).abs().argmin(-1)
    unordered = torch.zeros_like(grad).scatter(-1, torch.where(finite[..., None], nearest, 0), grad)
    gradient = (left.mH @ (unordered[..., None] * right.mH)).real
    gradient = torch.where(finite[..., None, None], gradient, torch.nan)
    return torch.where((grad == 0).all(-1)[..., None, None], torch.zeros_like(gradient), gradient)


def _require_simple(matrices: Tensor, values: Tensor, right: Tensor, left: Tensor, needed: Tensor) -> None:
    """Raise LinAlgError where eigenvalues coincide within the error that their conditioning allows."""
    d = values.shape[-1]
    norm = torch.linalg.matrix_norm(matrices)[..., None]
    uncertainty = 4 * torch.finfo(matrices.dtype).eps * norm * right.norm(dim=-2) * left.norm(dim=-1)
    gaps = (values[..., None, :] - values[..., None]).abs() + torch.diag(
        torch.full((d,), torch.inf, dtype=matrices.dtype, device=matrices.device)
    )
    simple = (uncertainty < gaps.amin(-1)).all(-1)  # a NaN from a singular basis counts as repeated
    if bool((needed & ~simple).any()):
        index = tuple((needed & ~simple).nonzero()[0].tolist())
        where = f"matrix {index[0] if len(index) == 1 else index} of the batch" if index else "the matrix"
        raise torch.linalg.LinAlgError(  # type: ignore[attr-defined]
            f"the gradient of eigvals needs distinct eigenvalues; {where} has repeated ones to working precision: "
            "perturb it, or differentiate a symmetric function of the spectrum such as the trace or the determinant"
        )


eigvals.register_autograd(_gradient, setup_context=_save)
