"""The compiled chain rule through a decoder and an encoder of dense layers."""

import torch
from torch import Tensor

from geolatent._kernels import launch

_BLOCK_BYTES = 256  # outputs of one weight block, csrc/cpu/tangents.hpp
_ROW_BYTES = 64


class PackedChain:
    """Weights of a decoder followed by an encoder, laid out for the kernel.

    Args:
        weights: of each layer, (outputs, inputs), float32 or float64 on the CPU; the first layer's inputs and
            the last layer's outputs are the d latent dimensions.
        decoder_layers: how many of them belong to the decoder.
    """

    def __init__(self, weights: list[Tensor], decoder_layers: int) -> None:
        self.weights = weights
        self.decoder_layers = decoder_layers
        self.latent_dim = weights[0].shape[1]
        self._columns = [_column_blocks(weight) for weight in weights]
        self._rows = [_padded(weight, _ROW_BYTES // weight.element_size()) for weight in weights]

    def __call__(self, count: int, slopes: list[Tensor | None], branches: list[list[Tensor | None]]) -> Tensor:
        """Products Df Dg of ``count`` samples, shape (count, branches, d, d), entry [i, j] = d f_i / d z_j.

        Args:
            count: number of samples.
            slopes: of the decoder's activations, (count, outputs) contiguous; None for ones.
            branches: one or two sets of slopes of the encoder's activations, likewise.
        """
        first = self.weights[0]
        products = first.new_empty((count, len(branches), self.latent_dim, self.latent_dim))
        table = []
        for index, (weight, columns, rows) in enumerate(zip(self.weights, self._columns, self._rows, strict=True)):
            if index < self.decoder_layers:
                of_layer = [slopes[index], None]
            else:
                of_layer = [*(branch[index - self.decoder_layers] for branch in branches), None][:2]
            addresses = [0 if slope is None else slope.data_ptr() for slope in of_layer]
            table += [weight.shape[1], weight.shape[0], columns.data_ptr(), rows.data_ptr(), *addresses]
        layers = torch.tensor(table, dtype=torch.int64)
        sizes = (self.decoder_layers, len(self.weights) - self.decoder_layers, len(branches), count)
        launch("mlp_jacobian", first.dtype, layers.data_ptr(), products.data_ptr(), *sizes)
        return products


def _padded(matrix: Tensor, multiple: int) -> Tensor:
    """A copy with zero columns added up to a multiple, in memory of torch's own, hence aligned."""
    width = matrix.shape[1]
    padded = matrix.new_zeros((len(matrix), width + -width % multiple))
    padded[:, :width] = matrix
    return padded


def _column_blocks(weight: Tensor) -> Tensor:
    """The weight as (blocks of outputs, inputs, block): an input's weights into a block lie together."""
    block = _BLOCK_BYTES // weight.element_size()
    columns = _padded(weight.mT, block)
    return columns.reshape(len(columns), -1, block).transpose(0, 1).contiguous()
