"""Tensors and their description on disk, whole at every moment.

The tensors lie in ``STEM-DIGEST.safetensors``, the description in ``STEM.json``, which names that file and
its SHA-256. The JSON file is replaced last: a process killed at any time leaves the old pair or the new one.
"""

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import Tensor


class CheckpointError(RuntimeError):
    """A checkpoint is damaged, unwritable or of another run; the message names the file and the remedy."""


def write_snapshot(folder: Path, stem: str, tensors: dict[str, Tensor], description: dict[str, Any]) -> None:
    """Write a snapshot in place of the one before; CheckpointError if the folder is not writable."""
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    content = safetensors.torch.save(plain)
    digest = hashlib.sha256(content).hexdigest()
    weights = folder / f"{stem}-{digest[:16]}.safetensors"
    document = {"weights": weights.name, "sha256": digest, **description}
    previous = _named_weights(folder, stem)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _replace(weights, content)
        _replace(folder / f"{stem}.json", json.dumps(document, indent=1).encode())
        if previous is not None and previous != weights:
            previous.unlink(missing_ok=True)
    except OSError as error:
        raise CheckpointError(
            f"{folder} cannot be written ({error.strerror}): give a writable folder"
        ) from error


def require_writable(folder: Path) -> None:
    """Create the folder and raise CheckpointError if nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise CheckpointError(
            f"{folder} cannot be written ({error.strerror}): give a writable folder"
        ) from error


def read_snapshot(folder: Path, stem: str) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """Tensors and description, or None if there is no snapshot; CheckpointError if it is damaged."""
    path = folder / f"{stem}.json"
    if not path.exists():
        return None
    try:
        description = json.loads(path.read_text())
        weights = folder / description.pop("weights")
        digest = description.pop("sha256")
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise CheckpointError(f"{path} is damaged ({error!r}): delete it, or give another folder") from error
    try:
        content = weights.read_bytes()
    except OSError as error:
        raise CheckpointError(
            f"{weights}, which {path.name} names, cannot be read ({error.strerror}): delete {path}"
        ) from error
    if hashlib.sha256(content).hexdigest() != digest:
        raise CheckpointError(
            f"{weights} is damaged: its SHA-256 is not the one in {path.name}: restore it, or delete {path}"
        )
    return safetensors.torch.load(content), description


def remove_snapshot(folder: Path, stem: str) -> None:
    """Delete the snapshot, if there is one."""
    weights = _named_weights(folder, stem)
    (folder / f"{stem}.json").unlink(missing_ok=True)
    if weights is not None:
        weights.unlink(missing_ok=True)


def _named_weights(folder: Path, stem: str) -> Path | None:
    """The file of tensors that the JSON file names; None without a readable one."""
    try:
        name = json.loads((folder / f"{stem}.json").read_text())["weights"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return folder / name


def _replace(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; what a killed process leaves is overwritten by the next."""
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    part.replace(path)
