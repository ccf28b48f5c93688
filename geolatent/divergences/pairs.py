"""Two Gaussians of one family, checked and broadcast."""

from typing import Any

import torch
from torch.distributions import Distribution, LowRankMultivariateNormal, MultivariateNormal

from geolatent._checks import require_floating
from geolatent.manifolds import DiagonalGaussian, DiagonalGaussians, Gaussian, MultivariateGaussians
from geolatent.manifolds.arguments import prepare

Family = type[DiagonalGaussian] | type[Gaussian]
AnyGaussian = DiagonalGaussian | Gaussian | Distribution


def gaussian_pair(p: AnyGaussian, q: AnyGaussian) -> tuple[Any, Any, torch.dtype]:
    """Return p and q as points of their family in the type to compute in, and the type of the result."""
    family = _family("p", p)
    if _family("q", q) is not family:
        raise TypeError(
            f"p and q must be of one family; got {type(p).__name__} and {type(q).__name__}: make both a Gaussian, "
            "for instance by Gaussian.from_distribution"
        )
    p, q = (family.from_distribution(x) if isinstance(x, Distribution) else x for x in (p, q))
    require_floating("p.loc", p.loc)
    n = p.loc.shape[-1] if p.loc.ndim else 1
    manifold = DiagonalGaussians(n) if family is DiagonalGaussian else MultivariateGaussians(n)
    (first, second), dtype = prepare(manifold, {"p": p, "q": q})
    return first, second, dtype


def _family(name: str, given: AnyGaussian) -> Family:
    if isinstance(given, Gaussian | MultivariateNormal | LowRankMultivariateNormal):
        return Gaussian
    if isinstance(given, DiagonalGaussian | Distribution):
        return DiagonalGaussian
    raise TypeError(
        f"{name} must be a DiagonalGaussian, a Gaussian or a distribution of torch; got {type(given).__name__}: "
        "wrap the parameters in one of these"
    )
