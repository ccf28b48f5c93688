"""The whole state of a training run, and its checkpoint: enough to go on as if never interrupted."""

import hashlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.optim import Optimizer

from geolatent.training.history import History
from geolatent.training.snapshot import (
    CheckpointError,
    read_snapshot,
    remove_snapshot,
    require_writable,
    write_snapshot,
)

_STEM = "training"


@dataclass
class TrainingState:
    """Everything that the next epoch depends on."""

    model: nn.Module
    optimizer: Optimizer
    generator: Generator
    history: History = field(default_factory=History)
    best: dict[str, Tensor] = field(default_factory=dict)
    """The model's state after the best epoch; empty unless early stopping needs it."""

    def tensors(self) -> dict[str, Tensor]:
        """All tensors under one flat naming."""
        named = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        named |= {f"best.{name}": tensor for name, tensor in self.best.items()}
        for index, moments in self.optimizer.state_dict()["state"].items():
            named |= {f"optimizer.{index}.{name}": tensor for name, tensor in moments.items()}
        return named | {"generator": self.generator.get_state()}

    def restore(self, tensors: dict[str, Tensor], history: History) -> None:
        """Take over what :meth:`tensors` gave."""
        self.model.load_state_dict(_under("model.", tensors))
        self.best = _under("best.", tensors)
        moments: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _under("optimizer.", tensors).items():
            index, moment = name.split(".")
            moments.setdefault(int(index), {})[moment] = tensor
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": moments})
        self.generator.set_state(tensors["generator"])
        self.history = history


class Checkpoint:
    """The checkpoint of one run in one folder.

    Args:
        folder: where ``training.json`` and its safetensors file lie; created where missing.
        configuration: what the run is determined by, in values that JSON can hold.

    Raises:
        CheckpointError: if the folder cannot be written.
    """

    def __init__(self, folder: str | Path, configuration: dict[str, Any]) -> None:
        self.folder = Path(folder).expanduser()
        require_writable(self.folder)
        self.configuration = configuration

    def write(self, state: TrainingState) -> None:
        """Replace the checkpoint by this state."""
        description = {"history": asdict(state.history), "configuration": self.configuration}
        write_snapshot(self.folder, _STEM, state.tensors(), description)

    def restore(self, state: TrainingState, epochs: int) -> None:
        """Take over the checkpoint, if there is one; refuse that of another run, or one past ``epochs``."""
        snapshot = read_snapshot(self.folder, _STEM)
        if snapshot is None:
            return
        tensors, description = snapshot
        differences = _differences(description.get("configuration", {}), self.configuration)
        history = History(**description.get("history", {}))
        if history.epochs > epochs:
            differences.append(f"epochs ({history.epochs} already trained, {epochs} wanted)")
        if differences:
            raise CheckpointError(
                f"{self.folder} holds the checkpoint of another run, different in {', '.join(differences)}: "
                "pass resume=False to overwrite it, or give another folder"
            )
        state.restore(tensors, history)

    def remove(self) -> None:
        """Delete the checkpoint, if there is one."""
        remove_snapshot(self.folder, _STEM)


def fingerprint(data: Tensor | None) -> dict[str, Any] | None:
    """Shape, type and SHA-256 of the data, to tell it from any other."""
    if data is None:
        return None
    values = data.detach().cpu().contiguous().view(torch.uint8).numpy().data
    return {"shape": list(data.shape), "dtype": str(data.dtype), "sha256": hashlib.sha256(values).hexdigest()}


def _differences(theirs: dict[str, Any], ours: dict[str, Any]) -> list[str]:
    """Names of the entries that differ, with both values where they are short."""
    found = []
    for name in sorted(theirs.keys() | ours.keys()):
        was, wanted = theirs.get(name), ours.get(name)
        if was != wanted:
            values = f" ({was} there, {wanted} here)"
            found.append(f"{name}{values}" if len(values) < 100 else name)
    return found


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
