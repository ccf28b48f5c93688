"""Checks of the values of matrices; errors name the first matrix of a batch that fails, and the remedy."""

import torch
from torch import Tensor

from geolatent._checks import first_of

_ROUNDING = 64  # roundings that symmetry and orthonormality are allowed


def require_symmetric(name: str, matrix: Tensor) -> None:
    """Raise ValueError unless all matrices (..., d, d) are finite and symmetric up to rounding."""
    matrix = matrix.detach()
    if torch.equal(matrix, matrix.mT) and bool(matrix.sum().isfinite()):
        return  # two cheap passes answer for nearly every batch
    _require_finite(name, matrix)
    size = matrix.abs().amax((-1, -2))
    difference = (matrix - matrix.mT).abs().amax((-1, -2))
    bad = difference > _ROUNDING * torch.finfo(matrix.dtype).eps * size
    if bad.any():
        raise ValueError(
            f"{name} must be symmetric; {first_of(bad, 'matrix')} differs from its transpose by "
            f"{difference[bad][0].item():.3g}: use ({name} + {name}.mT) / 2"
        )


def require_positive(name: str, values: Tensor) -> None:
    """Raise ValueError unless all ascending eigenvalues (..., d) are positive."""
    if values.numel() == 0:
        return
    bad = ~(values[..., 0] > 0)
    if bad.any():
        raise ValueError(
            f"{name} must be positive definite; {first_of(bad, 'matrix')} has smallest eigenvalue "
            f"{values[..., 0][bad][0].item():.3g}: add a ridge, {name} + ridge * torch.eye(d)"
        )


def require_orthonormal(name: str, basis: Tensor) -> None:
    """Raise ValueError unless the columns of all matrices (..., p, k) are finite and orthonormal up to rounding."""
    basis = basis.detach()
    if basis.numel() == 0:
        return
    p, k = basis.shape[-2:]
    identity = torch.eye(k, dtype=basis.dtype, device=basis.device)
    deviation = (basis.mT @ basis - identity).abs().amax((-1, -2))
    bad = ~(deviation <= _ROUNDING * torch.finfo(basis.dtype).eps * p**0.5)
    if bad.any():
        _require_finite(name, basis)
        raise ValueError(
            f"{name} must have orthonormal columns; {name}.mT @ {name} of {first_of(bad, 'matrix')} differs from the "
            f"identity by {deviation[bad][0].item():.3g}: use torch.linalg.qr({name}).Q, after any change of dtype too"
        )


def _require_finite(name: str, matrix: Tensor) -> None:
    bad = ~matrix.isfinite().all(-1).all(-1)
    if bad.any():
        entries = matrix[bad][0].flatten()
        came = entries[~entries.isfinite()][0].item()
        raise ValueError(
            f"{name} must be finite; {first_of(bad, 'matrix')} holds {came}: drop it, or look for the division or "
            "overflow that made it"
        )
