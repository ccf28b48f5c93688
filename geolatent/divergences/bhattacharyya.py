"""Bhattacharyya and Hellinger distances."""

import torch
from torch import Tensor

from geolatent.divergences.pairs import AnyGaussian, gaussian_pair
from geolatent.divergences.renyi import directed
from geolatent.manifolds.smooth import root


def bhattacharyya_distance(p: AnyGaussian, q: AnyGaussian) -> Tensor:
    r"""Bhattacharyya distance, half the Renyi divergence of order 1/2; it has no triangle inequality.

    .. math:: D_B(p, q) = -\log \int \sqrt{p q} = \tfrac18 \delta^\top \bar\Sigma^{-1} \delta
              + \tfrac12 \log \frac{\det\bar\Sigma}{\sqrt{\det\Sigma_p \det\Sigma_q}}, \qquad
              \bar\Sigma = \tfrac12 (\Sigma_p + \Sigma_q)

    Args:
        p: Gaussians.
        q: Gaussians of the same family; batch shapes broadcast.

    Returns:
        Distances, of the broadcast batch shape.

    Accuracy:
        Relative error at most about 50 n eps cond, near and far, with cond the larger condition of the two covariances;
        50 eps for diagonal Gaussians.

    Source:
        [kailath1967divergence].

    >>> from geolatent.manifolds import DiagonalGaussian
    >>> p = DiagonalGaussian(torch.tensor([2.0]), torch.tensor([1.0]))
    >>> bhattacharyya_distance(p, DiagonalGaussian(torch.tensor([0.0]), torch.tensor([1.0])))
    tensor(0.5000)
    """
    first, second, dtype = gaussian_pair(p, q)
    return (directed(first, second, 0.5) / 2).to(dtype)


def hellinger_distance(p: AnyGaussian, q: AnyGaussian) -> Tensor:
    r"""Hellinger distance, a metric with values in [0, 1].

    .. math:: H(p, q) = \sqrt{1 - e^{-D_B(p, q)}}, \qquad
              H^2 = \tfrac12 \int \left( \sqrt p - \sqrt q \right)^2

    Args:
        p: Gaussians.
        q: Gaussians of the same family; batch shapes broadcast.

    Returns:
        Distances, of the broadcast batch shape; the gradient at coincident points is the subgradient zero.

    Accuracy:
        Relative error at most about 50 n eps cond, near and far, with cond the larger condition of the two covariances;
        50 eps for diagonal Gaussians.

    Source:
        [kailath1967divergence].

    >>> from geolatent.manifolds import DiagonalGaussian
    >>> p = DiagonalGaussian(torch.tensor([2.0]), torch.tensor([1.0]))
    >>> hellinger_distance(p, DiagonalGaussian(torch.tensor([0.0]), torch.tensor([1.0])))
    tensor(0.6273)
    """
    first, second, dtype = gaussian_pair(p, q)
    return root(-torch.expm1(-directed(first, second, 0.5) / 2)).to(dtype)
