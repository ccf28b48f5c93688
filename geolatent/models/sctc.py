"""The block of three convolutions with a skip connection, and the two networks built of it."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Generator, Tensor, nn

from geolatent.models.layers import Activation, convolution, make_activation

KERNEL_SIZE = 3


class SCTC(nn.Module):
    r"""Skip-connected triple convolution: three 3 x 3 convolutions of equal width.

    .. math:: h = \sigma(C_1 x), \qquad \mathrm{SCTC}(x) = \sigma\bigl(C_3 \, \sigma(C_2 h) + h\bigr)

    The paper draws the block without specifying it. This is our reading: the first convolution's output, after its
    activation, is added before the last activation. The size of the image is kept.

    Args:
        n_inputs: channels of the input.
        width: channels of all three convolutions.
        activation: as in :class:`MLPAutoencoder`.
        generator: source of the initial weights; None means torch's default generator.

    Source:
        [shrivastava2024latent].
    """

    def __init__(self, n_inputs: int, width: int, activation: Activation, generator: Generator | None) -> None:
        super().__init__()
        self.entrance = nn.Sequential(convolution(n_inputs, width, KERNEL_SIZE, generator), make_activation(activation))
        self.branch = nn.Sequential(
            convolution(width, width, KERNEL_SIZE, generator),
            make_activation(activation),
            convolution(width, width, KERNEL_SIZE, generator),
        )
        self.activation = make_activation(activation)

    def forward(self, x: Tensor) -> Tensor:
        """Images (N, n_inputs, height, width) to (N, width, height, width)."""
        skip = self.entrance(x)
        result: Tensor = self.activation(self.branch(skip) + skip)
        return result


def sctc_encoder(
    n_channels: int, widths: Sequence[int], activation: Activation, generator: Generator | None
) -> nn.Sequential:
    """One block a width, with a maximum over 2 x 2 pixels between any two."""
    layers: list[nn.Module] = []
    for n_inputs, width in pairwise([n_channels, *widths]):
        layers += [SCTC(n_inputs, width, activation, generator), nn.MaxPool2d(2)]
    return nn.Sequential(*layers[:-1])


def sctc_decoder(
    n_channels: int, widths: Sequence[int], activation: Activation, last: Activation | None, generator: Generator | None
) -> nn.Sequential:
    """The encoder's mirror image: one block a width, each pixel repeated 2 x 2 in between, and a last convolution."""
    layers: list[nn.Module] = []
    for n_inputs, width in pairwise([widths[-1], *reversed(widths)]):
        layers += [SCTC(n_inputs, width, activation, generator), nn.Upsample(scale_factor=2)]
    layers[-1] = convolution(widths[0], n_channels, KERNEL_SIZE, generator)
    return nn.Sequential(*layers, *([] if last is None else [make_activation(last)]))
