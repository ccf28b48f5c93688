"""What variational autoencoders minimise, term by term: one number a sample."""

from torch import Tensor
from torch.nn.functional import binary_cross_entropy


def bernoulli_cross_entropy(probabilities: Tensor, x: Tensor) -> Tensor:
    r"""Cross entropy of Bernoulli pixels, summed over a sample.

    .. math:: -\sum_i x_i \log p_i + (1 - x_i) \log(1 - p_i)

    Args:
        probabilities: the decoder's, shape (N, ...); logarithms are cut off at -100.
        x: samples in [0, 1], the same shape.

    Returns:
        Shape (N,), in nats.

    Raises:
        ValueError: if a value of x lies outside [0, 1].
    """
    low, high = (bound.item() for bound in x.detach().aminmax())
    if not (low >= 0 and high <= 1):
        raise ValueError(f"x must lie in [0, 1]; got values from {low:.3g} to {high:.3g}: scale or clamp it")
    return binary_cross_entropy(probabilities, x, reduction="none").flatten(1).sum(1)


def kl_to_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    r"""Kullback-Leibler divergence of diagonal Gaussians from the standard one, summed over a sample.

    .. math:: \frac12 \sum_i \bigl( \mu_i^2 + \sigma_i^2 - \log \sigma_i^2 - 1 \bigr)

    Args:
        mean: shape (N, ...).
        log_variance: the same shape.

    Returns:
        Shape (N,), in nats.
    """
    return 0.5 * (mean.square() + log_variance.expm1() - log_variance).flatten(1).sum(1)
