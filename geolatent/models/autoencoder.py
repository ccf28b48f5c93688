"""What every deterministic autoencoder has: an encoder, a decoder and the error between input and output."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn


class Autoencoder(nn.Module):
    r"""An encoder f and a decoder g, trained to reproduce their input.

    .. math:: \ell(x) = \frac{1}{N n} \sum_{i=1}^{N} \lVert g(f(x_i)) - x_i \rVert^2

    Args:
        encoder: module from (N, n_features) to (N, latent_dim).
        decoder: module from (N, latent_dim) to (N, n_features).
        config: the constructor's arguments, in values that JSON can hold, with n_features and latent_dim unless a
            subclass takes and gives other shapes; kept as ``config``.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, config: Mapping[str, Any]) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.config = dict(config)

    def encode(self, x: Tensor) -> Tensor:
        """Latent codes.

        Args:
            x: samples, shape (N, n_features) or (N, ...) with n_features values a sample, such as images.

        Returns:
            Codes, shape (N, latent_dim).

        Raises:
            ValueError: if a sample does not have n_features values.
        """
        codes: Tensor = self.encoder(self._as_input(x))
        return codes

    def decode(self, z: Tensor) -> Tensor:
        """Reconstructions: codes of shape (N, latent_dim), as encode returns them, to (N, n_features)."""
        self._require_codes(z)
        reconstructions: Tensor = self.decoder(z)
        return reconstructions

    def forward(self, x: Tensor) -> Tensor:
        """Reconstructions decode(encode(x)), flat: (N, ...) to (N, n_features)."""
        return self.decode(self.encode(x))

    def loss(self, x: Tensor) -> Tensor:
        """Mean squared error of the reconstruction over samples and features; a scalar."""
        inputs = self._as_input(x)
        return nn.functional.mse_loss(self.decode(self.encoder(inputs)), inputs)

    def _as_input(self, x: Tensor) -> Tensor:
        """Samples in the shape that the encoder takes and the decoder gives."""
        n_features = self.config["n_features"]
        if x.ndim < 2 or x.shape[1:].numel() != n_features:
            raise ValueError(
                f"x must have shape (N, {n_features}), or (N, ...) with {n_features} values a sample; "
                f"got {tuple(x.shape)}: give one sample a row, a single sample as x.unsqueeze(0)"
            )
        return x.flatten(1)

    def _require_codes(self, z: Tensor) -> None:
        latent_dim = self.config["latent_dim"]
        if z.ndim != 2 or z.shape[1] != latent_dim:
            raise ValueError(
                f"z must have shape (N, {latent_dim}); got {tuple(z.shape)}: give one row of values "
                "a sample, as encode returns them"
            )
