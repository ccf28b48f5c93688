"""Distance to a reference sample in units of its own spread."""

import torch
from torch import Tensor

from geolatent._checks import require_floating


class Mahalanobis:
    r"""Mahalanobis distance to the mean of a reference sample.

    .. math:: s(x) = \sqrt{(x - \mu)^\top \Sigma^{+} (x - \mu)}

    with the mean :math:`\mu` and covariance :math:`\Sigma` of the reference. Directions in which the
    reference does not vary carry no unit and are left out (:math:`\Sigma^+` is the pseudo-inverse). Computed
    in float64.

    Args:
        reference: in-distribution features, shape (n, k), n at least 2; for instance latent codes, or
            statistics of Jacobian spectra.

    Raises:
        ValueError: if the reference has another shape, fewer than two rows, or holds NaN or Inf.

    Source:
        [lee2018simple], for latent codes, with one class.

    Example:
        >>> reference = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 2.0], [0.0, -2.0]])
        >>> Mahalanobis(reference)(torch.tensor([[0.0, 0.0], [0.0, 4.0]])).round(decimals=3)
        tensor([0.0000, 2.4490], dtype=torch.float64)
    """

    def __init__(self, reference: Tensor) -> None:
        require_floating("reference", reference)
        if reference.ndim != 2 or len(reference) < 2:
            came = tuple(reference.shape)
            raise ValueError(f"reference must have shape (n, k) with n >= 2; got {came}: one row a sample")
        if not bool(reference.isfinite().all()):
            raise ValueError("reference must be finite; got NaN or Inf: drop or clamp those rows first")
        rows = reference.detach().double()
        self.mean = rows.mean(dim=0)
        self.precision = torch.linalg.pinv(torch.atleast_2d(torch.cov(rows.T)), hermitian=True)

    def __call__(self, features: Tensor) -> Tensor:
        """Distances of ``features``, shape (m, k), to the reference mean: shape (m,), float64."""
        if features.ndim != 2 or features.shape[1] != len(self.mean):
            wanted, came = len(self.mean), tuple(features.shape)
            raise ValueError(f"features must have shape (m, {wanted}) as the reference; got {came}: one row a sample")
        centred = features.detach().double() - self.mean
        return torch.einsum("mi,ij,mj->m", centred, self.precision, centred).clamp_min(0.0).sqrt()
