"""The layers that the models are built of: linear maps and convolutions with a seeded start, activations by name."""

import copy
import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from numbers import Integral

from torch import Generator, nn

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "leaky_relu": nn.LeakyReLU,
    "gelu": nn.GELU,
    "identity": nn.Identity,
}

Activation = str | nn.Module | Callable[[], nn.Module]
"""A name of ``ACTIVATIONS``, a module class or another factory, or a module, copied for every layer."""


def linear(n_inputs: int, n_outputs: int, bias: bool, generator: Generator | None) -> nn.Linear:
    """nn.Linear whose start, the same uniform law as torch's, is drawn from ``generator``.

    With None it draws from torch's default generator: exactly the weights of nn.Linear.
    """
    layer = nn.utils.skip_init(nn.Linear, n_inputs, n_outputs, bias=bias)
    nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=generator)
    if bias:
        bound = 1 / math.sqrt(n_inputs)
        nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
    return layer


def convolution(n_inputs: int, n_outputs: int, kernel_size: int, generator: Generator | None) -> nn.Conv2d:
    """nn.Conv2d that keeps the image's size, ``kernel_size`` odd.

    It starts from Glorot's uniform law and offsets of zero: through twenty layers torch's own, of less variance,
    loses the signal. None draws from torch's default generator.
    """
    layer = nn.utils.skip_init(nn.Conv2d, n_inputs, n_outputs, kernel_size, padding=kernel_size // 2)
    nn.init.xavier_uniform_(layer.weight, generator=generator)
    nn.init.zeros_(layer.bias)
    return layer


def make_activation(activation: Activation) -> nn.Module:
    """Build one activation module."""
    if isinstance(activation, str):
        if activation not in ACTIVATIONS:
            raise ValueError(
                f"an activation must be one of {', '.join(ACTIVATIONS)}, or an nn.Module class; "
                f"got {activation!r}: give any other function as its nn.Module class"
            )
        return ACTIVATIONS[activation]()
    if isinstance(activation, nn.Module):
        return copy.deepcopy(activation)
    module = activation() if callable(activation) else None
    if not isinstance(module, nn.Module):
        raise TypeError(
            "an activation must be a name, an nn.Module class, a factory of modules or a module; "
            f"got {activation!r}: give for instance 'relu' or torch.nn.ReLU"
        )
    return module


def activation_name(activation: Activation | None) -> str | None:
    """The name in ``ACTIVATIONS`` if it has one, else a description; None stays None."""
    if activation is None:
        return None
    for name, module_class in ACTIVATIONS.items():
        if activation == name or activation is module_class:
            return name
    return repr(activation)


def perceptron(
    widths: Sequence[int], activation: Activation, last: Activation | None, generator: Generator | None
) -> nn.Sequential:
    """Linear maps between ``widths``, an activation after each but the last, and ``last`` after that."""
    layers: list[nn.Module] = []
    for n_inputs, n_outputs in pairwise(widths[:-1]):
        layers += [linear(n_inputs, n_outputs, True, generator), make_activation(activation)]
    layers.append(linear(widths[-2], widths[-1], True, generator))
    if last is not None:
        layers.append(make_activation(last))
    return nn.Sequential(*layers)


def checked_width(parameter: str, width: int) -> int:
    """``width`` as an int; raise unless it is a whole number of at least 1."""
    if not isinstance(width, Integral) or isinstance(width, bool):
        raise TypeError(f"{parameter} must be an integer; got {width!r}: a layer has a whole number of units")
    if width < 1:
        raise ValueError(f"{parameter} must be at least 1; got {width}: a layer needs at least one unit")
    return int(width)
