"""The linear autoencoder, whose best solution is principal component analysis."""

from typing import Self

import torch
from torch import Generator, Tensor, nn

from geolatent._checks import require_floating
from geolatent.models.autoencoder import Autoencoder
from geolatent.models.layers import checked_width, linear


class LinearAutoencoder(Autoencoder):
    r"""Autoencoder of two affine maps.

    .. math:: f(x) = W_e x + b_e, \qquad g(z) = W_d z + b_d

    ``encoder`` and ``decoder`` are nn.Linear modules.

    Args:
        n_features: values a sample.
        latent_dim: values a code.
        bias: whether the maps have the offsets b.
        generator: source of the initial weights; None means torch's default generator.

    Raises:
        ValueError, TypeError: if a width is not an integer of at least 1.
    """

    encoder: nn.Linear
    decoder: nn.Linear

    def __init__(
        self, n_features: int, latent_dim: int, bias: bool = True, *, generator: Generator | None = None
    ) -> None:
        n_features = checked_width("n_features", n_features)
        latent_dim = checked_width("latent_dim", latent_dim)
        super().__init__(
            linear(n_features, latent_dim, bias, generator),
            linear(latent_dim, n_features, bias, generator),
            {"n_features": n_features, "latent_dim": latent_dim, "bias": bias},
        )

    @classmethod
    def from_pca(cls, data: Tensor, latent_dim: int) -> Self:
        r"""The exact minimiser of the squared error on ``data``: its leading principal components.

        .. math:: f(x) = V (x - \bar x), \qquad g(z) = V^\top z + \bar x

        where the rows of V are the leading right singular vectors of the centred data.

        Args:
            data: samples, shape (N, ...), floating point; trailing dimensions are flattened.
            latent_dim: number of components, at most min(N, n_features).

        Returns:
            The autoencoder, of the data's dtype and device.

        Raises:
            ValueError: if latent_dim is out of range.
            TypeError: if the data is not floating point.

        Source:
            [baldi1989neural]: P. Baldi and K. Hornik, Neural networks and principal component analysis, 1989.
        """
        require_floating("data", data)
        latent_dim = checked_width("latent_dim", latent_dim)
        flat = data.detach().flatten(1)
        if latent_dim > min(flat.shape):
            raise ValueError(
                f"latent_dim must be at most min(N, n_features) = {min(flat.shape)}; got {latent_dim}: "
                "give more samples or ask for fewer components"
            )
        mean = flat.mean(0)
        components = torch.linalg.svd(flat - mean, full_matrices=False).Vh[:latent_dim]
        model = cls(flat.shape[1], latent_dim, generator=torch.Generator()).to(flat)
        with torch.no_grad():
            model.encoder.weight.copy_(components)
            model.encoder.bias.copy_(-components @ mean)
            model.decoder.weight.copy_(components.T)
            model.decoder.bias.copy_(mean)
        return model
