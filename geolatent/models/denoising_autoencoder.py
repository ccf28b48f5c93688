"""The denoising variant of any autoencoder."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Generator, Tensor, nn

from geolatent.models.autoencoder import Autoencoder


class DenoisingAutoencoder(nn.Module):
    r"""An autoencoder trained to reproduce clean samples from noisy ones.

    .. math:: \ell(x) = \frac{1}{N n} \sum_{i=1}^{N} \bigl\lVert g\bigl(f(\tilde x_i)\bigr) - x_i \bigr\rVert^2, \qquad
              \tilde x = \operatorname{clip}(x + s \, \epsilon), \quad \epsilon \sim N(0, I)

    Only the loss differs from the autoencoder's: encode, decode and forward are its own and add no noise.

    Args:
        autoencoder: a deterministic autoencoder, trained in place; or its description, as ``config`` holds it.
        noise_scale: standard deviation s of the noise.
        clip: least and largest value of a noisy sample; None for no limits.

    Raises:
        TypeError: if ``autoencoder`` is neither.
        ValueError: if noise_scale is negative or not finite, clip is no interval, or the description names no
            autoencoder.

    Source:
        [vincent2010stacked], section 3.2.

    >>> from geolatent.models import MLPAutoencoder
    >>> model = DenoisingAutoencoder(MLPAutoencoder(784, 2, (128, 32)))
    >>> model.encode(torch.rand(5, 28, 28)).shape
    torch.Size([5, 2])
    """

    def __init__(
        self,
        autoencoder: Autoencoder | Mapping[str, Any],
        noise_scale: float = 0.3,
        clip: Sequence[float] | None = (0.0, 1.0),
    ) -> None:
        super().__init__()
        if isinstance(autoencoder, Mapping):
            autoencoder = _built(autoencoder)
        if not isinstance(autoencoder, Autoencoder) or type(autoencoder).loss is not Autoencoder.loss:
            raise TypeError(
                "autoencoder must be an Autoencoder whose loss is the mean squared error; got "
                f"{type(autoencoder).__name__}: wrap an encoder and a decoder in geolatent.models.Autoencoder"
            )
        if not 0 <= noise_scale < float("inf"):
            raise ValueError(
                f"noise_scale must be finite and at least 0; got {noise_scale}: 0.3 suits images in [0, 1]"
            )
        if clip is not None and (len(clip) != 2 or not clip[0] < clip[1]):
            raise ValueError(f"clip must be (least, largest); got {clip!r}: None leaves noisy samples as they are")
        self.autoencoder = autoencoder
        self.noise_scale = float(noise_scale)
        self.clip = None if clip is None else [float(limit) for limit in clip]
        self.config = {
            "autoencoder": {"class": type(autoencoder).__name__, "config": autoencoder.config},
            "noise_scale": self.noise_scale,
            "clip": self.clip,
        }

    @property
    def encoder(self) -> nn.Module:
        """The autoencoder's encoder."""
        return self.autoencoder.encoder

    @property
    def decoder(self) -> nn.Module:
        """The autoencoder's decoder."""
        return self.autoencoder.decoder

    def encode(self, x: Tensor) -> Tensor:
        """Codes of samples as they are."""
        return self.autoencoder.encode(x)

    def decode(self, z: Tensor) -> Tensor:
        """Reconstructions from codes."""
        return self.autoencoder.decode(z)

    def forward(self, x: Tensor) -> Tensor:
        """Reconstructions of samples as they are."""
        reconstructions: Tensor = self.autoencoder(x)
        return reconstructions

    def corrupt(self, x: Tensor, generator: Generator | None = None) -> Tensor:
        """Noisy samples of the same shape, noise drawn from ``generator``."""
        noise = torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device)
        noisy = x + self.noise_scale * noise
        return noisy if self.clip is None else noisy.clamp(*self.clip)

    def loss(self, x: Tensor, generator: Generator | None = None) -> Tensor:
        """Mean squared error between clean samples and the reconstructions of noisy ones; a scalar.

        Args:
            x: clean samples.
            generator: source of the noise; None means torch's default generator, which ``gl.training.fit`` seeds.
        """
        return nn.functional.mse_loss(self(self.corrupt(x, generator)).reshape(x.shape), x)

    def extra_repr(self) -> str:
        """Name the noise, which no layer shows."""
        return f"noise_scale={self.noise_scale}, clip={self.clip}"


def _built(description: Mapping[str, Any]) -> Autoencoder:
    classes = {kind.__name__: kind for kind in Autoencoder.__subclasses__()}
    name = description.get("class")
    if name not in classes:
        raise ValueError(
            f"autoencoder must describe one of {', '.join(sorted(classes))}; got {name!r}: build it and pass the model"
        )
    return classes[name](**description["config"])
