"""Checks of arguments, with errors that name the parameter, the requirement, what came and the remedy."""

import torch
from torch import Tensor

_FLOATING = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def require_floating(name: str, tensor: Tensor) -> None:
    """Raise TypeError unless ``tensor`` is a real floating-point tensor."""
    if not isinstance(tensor, Tensor):
        raise TypeError(f"{name} must be a torch.Tensor; got {type(tensor).__name__}: wrap it in torch.as_tensor")
    if tensor.dtype not in _FLOATING:
        raise TypeError(f"{name} must be real floating point; got {tensor.dtype}: call .to(torch.float32) first")


def require_square(name: str, tensor: Tensor) -> None:
    """Raise ValueError unless ``tensor`` has shape (..., d, d)."""
    if tensor.ndim < 2 or tensor.shape[-1] != tensor.shape[-2]:
        raise ValueError(f"{name} must have shape (..., d, d); got {tuple(tensor.shape)}: put batch dimensions first")


def require_same_device(**tensors: Tensor) -> None:
    """Raise ValueError unless all tensors lie on one device."""
    devices = {name: str(tensor.device) for name, tensor in tensors.items()}
    if len(set(devices.values())) > 1:
        came = ", ".join(f"{name} on {device}" for name, device in devices.items())
        raise ValueError(f"{', '.join(devices)} must be on one device; got {came}: move them with .to(device)")


def first_of(bad: Tensor, noun: str) -> str:
    """Name the first True of a batch: "matrix 17 of 64"."""
    if bad.ndim == 0:
        return f"the {noun}"
    index = bad.nonzero()[0].tolist()
    if bad.ndim == 1:
        return f"{noun} {index[0]} of {len(bad)}"
    return f"{noun} {tuple(index)} of a batch of shape {tuple(bad.shape)}"
