"""What fit requires of its arguments."""

import math
from dataclasses import dataclass
from numbers import Integral

import torch
from torch import Tensor, nn

from geolatent._checks import require_floating


@dataclass(frozen=True)
class Settings:
    """The numbers that steer a run; refused if out of range."""

    epochs: int
    batch_size: int
    lr: float
    weight_decay: float
    patience: int | None
    checkpoint_every: int

    def __post_init__(self) -> None:
        _require_count("epochs", self.epochs, least=0)
        _require_count("batch_size", self.batch_size, least=1)
        _require_count("checkpoint_every", self.checkpoint_every, least=1)
        if self.patience is not None:
            _require_count("patience", self.patience, least=1)
        if not (math.isfinite(self.lr) and self.lr > 0):
            raise ValueError(f"lr must be finite and above 0; got {self.lr}: 1e-3 is Adam's usual step size")
        if not (math.isfinite(self.weight_decay) and self.weight_decay >= 0):
            raise ValueError(f"weight_decay must be finite and at least 0; got {self.weight_decay}: 0 turns it off")


def require_trainable(model: nn.Module) -> None:
    """Raise unless the model has a loss and something to train, all on one device."""
    if not isinstance(model, nn.Module) or not callable(getattr(model, "loss", None)):
        raise TypeError(
            f"model must be an nn.Module with a method loss(batch); got {type(model).__name__}: "
            "use a class of geolatent.models, or add the method"
        )
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise ValueError("model must have parameters to train; got none with requires_grad: unfreeze some")
    devices = sorted({str(parameter.device) for parameter in model.parameters()})
    if len(devices) > 1:
        raise ValueError(f"model must lie on one device; got parameters on {', '.join(devices)}: pass device=")


def require_samples(name: str, data: Tensor, like: Tensor) -> None:
    """Raise unless data is (N, ...), not empty, finite, and of the dtype and device of ``like``."""
    require_floating(name, data)
    if data.ndim < 1 or data.numel() == 0:
        raise ValueError(f"{name} must hold at least one sample; got shape {tuple(data.shape)}: check its source")
    if data.dtype != like.dtype:
        raise TypeError(
            f"{name} must have the model's dtype {like.dtype}; got {data.dtype}: call {name}.to({like.dtype})"
        )
    if data.device != like.device:
        raise ValueError(f"{name} must be on the model's device {like.device}; got {data.device}: pass device=")
    bad = ~torch.isfinite(data.detach()).flatten(1).all(1) if data.ndim > 1 else ~torch.isfinite(data.detach())
    if bad.any():
        raise ValueError(
            f"{name} must be finite; got NaN or Inf in {int(bad.sum())} of {len(data)} samples, the first at "
            f"index {int(bad.nonzero()[0, 0])}: remove them with {name}[{name}.isfinite().flatten(1).all(1)]"
        )


def _require_count(name: str, value: int, least: int) -> None:
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{name} must be an integer; got {value!r}: pass a whole number of at least {least}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}; got {value}: pass a whole number of at least {least}")
