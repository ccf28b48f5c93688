"""The convolutional autoencoder, whose code is itself an image of many channels."""

from collections.abc import Sequence

from torch import Generator, Tensor

from geolatent.models.autoencoder import Autoencoder
from geolatent.models.layers import Activation, activation_name, checked_width
from geolatent.models.sctc import sctc_decoder, sctc_encoder


class ConvAutoencoder(Autoencoder):
    r"""Autoencoder of convolutional blocks with skip connections.

    .. math:: f = S_k \circ P \circ S_{k-1} \circ \dots \circ P \circ S_1, \qquad
              g = \sigma_x \circ C \circ T_1 \circ U \circ T_2 \circ \dots \circ U \circ T_k

    with SCTC blocks S and T (three 3 x 3 convolutions of equal width, the first one's output added before the last
    activation), the maximum P over 2 x 2 pixels, its counterpart U that repeats each pixel 2 x 2, and a convolution C.
    The default is the network of [shrivastava2024latent], in our reading of its figure: two poolings, images of
    28 x 28 pixels, codes of 7 x 7 pixels and 128 channels.

    Images have shape (N, channels, height, width), torch's order; those of one channel may come as (N, height, width),
    all as (N, n_features). Codes are images too, each of ``latent_shape``, channels first;
    ``codes.movedim(1, -1)`` brings the channels last.

    Args:
        image_shape: channels, height and width; the last two divisible by 2 for each pooling.
        widths: channels of each block of the encoder, one pooling between any two; the decoder has them in reverse.
        activation: in the blocks, as in :class:`MLPAutoencoder`; also the last function before the code.
        output_activation: after the decoder's last convolution, likewise; None for none. "sigmoid" under the squared
            error is not advised for dark images: Adam drives it to zero everywhere, where its gradient vanishes.
        generator: source of the initial weights; None means torch's default generator.

    Attributes:
        image_shape: channels, height and width of an image.
        latent_shape: channels, height and width of a code.

    Raises:
        ValueError: if a width is less than 1, the image cannot be halved as often, or an activation's name is unknown.
        TypeError: if a width is not an integer or an activation yields no module.

    Source:
        [shrivastava2024latent].

    >>> import torch
    >>> model = ConvAutoencoder()
    >>> model.encode(torch.rand(5, 28, 28)).shape
    torch.Size([5, 128, 7, 7])
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        widths: Sequence[int] = (32, 64, 128),
        activation: Activation = "relu",
        output_activation: Activation | None = None,
        *,
        generator: Generator | None = None,
    ) -> None:
        widths = _checked_widths(widths)
        channels, height, width = image_shape = _checked_image_shape(image_shape, 2 ** (len(widths) - 1))
        super().__init__(
            sctc_encoder(channels, widths, activation, generator),
            sctc_decoder(channels, widths, activation, output_activation, generator),
            {
                "image_shape": image_shape,
                "widths": widths,
                "activation": activation_name(activation),
                "output_activation": activation_name(output_activation),
            },
        )
        scale = 2 ** (len(widths) - 1)
        self.image_shape = tuple(image_shape)
        self.latent_shape = (widths[-1], height // scale, width // scale)

    def forward(self, x: Tensor) -> Tensor:
        """Reconstructions decode(encode(x)), in the shape in which the images came."""
        return self.decode(self.encode(x)).reshape(x.shape)

    def _as_input(self, x: Tensor) -> Tensor:
        channels, height, width = self.image_shape
        accepted = [(channels, height, width), (channels * height * width,)]
        if channels == 1:
            accepted.append((height, width))
        if tuple(x.shape[1:]) not in accepted:
            raise ValueError(
                f"x must have shape {' or '.join(str(('N', *shape)).replace(chr(39), '') for shape in accepted)}; "
                f"got {tuple(x.shape)}: give channels first, a single image as x.unsqueeze(0)"
            )
        return x.reshape(len(x), *self.image_shape)

    def _require_codes(self, z: Tensor) -> None:
        if z.ndim != 4 or tuple(z.shape[1:]) != self.latent_shape:
            raise ValueError(
                f"z must have shape (N, {', '.join(map(str, self.latent_shape))}); got {tuple(z.shape)}: give codes as "
                "encode returns them, channels first"
            )


def _checked_widths(widths: Sequence[int]) -> list[int]:
    if not isinstance(widths, Sequence) or isinstance(widths, str) or not widths:
        raise TypeError(f"widths must be a sequence of at least one width; got {widths!r}: one block as (width,)")
    return [checked_width(f"widths[{k}]", width) for k, width in enumerate(widths)]


def _checked_image_shape(image_shape: Sequence[int], scale: int) -> list[int]:
    if not isinstance(image_shape, Sequence) or len(image_shape) != 3:
        raise ValueError(
            f"image_shape must be (channels, height, width); got {image_shape!r}: give grey images 1 channel"
        )
    sizes = [checked_width(f"image_shape[{k}]", size) for k, size in enumerate(image_shape)]
    if sizes[1] % scale or sizes[2] % scale:
        raise ValueError(
            f"image_shape must have height and width divisible by {scale}, 2 for each pooling; got {tuple(sizes)}: "
            "resize the images, or give fewer widths"
        )
    return sizes
