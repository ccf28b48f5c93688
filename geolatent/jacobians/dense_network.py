"""Multilayer perceptrons recognised in a torch module, with the slopes of their activations."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

# Exact types that act on every entry alone; a subclass may do anything.
_ACTIVATIONS = (nn.ReLU, nn.LeakyReLU, nn.Tanh, nn.Sigmoid, nn.GELU, nn.SiLU, nn.ELU, nn.Softplus)
_SILENT = (nn.Identity, nn.Dropout)  # Dropout is checked to be in evaluation mode
_LAYERS = (nn.Linear, nn.Flatten, *_ACTIVATIONS, *_SILENT)


@dataclass(frozen=True)
class DenseLayer:
    """x -> activation(weight x + bias), the activation a sequence of entry-wise functions, possibly none."""

    weight: Tensor
    bias: Tensor | None
    activations: tuple[nn.Module, ...]

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Value of the layer and slope of its activation, both (N, outputs); the slope None where it is 1."""
        preactivation = functional.linear(x, self.weight, self.bias)
        if not self.activations:
            return preactivation, None
        with torch.enable_grad():
            value = preactivation.requires_grad_()
            for activation in self.activations:
                value = activation(value.clone() if getattr(activation, "inplace", False) else value)
            ones = value.new_ones(()).expand_as(value)
            (slope,) = torch.autograd.grad(value, preactivation, ones)
        return value.detach(), slope.contiguous()


@dataclass(frozen=True)
class DenseNetwork:
    """Dense layers applied one after the other."""

    layers: tuple[DenseLayer, ...]

    @property
    def in_features(self) -> int:
        """Entries of an input."""
        return self.layers[0].weight.shape[1]

    @property
    def out_features(self) -> int:
        """Entries of an output."""
        return self.layers[-1].weight.shape[0]

    @property
    def units(self) -> int:
        """Units of all layers together."""
        return sum(layer.weight.shape[0] for layer in self.layers)

    def __call__(self, x: Tensor) -> tuple[Tensor, list[Tensor | None]]:
        """Output (N, out_features) for inputs (N, in_features), and the slopes of every layer."""
        slopes = []
        for layer in self.layers:
            x, slope = layer(x)
            slopes.append(slope)
        return x, slopes


def dense_network(module: nn.Module, sample_ndim: int, dtype: torch.dtype) -> DenseNetwork | None:
    """The module as a dense network, its weights in ``dtype``; None if it is anything else.

    Recognised is nn.Linear and an nn.Sequential, nested or not, of linear layers, entry-wise activations,
    Identity, Dropout and Flatten, all of exactly these types and without hooks, for samples with
    ``sample_ndim`` axes.
    """
    layers = list(_flat(module)) if type(module) is nn.Sequential else [module]
    if not all(type(layer) in _LAYERS and not _hooked(layer) for layer in layers) or _hooked(module):
        return None
    flattens = [type(layer) is nn.Flatten for layer in layers]
    if any((layer.start_dim, layer.end_dim) != (1, -1) for layer in layers if isinstance(layer, nn.Flatten)):
        return None
    if sample_ndim != 1 and not (flattens and flattens[0]):
        return None
    layers = [layer for layer in layers if type(layer) not in (nn.Flatten, *_SILENT)]
    if not layers or type(layers[0]) is not nn.Linear:
        return None
    return DenseNetwork(tuple(_dense_layers(layers, dtype)))


def _dense_layers(layers: list[nn.Module], dtype: torch.dtype) -> Iterator[DenseLayer]:
    linears = [(index, layer) for index, layer in enumerate(layers) if isinstance(layer, nn.Linear)]
    stops = [*(index for index, _ in linears[1:]), len(layers)]
    for (start, linear), stop in zip(linears, stops, strict=True):
        bias = None if linear.bias is None else linear.bias.detach().to(dtype)
        yield DenseLayer(linear.weight.detach().to(dtype), bias, tuple(layers[start + 1 : stop]))


def _flat(module: nn.Sequential) -> Iterator[nn.Module]:
    for layer in module:  # not .children(), which names a layer that occurs twice once
        if type(layer) is nn.Sequential and not _hooked(layer):
            yield from _flat(layer)
        else:
            yield layer


def _hooked(module: nn.Module) -> bool:
    return bool(module._forward_hooks or module._forward_pre_hooks)
