"""Gaussians of one variable with the Fisher-Rao metric: the hyperbolic plane of curvature -1/2."""

from torch.distributions import Distribution, Normal

from geolatent.manifolds.diagonal_gaussians import DiagonalGaussians
from geolatent.manifolds.points import DiagonalGaussian


class UnivariateGaussians(DiagonalGaussians):
    r"""Gaussians :math:`N(\mu, \sigma^2)` of one variable.

    .. math::
        ds^2 = \frac{d\mu^2 + 2 \, d\sigma^2}{\sigma^2}, \qquad
        d(a, b) = \sqrt 2 \operatorname{arcosh}\left(1 +
            \frac{(\mu_a - \mu_b)^2 / 2 + (\sigma_a - \sigma_b)^2}{2 \sigma_a \sigma_b}\right)

    This is the Fisher information metric, at the scale
    :math:`ds^2 = d\mu^T \Sigma^{-1} d\mu + \frac12 \operatorname{tr}((\Sigma^{-1} d\Sigma)^2)`; its sectional curvature
    is -1/2. The same as ``DiagonalGaussians(1)``, except that a ``Normal`` of any batch shape is a batch of points.

    Points and tangent vectors are `DiagonalGaussian` tuples of shape (..., 1), (..., 1).

    Accuracy:
        As `DiagonalGaussians`.

    Source:
        [costa2015fisher]; half-plane: [beardon1983geometry], theorem 7.2.1.

    >>> from torch.distributions import Normal
    >>> UnivariateGaussians().dist(Normal(0.0, 1.0), Normal(1.0, 2.0))
    tensor(1.1894)
    """

    def __init__(self) -> None:
        super().__init__(1)

    def __repr__(self) -> str:
        return "UnivariateGaussians()"

    def _from_distribution(self, distribution: Distribution) -> DiagonalGaussian:
        if isinstance(distribution, Normal):
            return DiagonalGaussian(distribution.loc[..., None], distribution.scale[..., None])
        return super()._from_distribution(distribution)
