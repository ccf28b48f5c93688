"""The d x d matrices Df Dg of an autoencoder, for a tile of samples: a route for MLPs, one for any module."""

from typing import Protocol

import torch
from torch import Tensor, nn

from geolatent._kernels import usable
from geolatent._kernels.mlp_jacobian import PackedChain
from geolatent.jacobians.dense_network import DenseNetwork
from geolatent.jacobians.jacobian import jacobian_of
from geolatent.jacobians.modules import Function

Slopes = list[Tensor | None]


class Products(Protocol):
    """Computes Df(x) Dg(z), Df(g(z)) Dg(z) or both, with z = f(x)."""

    bytes_per_sample: int
    largest_tile: int

    def __call__(self, x: Tensor) -> Tensor:
        """Products for samples (n, ...), shape (n, branches, d, d): at x first where both are asked for."""


class DenseProducts:
    """The chain rule through two multilayer perceptrons, right to left on the d latent tangents.

    The compiled chain stands in for :func:`chain` where the kernels may run.
    """

    largest_tile = 4096

    def __init__(self, encoder: DenseNetwork, decoder: DenseNetwork, at_input: bool, at_reconstruction: bool) -> None:
        self.encoder, self.decoder = encoder, decoder
        self.at_input, self.at_reconstruction = at_input, at_reconstruction
        self._weights = [layer.weight for layer in (*decoder.layers, *encoder.layers)]
        self._packed = PackedChain(self._weights, len(decoder.layers)) if usable(*self._weights) else None
        widest = max(max(weight.shape) for weight in self._weights)
        latent_dim = encoder.out_features
        tangents = 2 * latent_dim**2 if self._packed else 3 * latent_dim * widest
        forward = encoder.in_features + 4 * (2 * encoder.units + decoder.units)
        self.bytes_per_sample = self._weights[0].element_size() * (forward + tangents)

    def __call__(self, x: Tensor) -> Tensor:
        """Products for samples (n, ...), shape (n, branches, d, d)."""
        z, at_x = self.encoder(x.flatten(1))
        y, decoder_slopes = self.decoder(z)
        branches = [at_x] if self.at_input else []
        if self.at_reconstruction:
            branches.append(self.encoder(y)[1])
        if self._packed and usable(x):
            return self._packed(len(x), decoder_slopes, branches)
        split = len(self.decoder.layers)
        identity = torch.eye(z.shape[1], dtype=z.dtype, device=z.device).expand(len(x), -1, -1)
        tangents = chain(identity, self._weights[:split], decoder_slopes)
        return torch.stack([chain(tangents, self._weights[split:], slopes).mT for slopes in branches], 1)


def chain(tangents: Tensor, weights: list[Tensor], slopes: Slopes) -> Tensor:
    r"""Tangents pushed through dense layers, one a row.

    .. math:: X_l = X_{l-1} W_l^T \operatorname{diag}(s_l)

    Args:
        tangents: shape (n, d, inputs).
        weights: of each layer, (outputs, inputs).
        slopes: of each layer's activation, (n, outputs); None for ones.

    Returns:
        Shape (n, d, outputs).
    """
    for weight, slope in zip(weights, slopes, strict=True):
        tangents = tangents @ weight.mT
        if slope is not None:
            tangents = tangents * slope.unsqueeze(1)
    return tangents


class ModuleProducts:
    """Forward-mode tangents of any decoder, reverse-mode Jacobians of any encoder."""

    largest_tile = 256

    def __init__(
        self,
        encoder: Function,
        decoder: Function,
        at_input: bool,
        at_reconstruction: bool,
        bytes_per_sample: int,
    ) -> None:
        self.encoder, self.decoder = encoder, decoder
        self.at_input, self.at_reconstruction = at_input, at_reconstruction
        self.bytes_per_sample = bytes_per_sample

    def __call__(self, x: Tensor) -> Tensor:
        """Products for samples (n, ...), shape (n, branches, d, d)."""
        z = self.encoder(x)
        tangents = jacobian_of(self.decoder, z, "forward").flatten(2)
        points = [x] if self.at_input else []
        if self.at_reconstruction:
            points.append(self.decoder(z).reshape(x.shape))
        encoder_jacobians = [jacobian_of(self.encoder, point, "reverse").flatten(2) for point in points]
        return torch.stack([jacobian @ tangents for jacobian in encoder_jacobians], 1)


def activation_sizes(module: nn.Module, function: Function, x: Tensor) -> list[int]:
    """Entries of the input ``x`` and of the output of every layer that the function runs on it."""
    sizes = [x.numel()]

    def record(_layer: nn.Module, _inputs: object, output: object) -> None:
        if isinstance(output, Tensor):
            sizes.append(output.numel())

    handles = [layer.register_forward_hook(record) for layer in module.modules()]
    try:
        function(x)
    finally:
        for handle in handles:
            handle.remove()
    return sizes
