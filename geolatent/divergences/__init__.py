r"""Divergences and distances between Gaussians other than Fisher-Rao, on the same points.

Every function takes two batches of :class:`~geolatent.manifolds.DiagonalGaussian` or two of
:class:`~geolatent.manifolds.Gaussian`, or the corresponding objects of torch.distributions: ``Normal`` and
``Independent(Normal, 1)`` of shape (..., n) are n independent coordinates, ``MultivariateNormal`` is a ``Gaussian``; a
univariate Gaussian has n = 1. Batch shapes broadcast, the result has the broadcast batch shape, float16 and bfloat16
are computed in float32. TypeError is raised if an argument is of another type, not real floating point, or of
another family than the other one; ValueError if a shape does not fit, a scale is not positive or a covariance not
positive definite, naming the batch index.

Near pairs keep their relative accuracy, coincident ones have the derivative zero, never NaN, and everything can be
differentiated by every transform of torch. Beside the metric :math:`ds^2 = d\mu^\top \Sigma^{-1} d\mu + \frac12
\operatorname{tr} (\Sigma^{-1} d\Sigma)^2` of Fisher and Rao, infinitesimally close Gaussians have

.. math:: \mathrm{KL} = \tfrac12 ds^2, \quad \text{Jeffreys} = ds^2, \quad D_\alpha = \tfrac\alpha2 ds^2, \quad
          D_B = \tfrac18 ds^2, \quad H^2 = \tfrac18 ds^2.
"""

from geolatent.divergences.bhattacharyya import bhattacharyya_distance, hellinger_distance
from geolatent.divergences.kullback_leibler import jeffreys_divergence, kl_divergence
from geolatent.divergences.renyi import renyi_divergence, symmetric_renyi_divergence
from geolatent.divergences.wasserstein import wasserstein_distance

__all__ = [
    "bhattacharyya_distance",
    "hellinger_distance",
    "jeffreys_divergence",
    "kl_divergence",
    "renyi_divergence",
    "symmetric_renyi_divergence",
    "wasserstein_distance",
]
