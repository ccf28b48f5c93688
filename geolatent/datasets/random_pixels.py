"""Ten sets of images whose pixels are independent draws: out of any distribution of real images."""

from collections.abc import Callable, Sequence
from functools import partial
from math import erf, sqrt

import torch
from torch import Generator, Tensor

_BLOCK = 1 << 20


def _fill_bernoulli(pixels: Tensor, generator: Generator | None, probability: float) -> None:
    pixels.bernoulli_(probability, generator=generator)


def _fill_beta(pixels: Tensor, generator: Generator | None, alpha: float, beta: float) -> None:
    """X / (X + Y) of two gamma variates; torch.distributions.Beta cannot draw from a given generator."""
    for block in pixels.view(-1).split(_BLOCK):
        shape_parameter = torch.full_like(block, alpha, dtype=torch.float64)
        x = torch._standard_gamma(shape_parameter, generator=generator)
        y = torch._standard_gamma(shape_parameter.fill_(beta), generator=generator)
        block.copy_(x / (x + y))


def _fill_truncated_normal(pixels: Tensor, generator: Generator | None, loc: float, scale: float) -> None:
    """Inverse distribution function; the clamp only takes back rounding errors."""
    low, high = (erf((edge - loc) / (scale * sqrt(2))) for edge in (0, 1))
    pixels.uniform_(low, high, generator=generator).erfinv_().mul_(scale * sqrt(2)).add_(loc).clamp_(0, 1)


def _fill_uniform(pixels: Tensor, generator: Generator | None) -> None:
    pixels.uniform_(generator=generator)


_FILL: dict[str, Callable[[Tensor, Generator | None], None]] = {
    "bernoulli-0.13": partial(_fill_bernoulli, probability=0.13),
    "bernoulli-0.25": partial(_fill_bernoulli, probability=0.25),
    "bernoulli-0.5": partial(_fill_bernoulli, probability=0.5),
    "bernoulli-0.75": partial(_fill_bernoulli, probability=0.75),
    "bernoulli-0.87": partial(_fill_bernoulli, probability=0.87),
    "beta-0.8-5": partial(_fill_beta, alpha=0.8, beta=5.0),
    "beta-0.5-0.5": partial(_fill_beta, alpha=0.5, beta=0.5),
    "beta-5-0.8": partial(_fill_beta, alpha=5.0, beta=0.8),
    "normal-0.5-1": partial(_fill_truncated_normal, loc=0.5, scale=1.0),
    "uniform": _fill_uniform,
}

RANDOM_PIXELS = tuple(_FILL)
"""Names of the ten sets."""


def random_pixels(name: str, n: int, shape: Sequence[int], generator: Generator | None = None) -> Tensor:
    r"""Images of independent, identically distributed pixels.

    .. math::
        \text{bernoulli-}p: P(x = 1) = p, \qquad
        \text{beta-}\alpha\text{-}\beta: p(x) \propto x^{\alpha - 1} (1 - x)^{\beta - 1}, \qquad
        \text{normal-}\mu\text{-}\sigma: p(x) \propto e^{-(x - \mu)^2 / 2 \sigma^2}

    each on [0, 1]: the normal is truncated to it, not clipped. "uniform" is beta-1-1.

    Args:
        name: one of ``RANDOM_PIXELS``.
        n: number of images.
        shape: shape of one image, such as (28, 28).
        generator: the only source of randomness; None means torch's default generator, as in torch.rand.

    Returns:
        Pixels in [0, 1], shape (n, \*shape), float32, on the generator's device.

    Raises:
        ValueError: if the name is unknown, or n or an entry of shape is negative.

    Source:
        [agarwala2022ood].

    >>> random_pixels("uniform", 2, (28, 28), torch.Generator().manual_seed(0)).shape
    torch.Size([2, 28, 28])
    """
    if name not in _FILL:
        raise ValueError(f"name must be one of {', '.join(RANDOM_PIXELS)}; got {name!r}: choose one of these")
    if n < 0 or min(shape, default=0) < 0:
        raise ValueError(f"n and shape must not be negative; got n = {n}, shape = {tuple(shape)}: count images from 0")
    pixels = torch.empty(n, *shape, device=generator.device if generator is not None else "cpu")
    _FILL[name](pixels, generator)
    return pixels
