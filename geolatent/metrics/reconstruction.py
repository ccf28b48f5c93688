"""How far a reconstruction is from its input."""

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
