"""A torch module as a function of one sample, checked to treat samples one by one."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import functional_call

from geolatent._checks import require_floating, require_same_device

Function = Callable[[Tensor], Tensor]


def working_dtype(x: Tensor) -> torch.dtype:
    """Data type of the computation: that of ``x``, with half precision raised to float32."""
    return torch.float64 if x.dtype == torch.float64 else torch.float32


def require_module(name: str, module: nn.Module, x: Tensor) -> None:
    """Raise unless ``module`` is an nn.Module in evaluation mode with the data type and device of ``x``."""
    if not isinstance(module, nn.Module):
        raise TypeError(
            f"{name} must be a torch.nn.Module; got {type(module).__name__}: wrap a function in a Module's forward"
        )
    require_floating("x", x)
    for key, parameter in module.named_parameters():
        require_same_device(**{"x": x, f"{name} parameter {key}": parameter})
        if parameter.dtype != x.dtype:
            raise TypeError(
                f"x must have the data type of the {name}, {parameter.dtype}; got {x.dtype}: "
                f"convert one of them with .to(dtype)"
            )
    for key, layer in module.named_modules():
        _require_samples_apart(f"{name} layer {key or '(itself)'}, {type(layer).__name__},", layer)


def _require_samples_apart(label: str, layer: nn.Module) -> None:
    """Raise where the layer's own state says that its answer is random or depends on the other samples."""
    if isinstance(layer, nn.modules.batchnorm._BatchNorm) and not layer.track_running_stats:
        raise ValueError(f"{label} must keep running statistics: without them samples interact; got none")
    random = isinstance(layer, nn.modules.dropout._DropoutNd) and layer.p > 0
    random = random or isinstance(layer, nn.RReLU) or _inner_dropout(layer) > 0
    running = isinstance(layer, nn.modules.batchnorm._NormBase) and layer.track_running_stats
    if layer.training and (random or running):
        raise ValueError(f"{label} must be in evaluation mode; got training mode: call .eval() on the module first")


def _inner_dropout(layer: nn.Module) -> float:
    """Dropout probability that recurrent and attention layers carry as a number."""
    return float(layer.dropout) if isinstance(layer, nn.RNNBase | nn.MultiheadAttention) else 0.0


def batch_function(module: nn.Module, dtype: torch.dtype) -> Function:
    """The module as a function of a batch, its floating-point state converted to ``dtype``."""
    if all(tensor.dtype == dtype for tensor in module.state_dict().values() if tensor.is_floating_point()):
        return module
    state = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    state = {key: tensor.to(dtype) if tensor.is_floating_point() else tensor for key, tensor in state.items()}
    return lambda x: functional_call(module, state, (x,))


def sample_function(function: Function) -> Function:
    """The function of one sample without batch axis, flattened.

    The batch axis is added inside: under vmap alone, Flatten and BatchNorm would see a batch without it.
    """
    return lambda sample: function(sample.unsqueeze(0)).flatten()
