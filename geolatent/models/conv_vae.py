"""The convolutional variational autoencoder."""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn

from geolatent.manifolds import DiagonalGaussian
from geolatent.models.conv_autoencoder import ConvAutoencoder
from geolatent.models.layers import Activation, convolution
from geolatent.models.objectives import bernoulli_cross_entropy, kl_to_standard_normal
from geolatent.models.sctc import KERNEL_SIZE


class ConvVAE(ConvAutoencoder):
    r"""Variational autoencoder of the blocks of :class:`ConvAutoencoder`.

    .. math:: \ell(x) = -\mathbb{E}_{z \sim q(z|x)} \log p(x|z) + \beta \, \mathrm{KL}\bigl(q(z|x) \,\|\, N(0, I)\bigr),
              \qquad q(z|x) = N\bigl(\mu(x), \operatorname{diag} \sigma^2(x)\bigr)

    ``encode`` returns the means; :meth:`sample` draws codes. Means and log-variances are two 3 x 3 convolutions of what
    the last block gives, without activation; the pixels are Bernoulli. ``encoder`` is the network of the means, so that
    ``encoder`` and ``decoder`` are a deterministic autoencoder, with a Jacobian; ``log_variance`` is the other
    convolution.

    Args:
        image_shape: as in :class:`ConvAutoencoder`.
        widths: likewise.
        activation: likewise.
        kl_weight: the factor :math:`\beta` of the divergence; 1 is the evidence lower bound.
        generator: source of the initial weights; None means torch's default generator.

    Raises:
        ValueError: as in :class:`ConvAutoencoder`, or if kl_weight is negative or not finite.
        TypeError: likewise.

    Source:
        [kingma2014auto], eq. (10); network [shrivastava2024latent].

    >>> model = ConvVAE((1, 8, 8), (4, 6))
    >>> q = model.posterior(torch.rand(5, 8, 8))
    >>> q.loc.shape, model.sample(torch.rand(5, 8, 8)).shape
    (torch.Size([5, 6, 4, 4]), torch.Size([5, 6, 4, 4]))
    """

    encoder: nn.Sequential
    log_variance: nn.Conv2d

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        widths: Sequence[int] = (32, 64, 128),
        activation: Activation = "relu",
        kl_weight: float = 1.0,
        *,
        generator: Generator | None = None,
    ) -> None:
        if not 0 <= kl_weight < float("inf"):
            raise ValueError(f"kl_weight must be finite and at least 0; got {kl_weight}: 1 is the usual bound")
        super().__init__(image_shape, widths, activation, "sigmoid", generator=generator)
        del self.config["output_activation"]
        self.config["kl_weight"] = float(kl_weight)
        channels = self.latent_shape[0]
        self.encoder.append(convolution(channels, channels, KERNEL_SIZE, generator))
        self.log_variance = convolution(channels, channels, KERNEL_SIZE, generator)

    def posterior(self, x: Tensor) -> DiagonalGaussian:
        """Posteriors q(z|x): means and standard deviations, shaped as codes."""
        mean, log_variance = self._moments(self._as_input(x))
        return DiagonalGaussian(mean, (log_variance / 2).exp())

    def sample(self, x: Tensor, generator: Generator | None = None) -> Tensor:
        """One code a sample, drawn from its posterior by ``generator``."""
        mean, scale = self.posterior(x)
        return _drawn(mean, scale, generator)

    def loss(self, x: Tensor, generator: Generator | None = None) -> Tensor:
        """Mean over samples of the negative bound in nats, with one code a sample; a scalar.

        Args:
            x: images in [0, 1].
            generator: source of the codes; None means torch's default generator, which ``gl.training.fit`` seeds.
        """
        inputs = self._as_input(x)
        mean, log_variance = self._moments(inputs)
        codes = _drawn(mean, (log_variance / 2).exp(), generator)
        divergence = kl_to_standard_normal(mean, log_variance)
        return (bernoulli_cross_entropy(self.decode(codes), inputs) + self.config["kl_weight"] * divergence).mean()

    def extra_repr(self) -> str:
        """Name the weight of the divergence, which no layer shows."""
        return f"kl_weight={self.config['kl_weight']}"

    def _moments(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        features = self.encoder[:-1](inputs)
        return self.encoder[-1](features), self.log_variance(features)


def _drawn(mean: Tensor, scale: Tensor, generator: Generator | None) -> Tensor:
    noise = torch.randn(mean.shape, generator=generator, dtype=mean.dtype, device=mean.device)
    return mean + scale * noise
