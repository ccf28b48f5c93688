"""Renyi divergences."""

import math
from numbers import Real
from typing import Any

import torch
from torch import Tensor

from geolatent.divergences.kullback_leibler import directed as kullback_leibler
from geolatent.divergences.pairs import AnyGaussian, gaussian_pair
from geolatent.divergences.relative import (
    exponential_gap,
    factor_near_identity,
    is_near,
    log_det_gap,
    log_ratio,
    relative_factor,
    whiten,
)
from geolatent.manifolds import DiagonalGaussian

_LARGEST_EXPONENT = 80.0  # its exponential is far, and finite in float32


def renyi_divergence(p: AnyGaussian, q: AnyGaussian, alpha: float) -> Tensor:
    r"""Renyi divergence of order alpha, in nats.

    .. math::

        D_\alpha(p \,\|\, q) &= \frac{1}{\alpha - 1} \log \int p^\alpha q^{1 - \alpha}
        = \frac\alpha2 \delta^\top \Sigma_\alpha^{-1} \delta
        + \frac{1}{2 (1 - \alpha)} \log \frac{\det\Sigma_\alpha}{(\det\Sigma_p)^{1 - \alpha} (\det\Sigma_q)^\alpha}, \\
        \Sigma_\alpha &= \alpha \Sigma_q + (1 - \alpha) \Sigma_p, \qquad \delta = \mu_p - \mu_q.

    For alpha = 1 it is the Kullback-Leibler divergence, its limit. For alpha > 1 the integral diverges unless
    :math:`\Sigma_\alpha` is positive definite: the result is then infinity, with derivative zero.

    Args:
        p: Gaussians.
        q: Gaussians of the same family; batch shapes broadcast.
        alpha: the order, positive.

    Returns:
        Divergences, of the broadcast batch shape; finite for 0 < alpha <= 1.

    Raises:
        TypeError: if alpha is not a real number.
        ValueError: if alpha is not positive and finite.

    Accuracy:
        Relative error at most about 50 n eps cond, near and far, for 0 < alpha <= 1, with cond the larger condition of
        the two covariances; 50 eps for diagonal Gaussians. Beyond 1 the condition of :math:`\Sigma_\alpha` comes in.

    Source:
        [gil2013renyi]; [vanerven2014renyi], eq. (10). Orders below 1/2 by skew symmetry,
        :math:`D_\alpha(p \| q) = \frac{\alpha}{1 - \alpha} D_{1 - \alpha}(q \| p)`, ibid., proposition 2.

    >>> from geolatent.manifolds import DiagonalGaussian
    >>> narrow = DiagonalGaussian(torch.tensor([0.0]), torch.tensor([1.0]))
    >>> wide = DiagonalGaussian(torch.tensor([0.0]), torch.tensor([2.0]))
    >>> renyi_divergence(narrow, wide, 2.0), renyi_divergence(wide, narrow, 2.0)
    (tensor(0.4133), tensor(inf))
    """
    _require_order(alpha)
    first, second, dtype = gaussian_pair(p, q)
    return directed(first, second, float(alpha)).to(dtype)


def symmetric_renyi_divergence(p: AnyGaussian, q: AnyGaussian, alpha: float) -> Tensor:
    r"""Mean of the Renyi divergences of order alpha in both directions.

    .. math:: \tfrac12 \left[ D_\alpha(p \,\|\, q) + D_\alpha(q \,\|\, p) \right]

    For alpha = 1 it is half the Jeffreys divergence; for alpha = 1/2, where the two directions agree, twice the
    Bhattacharyya distance.

    Args:
        p: Gaussians.
        q: Gaussians of the same family; batch shapes broadcast.
        alpha: the order, positive.

    Returns:
        Divergences, of the broadcast batch shape; infinite where one direction is.

    Raises:
        TypeError: if alpha is not a real number.
        ValueError: if alpha is not positive and finite.

    Accuracy:
        That of :func:`renyi_divergence`.

    >>> from geolatent.manifolds import DiagonalGaussian
    >>> p = DiagonalGaussian(torch.tensor([2.0]), torch.tensor([1.0]))
    >>> symmetric_renyi_divergence(p, DiagonalGaussian(torch.tensor([0.0]), torch.tensor([1.0])), 0.5)
    tensor(1.)
    """
    _require_order(alpha)
    first, second, dtype = gaussian_pair(p, q)
    return ((directed(first, second, float(alpha)) + directed(second, first, float(alpha))) / 2).to(dtype)


def directed(p: Any, q: Any, alpha: float) -> Tensor:
    """Renyi divergence of prepared points of one family."""
    if alpha == 1:
        return kullback_leibler(p, q)
    if alpha < 0.5:
        return alpha / (1 - alpha) * directed(q, p, 1 - alpha)
    return _diagonal(p, q, alpha) if isinstance(p, DiagonalGaussian) else _full(p, q, alpha)


def _diagonal(p: DiagonalGaussian, q: DiagonalGaussian, alpha: float) -> Tensor:
    rest = 1 - alpha
    u = 2 * log_ratio(p.scale, q.scale)
    growth = rest * u.clamp(max=_LARGEST_EXPONENT).expm1()  # of the mixed variance over that of q
    finite = growth > -1
    if rest > 0:
        mixture = torch.hypot(math.sqrt(alpha) * q.scale, math.sqrt(rest) * p.scale)
    else:
        mixture = q.scale * torch.where(finite, 1 + growth, 1.0).sqrt()
    near = growth.abs() < 0.5
    v_near = torch.where(near, growth, 0.0).log1p()
    v_far = 2 * (mixture.log() - q.scale.log())
    gap = torch.where(
        near, exponential_gap(torch.where(near, u, 0.0)) - exponential_gap(v_near) / rest, v_far / rest - u
    )
    value = (gap + alpha * ((p.loc - q.loc) / mixture).square()).sum(-1) / 2
    return torch.where(finite.all(-1), value, math.inf)


def _full(p: Any, q: Any, alpha: float) -> Tensor:
    rest = 1 - alpha
    factor_p, factor_q = torch.linalg.cholesky(p.covariance_matrix), torch.linalg.cholesky(q.covariance_matrix)
    mixture, finite = _mixture_factor(p.covariance_matrix, q.covariance_matrix, alpha)
    growth = rest * whiten(p.covariance_matrix - q.covariance_matrix, factor_q)
    near = is_near(growth)
    growth = torch.where(near[..., None, None], growth, 0.0)
    gap_near = log_det_gap(relative_factor(p.covariance_matrix, q.covariance_matrix))
    gap_near = gap_near - log_det_gap(factor_near_identity(growth)) / rest
    gap_far = (_log_det(mixture) - _log_det(factor_q)) / rest - (_log_det(factor_p) - _log_det(factor_q))
    delta = torch.linalg.solve_triangular(mixture, (p.loc - q.loc)[..., None], upper=False)
    value = (torch.where(near, gap_near, gap_far) + alpha * delta.square().sum((-1, -2))) / 2
    return torch.where(finite, value, math.inf)


def _mixture_factor(covariance_p: Tensor, covariance_q: Tensor, alpha: float) -> tuple[Tensor, Tensor]:
    """Cholesky factor of the mixed covariance where that is positive definite, of q elsewhere; and where it is."""
    mixture = alpha * covariance_q + (1 - alpha) * covariance_p
    if alpha < 1:
        factor = torch.linalg.cholesky(mixture)
        return factor, torch.ones_like(factor[..., 0, 0], dtype=torch.bool)
    finite = torch.linalg.cholesky_ex(mixture.detach()).info == 0
    return torch.linalg.cholesky(torch.where(finite[..., None, None], mixture, covariance_q)), finite


def _log_det(factor: Tensor) -> Tensor:
    return 2 * factor.diagonal(dim1=-1, dim2=-2).log().sum(-1)


def _require_order(alpha: float) -> None:
    if not isinstance(alpha, Real) or isinstance(alpha, bool):
        raise TypeError(f"alpha must be a real number; got {type(alpha).__name__}: give one order for the whole batch")
    if not 0 < alpha < math.inf:
        raise ValueError(f"alpha must be positive and finite; got {alpha}: alpha = 1 gives Kullback-Leibler")
