"""How far a reconstruction is from its input."""

import math

from torch import Tensor


def reconstruction_error(inputs: Tensor, reconstructions: Tensor) -> Tensor:
    r"""Mean squared error of each sample.

    .. math:: e_n = \frac1k \sum_{i=1}^k (x_{ni} - \hat x_{ni})^2

    Args:
        inputs: shape (n, ...).
        reconstructions: the same shape.

    Returns:
        Errors, shape (n,).

    Raises:
        ValueError: if the shapes differ.
    """
    if inputs.shape != reconstructions.shape:
        raise ValueError(
            f"reconstructions must have the shape of inputs, {tuple(inputs.shape)}; "
            f"got {tuple(reconstructions.shape)}: flatten both the same way"
        )
    return (inputs - reconstructions).square().flatten(start_dim=1).mean(dim=1)


def psnr(inputs: Tensor, reconstructions: Tensor, data_range: float = 1.0) -> Tensor:
    r"""Peak signal-to-noise ratio of each sample, in decibels.

    .. math:: 10 \log_{10} \frac{R^2}{e_n}, \qquad e_n = \frac1k \sum_{i=1}^k (x_{ni} - \hat x_{ni})^2

    Infinite where the reconstruction is exact.

    Args:
        inputs: shape (n, ...); against a clean image, whatever the model was shown.
        reconstructions: the same shape.
        data_range: difference R between the largest and the smallest possible value.

    Returns:
        Ratios in dB, shape (n,).

    Raises:
        ValueError: if the shapes differ or data_range is not positive.

    Example:
        >>> import torch
        >>> psnr(torch.zeros(1, 28, 28), torch.full((1, 28, 28), 0.1))
        tensor([20.])
    """
    if not 0 < data_range < math.inf:
        raise ValueError(f"data_range must be positive and finite; got {data_range}: 1 for images in [0, 1]")
    return 20 * math.log10(data_range) - 10 * reconstruction_error(inputs, reconstructions).log10()
