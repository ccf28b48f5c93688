"""Small autoencoders, recognised or not as multilayer perceptrons, and the comparison of their spectra."""

import itertools

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn


class Opaque(nn.Module):
    """Hides a module from the recognition of multilayer perceptrons."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        return self.module(x)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def initialise(module: nn.Module, seed: int) -> nn.Module:
    """Weights large enough that no eigenvalue drowns in rounding."""
    generator = seeded(seed)
    for parameter in module.parameters():
        size = parameter[0].numel() if parameter.ndim > 1 else 16
        parameter.data.normal_(0, 1.5 / size**0.5, generator=generator)
    return module.eval()


def mlp(*widths: int, activation: nn.Module, last: nn.Module | None = None, seed: int = 0) -> nn.Sequential:
    layers = [layer for pair in itertools.pairwise(widths) for layer in (nn.Linear(*pair), nn.Dropout(), activation)]
    layers = [*layers[:-1], last or nn.Identity()]
    return initialise(nn.Sequential(*layers), seed)


TANH = nn.Tanh()


def autoencoder(activation: nn.Module = TANH, d: int = 3) -> tuple[nn.Sequential, nn.Sequential]:
    encoder = mlp(12, 9, 7, d, activation=activation, seed=1)
    return encoder, mlp(d, 8, 12, activation=activation, last=nn.Tanh(), seed=2)


def assert_same_spectra(found: Tensor, expected: Tensor, rtol: float) -> None:
    """Equal as multisets, to ``rtol`` of the largest modulus of each row."""
    assert found.shape == expected.shape
    for one, other in zip(found.to(torch.complex128), expected.to(torch.complex128), strict=True):
        distances = (one[:, None] - other[None, :]).abs()
        rows, columns = linear_sum_assignment(distances.numpy())
        assert distances[rows, columns].max() <= rtol * other.abs().max()
