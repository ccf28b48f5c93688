"""Ranks of positive semidefinite matrices, and how many samples lie on each stratum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from geolatent._checks import first_of, require_floating, require_square
from geolatent.embeddings.tensors import tensor_to_spsd
from geolatent.linalg import eigvalsh
from geolatent.linalg.checks import require_symmetric

if TYPE_CHECKING:
    import pandas as pd

FLOAT32_RESOLUTION = 1.19e-7


class Stratification(NamedTuple):
    """On which stratum each sample lies: samples of equal ranks lie on one."""

    ranks: Tensor
    """Ranks of each sample's matrices, shape (N, m), int64."""
    strata: Tensor
    """The rank tuples that occur, the most frequent first, shape (M, m)."""
    counts: Tensor
    """How many samples lie on each, shape (M,)."""
    eigenvalues: tuple[Tensor, ...]
    """The whole spectra, ascending, float64: one tensor (N, p) a matrix."""

    def table(self) -> pd.DataFrame:
        """One row a stratum: its ranks, the number of samples on it and their share."""
        import pandas as pd

        table = pd.DataFrame(self.strata.cpu().numpy())
        table.columns = pd.Index([f"rank of S{k}" for k in range(1, self.ranks.shape[1] + 1)])
        table["samples"] = self.counts.cpu().numpy()
        table["share"] = table["samples"] / len(self.ranks)
        return table


def numerical_rank(S: Tensor, rtol: float | None = None) -> Tensor:
    r"""Number of eigenvalues above ``rtol`` times the largest.

    .. math:: \#\{ i : \lambda_i > \text{rtol} \cdot \lambda_{\max} \}

    Args:
        S: symmetric positive semidefinite matrices, shape (..., p, p).
        rtol: if left out, p times 1.19e-7, the resolution of float32: right for data of a float32 network, even where
            S was computed in float64. For data exact in float64 give p times 2.2e-16.

    Returns:
        Ranks, shape (...), int64; 0 for a matrix of zeros.

    Raises:
        TypeError: if S is not real floating point.
        ValueError: if a matrix is not finite, not symmetric or has an eigenvalue below minus the tolerance, or if rtol
            does not lie in [0, 1).

    >>> numerical_rank(torch.diag(torch.tensor([1.0, 1e-3, 1e-12])))
    tensor(2)
    """
    return _ranks(_spectrum("S", S, rtol), rtol)


def stratification(Z_or_S: Tensor | Sequence[Tensor], rtol: float | None = None) -> Stratification:
    """How many samples lie on each stratum, a tuple of ranks.

    Args:
        Z_or_S: one tensor of at least four dimensions is read as latent tensors (..., h, w, c), channels last, whose
            unfoldings' covariances are taken in float64; one of two or three as symmetric positive semidefinite
            matrices, (p, p) or (N, p, p); a sequence always as such matrices, tensors (..., p, p) of one batch shape,
            as :func:`tensor_to_spsd` returns them. Batch dimensions are flattened to N samples.
        rtol: as in :func:`numerical_rank`, of every matrix; if left out, each has its own.

    Returns:
        Ranks and spectra of every sample, and the count of each stratum.

    Raises:
        TypeError: if a tensor is not real floating point.
        ValueError: if there is no sample, batch shapes differ, a matrix is not positive semidefinite, or a tensor of
            four dimensions or more could be either, its slices (w, c) being symmetric matrices.

    Source:
        [shrivastava2024latent].

    >>> flat = torch.zeros(3, 7, 7, 128)
    >>> flat[1:] = torch.rand(2, 7, 7, 128, generator=torch.Generator().manual_seed(0))
    >>> print(stratification(flat).table().to_string(index=False))
     rank of S1  rank of S2  rank of S3  samples    share
              7           7          48        2 0.666667
              0           0           0        1 0.333333
    """
    matrices = _matrices(Z_or_S)
    batches = {tuple(S.shape[:-2]) for S in matrices}
    if len(batches) > 1:
        raise ValueError(f"the matrices must have one batch shape; got {sorted(batches)}: one matrix a sample in each")
    if 0 in next(iter(batches)):
        raise ValueError(f"Z_or_S must hold at least one sample; got batch shape {batches.pop()}: check its source")
    spectra = tuple(_spectrum(f"S{k}", S, rtol).reshape(-1, S.shape[-1]) for k, S in enumerate(matrices, 1))
    ranks = torch.stack([_ranks(values, rtol) for values in spectra], -1)
    strata, counts = ranks.unique(dim=0, return_counts=True)
    order = counts.argsort(descending=True, stable=True)
    return Stratification(ranks, strata[order], counts[order], spectra)


def _matrices(Z_or_S: Tensor | Sequence[Tensor]) -> Sequence[Tensor]:
    if not isinstance(Z_or_S, Tensor):
        if not isinstance(Z_or_S, tuple | list):
            came = type(Z_or_S).__name__
            raise TypeError(f"Z_or_S must be a torch.Tensor or a list of them; got {came}: wrap it in torch.as_tensor")
        if not Z_or_S:
            raise ValueError("Z_or_S must hold at least one tensor of matrices; got none: give (S1, S2, S3)")
        return Z_or_S
    require_floating("Z_or_S", Z_or_S)
    square = Z_or_S.ndim >= 2 and Z_or_S.shape[-1] == Z_or_S.shape[-2]
    if Z_or_S.ndim >= 4:
        if square and bool(Z_or_S.any()) and torch.equal(Z_or_S, Z_or_S.mT):
            raise ValueError(
                f"Z_or_S must not leave open what it holds; got symmetric slices, shape {tuple(Z_or_S.shape)}: give "
                "matrices as (S,) or S.flatten(0, -3), latent tensors as tensor_to_spsd(Z)"
            )
        return tensor_to_spsd(Z_or_S.double())
    if square and (Z_or_S.ndim == 2 or _nearly_symmetric(Z_or_S)):
        return [Z_or_S]
    raise ValueError(
        f"Z_or_S must be latent tensors (N, h, w, c) or symmetric matrices (N, p, p); got {tuple(Z_or_S.shape)}: "
        "give a single latent tensor as Z[None]"
    )


def _nearly_symmetric(S: Tensor) -> bool:
    """Whether slices are meant to be symmetric: those of a latent tensor are not, by far."""
    return not bool(((S - S.mT).abs() > 1e-2 * S.abs().amax()).any())


def _spectrum(name: str, S: Tensor, rtol: float | None) -> Tensor:
    """Ascending eigenvalues (..., p) in float64."""
    require_floating(name, S)
    require_square(name, S)
    require_symmetric(name, S)
    values = eigvalsh(S.detach().double())
    tolerance = _tolerance(values, rtol)
    bad = values[..., 0] < -tolerance
    if bad.any():
        raise ValueError(
            f"{name} must be positive semidefinite; {first_of(bad, 'matrix')} has smallest eigenvalue "
            f"{values[..., 0][bad][0].item():.3g}, largest {values[..., -1][bad][0].item():.3g}: add a ridge, or raise "
            "rtol if that is rounding"
        )
    return values


def _ranks(values: Tensor, rtol: float | None) -> Tensor:
    return (values > _tolerance(values, rtol)[..., None]).sum(-1)


def _tolerance(values: Tensor, rtol: float | None) -> Tensor:
    if rtol is None:
        rtol = values.shape[-1] * FLOAT32_RESOLUTION
    if not 0 <= rtol < 1:
        raise ValueError(f"rtol must lie in [0, 1); got {rtol}: it is relative to the largest eigenvalue")
    return rtol * values.abs().amax(-1)
