"""Checks of the values of positive semidefinite matrices and of their ranks."""

import torch
from torch import Tensor

from geolatent._checks import first_of
from geolatent.linalg import eigvalsh
from geolatent.linalg.checks import require_symmetric
from geolatent.linalg.matrix_function import symmetric_part

_ROUNDING = 64


def require_rank(name: str, matrix: Tensor, least: int, greatest: int, rtol: float) -> None:
    """Raise ValueError unless matrices (..., p, p) are finite, symmetric, semidefinite and of a rank in the range."""
    if matrix.numel() == 0:
        return
    require_symmetric(name, matrix)
    values = eigvalsh(symmetric_part(matrix.detach()))
    tolerance = _tolerance(values, rtol)
    negative = values[..., 0] < -tolerance
    if negative.any():
        raise ValueError(
            f"{name} must be positive semidefinite; {first_of(negative, 'matrix')} has smallest eigenvalue "
            f"{values[..., 0][negative][0].item():.3g}: clip its spectrum at zero, or add a ridge"
        )
    ranks = _ranks(values, rtol)
    few, many = ranks < least, ranks > greatest
    if many.any():
        rank = int(ranks[many][0])
        raise ValueError(
            f"{name} must have rank at most {greatest}; {first_of(many, 'matrix')} has rank {rank}: use "
            f"FixedRankSPSD(p, {rank}, cross_rank='truncate'), or raise rtol = {rtol:.3g} if its smallest eigenvalues "
            "are noise"
        )
    if few.any():
        rank = int(ranks[few][0])
        remedy = "drop it" if rank == 0 else "pass cross_rank='truncate' or 'schubert' for distances of unequal ranks"
        wanted = f"rank {greatest}" if least == greatest else "positive rank"
        raise ValueError(
            f"{name} must have {wanted}; {first_of(few, 'matrix')} has rank {rank}: {remedy}, or lower rtol = "
            f"{rtol:.3g} if smaller eigenvalues count"
        )


def spsd_belongs(matrix: Tensor, least: int, greatest: int, rtol: float) -> Tensor:
    """Whether matrices (..., p, p) are finite, symmetric, semidefinite and of a rank in the range."""
    finite = matrix.isfinite().flatten(-2).all(-1)
    harmless = torch.where(finite[..., None, None], matrix, 0.0)
    size, difference = (x.abs().flatten(-2).amax(-1) for x in (harmless, harmless - harmless.mT))
    values = eigvalsh(symmetric_part(harmless))
    ranks = _ranks(values, rtol)
    even = difference <= _ROUNDING * torch.finfo(matrix.dtype).eps * size
    return finite & even & (values[..., 0] >= -_tolerance(values, rtol)) & (ranks >= least) & (ranks <= greatest)


def _tolerance(values: Tensor, rtol: float) -> Tensor:
    """Size of eigenvalues that count as zero, at least what rounding leaves."""
    rounding = _ROUNDING * torch.finfo(values.dtype).eps
    return max(rtol, rounding) * values.abs().amax(-1)


def _ranks(values: Tensor, rtol: float) -> Tensor:
    return (values > rtol * values[..., -1:].clamp_min(0.0)).sum(-1)
