"""Eigenvalues and eigenvectors of batches of small symmetric matrices."""

import torch
from torch import Tensor


def lapack_eigh(matrices: Tensor) -> tuple[Tensor, Tensor]:
    """The definition: ``torch.linalg.eigh``; a matrix that is not finite gives NaN for itself alone."""
    finite = finite_triangles(matrices)
    values, vectors = torch.linalg.eigh(torch.where(finite[..., None, None], matrices, 0.0))
    return torch.where(finite[..., None], values, torch.nan), torch.where(finite[..., None, None], vectors, torch.nan)


def lapack_eigvalsh(matrices: Tensor) -> Tensor:
    """The definition: ``torch.linalg.eigvalsh``; a matrix that is not finite gives NaN for itself alone."""
    finite = finite_triangles(matrices)
    values = torch.linalg.eigvalsh(torch.where(finite[..., None, None], matrices, 0.0))
    return torch.where(finite[..., None], values, torch.nan)


def finite_triangles(matrices: Tensor) -> Tensor:
    """Whether the lower triangle, which alone is read, holds neither NaN nor infinity."""
    return matrices.tril().isfinite().all(-1).all(-1)
