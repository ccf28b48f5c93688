"""Kullback-Leibler and Jeffreys divergences."""

from typing import Any

import torch
from torch import Tensor

from geolatent.divergences.pairs import AnyGaussian, gaussian_pair
from geolatent.divergences.relative import exponential_gap, log_det_gap, log_ratio, relative_factor
from geolatent.manifolds import DiagonalGaussian


def kl_divergence(p: AnyGaussian, q: AnyGaussian) -> Tensor:
    r"""Kullback-Leibler divergence of q from p, in nats.

    .. math:: \mathrm{KL}(p \,\|\, q) = \tfrac12 \left[ \operatorname{tr}(\Sigma_q^{-1} \Sigma_p) - n -
              \log\frac{\det\Sigma_p}{\det\Sigma_q} + (\mu_p - \mu_q)^\top \Sigma_q^{-1} (\mu_p - \mu_q) \right]

    Args:
        p: Gaussians.
        q: Gaussians of the same family; batch shapes broadcast.

    Returns:
        Divergences, of the broadcast batch shape.

    Accuracy:
        Relative error at most about 50 n eps cond(Sigma_q), near and far; 50 eps for diagonal Gaussians.

    Source:
        [gil2013renyi]; the logarithm and the trace are combined pivot by pivot of the Cholesky
        factor, so that no digits cancel.

    >>> from geolatent.manifolds import DiagonalGaussian
    >>> p = DiagonalGaussian(torch.tensor([1.0]), torch.tensor([1.0]))
    >>> kl_divergence(p, DiagonalGaussian(torch.tensor([0.0]), torch.tensor([1.0])))
    tensor(0.5000)
    """
    first, second, dtype = gaussian_pair(p, q)
    return directed(first, second).to(dtype)


def jeffreys_divergence(p: AnyGaussian, q: AnyGaussian) -> Tensor:
    r"""Jeffreys divergence: the sum (not the mean) of the Kullback-Leibler divergences in both directions.

    .. math:: J(p, q) = \mathrm{KL}(p \,\|\, q) + \mathrm{KL}(q \,\|\, p)

    Its root is an upper bound of the Fisher-Rao distance.

    Args:
        p: Gaussians.
        q: Gaussians of the same family; batch shapes broadcast.

    Returns:
        Divergences, of the broadcast batch shape.

    Accuracy:
        Relative error at most about 50 n eps max(cond(Sigma_p), cond(Sigma_q)); 50 eps for diagonal Gaussians.

    Source:
        [jeffreys1946invariant].

    >>> from geolatent.manifolds import DiagonalGaussian
    >>> p = DiagonalGaussian(torch.tensor([1.0]), torch.tensor([1.0]))
    >>> jeffreys_divergence(p, DiagonalGaussian(torch.tensor([0.0]), torch.tensor([1.0])))
    tensor(1.)
    """
    first, second, dtype = gaussian_pair(p, q)
    return (directed(first, second) + directed(second, first)).to(dtype)


def directed(p: Any, q: Any) -> Tensor:
    """Kullback-Leibler divergence of prepared points of one family."""
    if isinstance(p, DiagonalGaussian):
        spread = exponential_gap(2 * log_ratio(p.scale, q.scale)).sum(-1)
        standardised = (p.loc - q.loc) / q.scale
    else:
        spread = log_det_gap(relative_factor(p.covariance_matrix, q.covariance_matrix))
        standardised = whitened_mean(p.loc - q.loc, q.covariance_matrix)
    return (spread + standardised.square().sum(-1)) / 2


def whitened_mean(difference: Tensor, covariance: Tensor) -> Tensor:
    r"""Return :math:`L^{-1} \delta` with L the Cholesky factor of the covariance."""
    factor = torch.linalg.cholesky(covariance)
    return torch.linalg.solve_triangular(factor, difference[..., None], upper=False)[..., 0]
