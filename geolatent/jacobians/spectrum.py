"""Eigenvalues of many Jacobians and the statistics that describe them, in float64."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False, repr=False)
class Spectrum:
    r"""Eigenvalues of N real d x d matrices and their statistics.

    All statistics are float64. :math:`\log|\lambda|` of an exact zero is :math:`-\infty`: the geometric mean
    of that sample is 0, and its standard deviation is undetermined (NaN).

    Args:
        eigenvalues: shape (N, d), complex (or real) floating point, each row the spectrum of one real matrix.
        rtol: the sign of a determinant is undetermined where min|lambda| <= rtol max|lambda|; by default d
            times the machine epsilon of the eigenvalues' precision.
    """

    eigenvalues: Tensor
    rtol: float | None = None

    def __post_init__(self) -> None:
        eigenvalues = self.eigenvalues
        if not isinstance(eigenvalues, Tensor):
            raise TypeError(f"eigenvalues must be a torch.Tensor; got {type(eigenvalues).__name__}")
        if not (eigenvalues.is_complex() or eigenvalues.is_floating_point()):
            raise TypeError(f"eigenvalues must be complex or real floating point; got {eigenvalues.dtype}")
        if eigenvalues.ndim != 2 or eigenvalues.shape[1] == 0:
            raise ValueError(
                f"eigenvalues must have shape (N, d) with d >= 1; got {tuple(eigenvalues.shape)}: "
                f"reshape to one spectrum a row"
            )
        if self.rtol is not None and not self.rtol >= 0:
            raise ValueError(f"rtol must be at least 0; got {self.rtol}")

    def __len__(self) -> int:
        return len(self.eigenvalues)

    def __repr__(self) -> str:
        n_samples, latent_dim = self.eigenvalues.shape
        if n_samples == 0:
            return f"Spectrum(0 samples of {latent_dim} eigenvalues)"
        means = f"arithmetic {_mean(self.arithmetic_mean):.4g}, geometric {_mean(self.geometric_mean):.4g}"
        return (
            f"Spectrum({n_samples} samples of {latent_dim} eigenvalues, {self.eigenvalues.dtype}: "
            f"mean |lambda| {means})"
        )

    @property
    def modulus(self) -> Tensor:
        r"""Moduli :math:`|\lambda|`, shape (N, d)."""
        return self._wide().abs()

    @property
    def log_modulus(self) -> Tensor:
        r"""Logarithms :math:`\log|\lambda|`, shape (N, d); -inf for an exact zero."""
        return self.modulus.log()

    @property
    def argument(self) -> Tensor:
        r"""Angles :math:`|\mathrm{Arg}\,\lambda|` in radians, shape (N, d), between 0 and pi; 0 for an exact zero."""
        return torch.where(self.modulus == 0, 0.0, self._wide().angle().abs())

    @property
    def arithmetic_mean(self) -> Tensor:
        r"""Mean of :math:`|\lambda|` over each sample's eigenvalues, shape (N,)."""
        return self.modulus.mean(-1)

    @property
    def geometric_mean(self) -> Tensor:
        r"""Geometric mean of :math:`|\lambda|`, that is :math:`|\det|^{1/d}`, shape (N,)."""
        return self.log_modulus.mean(-1).exp()

    @property
    def std_log_modulus(self) -> Tensor:
        r"""Population standard deviation of :math:`\log|\lambda|` over each sample's eigenvalues, shape (N,)."""
        log_modulus = self.log_modulus
        return (log_modulus - log_modulus.mean(-1, keepdim=True)).square().mean(-1).sqrt()

    @property
    def orientation(self) -> Tensor:
        r"""Sign of the product of the eigenvalues, shape (N,), int64; -1 reverses, 0 is undetermined.

        For a real matrix it is the parity of the negative real eigenvalues: conjugate pairs multiply to
        :math:`|\lambda|^2`.
        """
        negative = (self._wide().imag == 0) & (self._wide().real < 0)
        sign = 1 - 2 * (negative.sum(-1) % 2)
        modulus = self.modulus
        rtol = self.rtol
        if rtol is None:
            rtol = self.eigenvalues.shape[1] * torch.finfo(self.eigenvalues.dtype).eps
        determined = modulus.amin(-1) > rtol * modulus.amax(-1)
        return torch.where(determined, sign, 0)

    def summary(self) -> dict[str, float]:
        """Statistics of the whole set.

        Means are over samples where the statistic is finite. ``pooled_*`` treat all N d eigenvalues as one
        set, the pooled standard deviation without exact zeros. ``reversed_fraction`` is among the samples
        whose orientation is determined. Counts say how many samples were left out. Statistics of an empty set
        are NaN.
        """
        log_modulus, orientation = self.log_modulus, self.orientation
        determined = orientation != 0
        return {
            "n_samples": float(len(self)),
            "latent_dim": float(self.eigenvalues.shape[1]),
            "arithmetic_mean": _mean(self.arithmetic_mean),
            "geometric_mean": _mean(self.geometric_mean),
            "std_log_modulus": _mean(self.std_log_modulus),
            "argument": _mean(self.argument),
            "pooled_geometric_mean": float(log_modulus[~log_modulus.isnan()].mean().exp()),
            "pooled_std_log_modulus": _finite(log_modulus, lambda values: values.std(correction=0)),
            "reversed_fraction": _mean((orientation[determined] < 0).double()),
            "n_undetermined_orientation": float((~determined).sum()),
            "n_undetermined_std": float((~self.std_log_modulus.isfinite()).sum()),
        }

    def _wide(self) -> Tensor:
        return self.eigenvalues.detach().to(torch.complex128)


class SpectrumPair(NamedTuple):
    """Spectra of J_I (``input``) and J_L (``latent``) at the same samples."""

    input: Spectrum
    latent: Spectrum

    @property
    def squared_difference(self) -> Tensor:
        r"""Squared distance of the two sorted spectra a dimension, shape (N,), float64.

        .. math:: \|\lambda_I - \lambda_L\|^2 / d
        """
        difference = self.input.eigenvalues.to(torch.complex128) - self.latent.eigenvalues.to(torch.complex128)
        return difference.abs().square().mean(-1)


def summarize(eigenvalues: Tensor) -> dict[str, float]:
    """Statistics of a set of spectra.

    Args:
        eigenvalues: shape (N, d), complex; or a :class:`Spectrum`'s ``.eigenvalues``.

    Returns:
        The dictionary of :meth:`Spectrum.summary`.

    Example:
        >>> import torch
        >>> summarize(torch.tensor([[2.0, -0.5]]))["geometric_mean"]
        1.0
    """
    return Spectrum(eigenvalues).summary()


def _mean(values: Tensor) -> float:
    return _finite(values, torch.mean)


def _finite(values: Tensor, statistic: Callable[[Tensor], Tensor]) -> float:
    """The statistic of the finite values; NaN where there are none."""
    values = values[values.isfinite()]
    return float(statistic(values)) if len(values) else float("nan")
