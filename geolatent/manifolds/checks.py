"""Checks of values: one cheap pass over the batch; what is wrong, and where, is looked for only if something is."""

import math

import torch
from torch import Tensor

from geolatent._checks import first_of
from geolatent.manifolds.components import components

LARGEST_CONDITION = 1e16
_ROUNDING = 64  # roundings that symmetry and orthonormality are allowed, as in linalg


def require_finite(name: str, point: object, event_ndims: tuple[int, ...]) -> None:
    """Raise ValueError, naming the batch index, if a component holds NaN or infinity."""
    for tensor, ndim in zip(components(point), event_ndims, strict=True):
        if not _lies_within(tensor, -math.inf, math.inf):
            good = tensor.isfinite().flatten(tensor.ndim - ndim).all(-1) if ndim else tensor.isfinite()
            came = tensor[~good][0].flatten()
            bad = came[~came.isfinite()][0].item()
            raise ValueError(
                f"{name} must be finite; {first_of(~good, 'point')} holds {bad}: drop it, or look for the division or "
                "overflow that made it"
            )


def require_positive_scale(name: str, scale: Tensor) -> None:
    """Raise ValueError, naming the batch index, unless all standard deviations (..., n) are positive and finite."""
    if not _lies_within(scale, 0, math.inf):
        good = (scale > 0) & (scale < math.inf)
        where = first_of(~good.all(-1), "point")
        coordinate = int((~good)[~good.all(-1)][0].nonzero()[0])
        value = scale[~good][0].item()
        raise ValueError(
            f"{name} must be positive and finite; {where} has {value} at coordinate {coordinate}: it holds standard "
            "deviations, so map a log-variance through exp(log_var / 2), and add a floor where they vanish"
        )


def require_covariance(name: str, covariance_matrix: Tensor) -> None:
    """Raise ValueError, naming the batch index, unless all matrices are covariances of condition <= 1e16."""
    if covariance_matrix.numel() == 0:
        return
    require_finite(name, covariance_matrix, (2,))
    _require_symmetric(name, covariance_matrix)
    factor, info = torch.linalg.cholesky_ex(covariance_matrix.detach())
    if (info != 0).any():
        bad = info != 0
        smallest = torch.linalg.eigvalsh(covariance_matrix.detach()[bad][0])[0].item()
        raise ValueError(
            f"{name} must be positive definite; {first_of(bad, 'matrix')} has smallest eigenvalue {smallest:.3g}: add "
            f"a ridge, {name} + ridge * torch.eye(n)"
        )
    _require_condition(name, covariance_matrix.detach(), factor)


def covariance_belongs(covariance_matrix: Tensor) -> Tensor:
    """Whether matrices (..., n, n) are covariances of condition <= 1e16."""
    finite = covariance_matrix.isfinite().flatten(-2).all(-1)
    harmless = torch.where(finite[..., None, None], covariance_matrix, 0.0)
    values = torch.linalg.eigvalsh(harmless)
    regular = (values[..., 0] > 0) & (values[..., -1] <= LARGEST_CONDITION * values[..., 0])
    return finite & regular & ~_asymmetric(harmless)


def orthonormal(basis: Tensor) -> Tensor:
    """Whether the columns of matrices (..., p, k) are orthonormal up to rounding."""
    p, k = basis.shape[-2:]
    identity = torch.eye(k, dtype=basis.dtype, device=basis.device)
    deviation = (basis.mT @ basis - identity).abs().flatten(-2).amax(-1)
    return deviation <= _ROUNDING * torch.finfo(basis.dtype).eps * p**0.5


def _require_symmetric(name: str, matrix: Tensor) -> None:
    bad = _asymmetric(matrix)
    if bad.any():
        worst = (matrix - matrix.mT).abs().amax((-1, -2))[bad][0].item()
        raise ValueError(
            f"{name} must be symmetric; {first_of(bad, 'matrix')} differs from its transpose by {worst:.3g}: use "
            f"({name} + {name}.mT) / 2"
        )


def _asymmetric(matrix: Tensor) -> Tensor:
    """Whether entries differ from the transposed ones by more than rounding in what they are sums of."""
    deviation = matrix.diagonal(dim1=-1, dim2=-2).abs().sqrt()
    rounding = _ROUNDING * torch.finfo(matrix.dtype).eps * deviation[..., :, None] * deviation[..., None, :]
    return ((matrix - matrix.mT).abs() > rounding).flatten(-2).any(-1)


def _require_condition(name: str, matrix: Tensor, factor: Tensor) -> None:
    """Refuse a condition beyond 1e16; eigenvalues are computed only where a bound by the determinant leaves doubt.

    The bound is cond(A) < 2 / det(A) (||A||_F / sqrt(n))^n, [guggenheimer1995simple].
    """
    n = matrix.shape[-1]
    log_det = 2 * factor.diagonal(dim1=-1, dim2=-2).log().sum(-1)
    log_norm = torch.linalg.matrix_norm(matrix).log()
    doubtful = math.log(2) - log_det + n * (log_norm - math.log(n) / 2) > math.log(LARGEST_CONDITION)
    if not doubtful.any():
        return
    values = torch.linalg.eigvalsh(matrix[doubtful])
    excessive = values[:, -1] > LARGEST_CONDITION * values[:, 0]
    if excessive.any():
        bad = torch.zeros_like(doubtful).masked_scatter(doubtful, excessive)
        low, high = values[excessive][0, 0].item(), values[excessive][0, -1].item()
        raise ValueError(
            f"{name} must have condition at most {LARGEST_CONDITION:g}; {first_of(bad, 'matrix')} has eigenvalues from "
            f"{low:.3g} to {high:.3g}: add a ridge, or drop the directions without variance"
        )


def _lies_within(tensor: Tensor, low: float, high: float) -> bool:
    """Whether low < entry < high for all entries; False if one is NaN."""
    if tensor.numel() == 0:
        return True
    smallest, largest = torch.aminmax(tensor.detach())
    return low < smallest.item() and largest.item() < high
