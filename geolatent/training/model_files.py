"""Models on disk: weights in safetensors, class and constructor arguments in JSON."""

from pathlib import Path
from typing import TypeVar

from torch import Tensor, nn

from geolatent.training.snapshot import CheckpointError, read_snapshot, write_snapshot

Model = TypeVar("Model", bound=nn.Module)

_STEM = "model"


def save(model: nn.Module, folder: str | Path) -> Path:
    """Write a model's weights and the arguments that rebuild it, in place of the model saved there before.

    The folder holds ``model.json`` and the safetensors file that it names. A process killed meanwhile leaves
    the old model or the new one.

    Args:
        model: any module; its ``config``, if it has one, is written too.
        folder: created where missing.

    Returns:
        The folder.

    Raises:
        CheckpointError: if the folder cannot be written.
    """
    folder = Path(folder).expanduser()
    description = {"class": type(model).__name__, "config": getattr(model, "config", None)}
    write_snapshot(folder, _STEM, model.state_dict(), description)
    return folder


def load(model: Model | type[Model], folder: str | Path) -> Model:
    """Read a saved model.

    Args:
        model: a class, built from the saved arguments; or a model of the same layers, to be overwritten.
        folder: as given to :func:`save`.

    Returns:
        The model, with the saved weights and their dtype.

    Raises:
        CheckpointError: if there is no such model, its files are damaged, or it is a model of another kind.
    """
    folder = Path(folder).expanduser()
    snapshot = read_snapshot(folder, _STEM)
    if snapshot is None:
        raise CheckpointError(f"{folder} holds no {_STEM}.json: give the folder that save wrote")
    weights, description = snapshot
    if isinstance(model, nn.Module):
        target = model
    else:
        target = _rebuild(model, description, folder)
        target.to(next((tensor.dtype for tensor in weights.values() if tensor.is_floating_point()), None))
    _require_same_layout(target, weights, folder)
    target.load_state_dict(weights)
    return target


def _rebuild(model_class: type[Model], description: dict, folder: Path) -> Model:
    if description.get("class") != model_class.__name__:
        raise CheckpointError(f"{folder} holds a {description.get('class')}, not a {model_class.__name__}: load that")
    try:
        return model_class(**description.get("config", {}))
    except (TypeError, ValueError) as error:
        raise CheckpointError(
            f"{model_class.__name__} cannot be rebuilt from {folder / 'model.json'} ({error}): "
            "build the model yourself and call load(model, folder)"
        ) from error


def _require_same_layout(model: nn.Module, weights: dict[str, Tensor], folder: Path) -> None:
    ours = {name: (tuple(tensor.shape), tensor.dtype) for name, tensor in model.state_dict().items()}
    theirs = {name: (tuple(tensor.shape), tensor.dtype) for name, tensor in weights.items()}
    different = [name for name in sorted(ours.keys() | theirs.keys()) if ours.get(name) != theirs.get(name)]
    if different:
        name = different[0]
        raise CheckpointError(
            f"{folder} holds a model of other layers: {len(different)} tensors differ, such as {name}: "
            f"{theirs.get(name, 'none')} there, {ours.get(name, 'none')} here: build the model as saved"
        )
