"""Paths between posteriors of a variational autoencoder."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.distributions import Distribution, LowRankMultivariateNormal, MultivariateNormal

from geolatent._checks import require_floating
from geolatent.manifolds import DiagonalGaussian, DiagonalGaussians, Gaussian, Manifold, MultivariateGaussians


class PosteriorPath(NamedTuple):
    """A path between two posteriors, and what a decoder makes of it."""

    t: Tensor
    """Times from 0 to 1, shape (steps,)."""
    posterior: DiagonalGaussian | Gaussian
    """The posteriors along the path, batch shape (steps, ...)."""
    images: Tensor | None
    """The decoder's answer at the means, shape (steps, ...) + output shape; None without a decoder."""


def interpolate_posteriors(
    posterior_a: DiagonalGaussian | Gaussian | Distribution,
    posterior_b: DiagonalGaussian | Gaussian | Distribution,
    decoder: Callable[[Tensor], Tensor] | None = None,
    steps: int = 11,
    manifold: Manifold[Any] | None = None,
) -> PosteriorPath:
    r"""Follow the Fisher-Rao geodesic from one posterior of a variational autoencoder to another.

    .. math:: \gamma(t), \quad t = 0, \tfrac{1}{k - 1}, \dots, 1, \qquad x_t = \mathrm{decoder}(\mu_{\gamma(t)})

    The path has constant speed in the metric :math:`ds^2 = d\mu^\top \Sigma^{-1} d\mu + \frac12 \operatorname{tr}
    (\Sigma^{-1} d\Sigma)^2`: equal times are equally distinguishable posteriors. Where two posteriors hardly overlap it
    leads through wider ones, as the half-circles of the half-plane do, unlike the straight line between the parameters.

    Args:
        posterior_a: start: ``DiagonalGaussian``, ``Gaussian`` or a distribution of torch, any batch shape.
        posterior_b: end, of the same family, batch shapes broadcast.
        decoder: module or function from codes (N, n) to outputs (N, ...); called once, without gradients, in the mode
            it is in and with codes of the posteriors' type and device. Call ``.eval()`` first if it holds dropout or
            batch normalisation.
        steps: number k of posteriors, ends included, at least 2.
        manifold: whose geodesic to follow; if left out, ``DiagonalGaussians`` for diagonal posteriors and
            ``MultivariateGaussians`` for full covariances.

    Returns:
        Times, posteriors and images of the path.

    Raises:
        TypeError: if a posterior is of another family.
        ValueError: if ``steps`` is less than 2, a shape does not fit, or a scale or covariance is not positive.

    >>> from geolatent.manifolds import DiagonalGaussian
    >>> a = DiagonalGaussian(torch.tensor([-1.0]), torch.tensor([0.1]))
    >>> b = DiagonalGaussian(torch.tensor([1.0]), torch.tensor([0.1]))
    >>> interpolate_posteriors(a, b, steps=3).posterior.scale
    tensor([[0.1000],
            [0.7141],
            [0.1000]])
    """
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 2:
        raise ValueError(f"steps must be an integer of at least 2; got {steps!r}: it counts both ends")
    start = _as_point("posterior_a", posterior_a)
    end = _as_point("posterior_b", posterior_b)
    if type(start) is not type(end):
        raise TypeError(
            f"posterior_a and posterior_b must be of one family; got {type(start).__name__} and {type(end).__name__}: "
            "make both a Gaussian by Gaussian.from_distribution"
        )
    t = torch.linspace(0, 1, steps, dtype=start.loc.dtype, device=start.loc.device)
    path = (manifold or _manifold_of(start)).geodesic(start, end)(t)
    return PosteriorPath(t, path, None if decoder is None else _decoded(decoder, path.loc))


def _manifold_of(posterior: DiagonalGaussian | Gaussian) -> Manifold[Any]:
    n = posterior.loc.shape[-1]
    return DiagonalGaussians(n) if isinstance(posterior, DiagonalGaussian) else MultivariateGaussians(n)


def _decoded(decoder: Callable[[Tensor], Tensor], codes: Tensor) -> Tensor:
    with torch.no_grad():
        outputs = decoder(codes.detach().flatten(0, -2))
    return outputs.unflatten(0, codes.shape[:-1])


def _as_point(name: str, posterior: DiagonalGaussian | Gaussian | Distribution) -> DiagonalGaussian | Gaussian:
    if isinstance(posterior, Distribution):
        full = isinstance(posterior, MultivariateNormal | LowRankMultivariateNormal)
        posterior = (Gaussian if full else DiagonalGaussian).from_distribution(posterior)
    if not isinstance(posterior, DiagonalGaussian | Gaussian):
        raise TypeError(
            f"{name} must be a DiagonalGaussian, a Gaussian or a distribution of torch; got "
            f"{type(posterior).__name__}: for a mean and a log-variance give DiagonalGaussian(mean, exp(log_var / 2))"
        )
    require_floating(f"{name}.loc", posterior.loc)
    if posterior.loc.ndim == 0:
        raise ValueError(f"{name} must have loc of shape (..., n); got shape (): give it a dimension of coordinates")
    return posterior
