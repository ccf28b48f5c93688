"""Tensors and their description on disk, whole at every moment.

The tensors lie in ``STEM-DIGEST.safetensors``, the description in ``STEM.json`` with the SHA-256 that gives
that file its name. The JSON file is replaced last: a process killed meanwhile leaves the old pair or the new.
"""

import hashlib
import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
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
    weights = _weights(folder, stem, digest)
    document = {"sha256": digest, **description}
    previous = _previous_weights(folder, stem)
    with _writing(folder):
        _replace(weights, content)
        _replace(folder / f"{stem}.json", json.dumps(document, indent=1).encode())
        if previous is not None and previous != weights:
            previous.unlink(missing_ok=True)


def require_writable(folder: Path) -> None:
    """Create the folder and raise CheckpointError if nothing can be written there."""
    with _writing(folder), tempfile.TemporaryFile(dir=folder):
        pass


def read_snapshot(folder: Path, stem: str) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """Tensors and description, or None if there is no snapshot; CheckpointError if it is damaged."""
    path = folder / f"{stem}.json"
    if not path.exists():
        return None
    try:
        description = json.loads(path.read_text())
        digest = description.pop("sha256")
        weights = _weights(folder, stem, digest)
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
    weights = _previous_weights(folder, stem)
    with _writing(folder):
        (folder / f"{stem}.json").unlink(missing_ok=True)
        if weights is not None:
            weights.unlink(missing_ok=True)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Create the folder; turn errors of the file system into one that names it and the remedy."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise CheckpointError(f"{folder} cannot be written ({error.strerror}): give a writable folder") from error


def _weights(folder: Path, stem: str, digest: str) -> Path:
    """File of the tensors with this SHA-256; ValueError if it is none."""
    if not re.fullmatch("[0-9a-f]{64}", digest):
        raise ValueError(f"{digest!r} is no SHA-256")
    return folder / f"{stem}-{digest[:16]}.safetensors"


def _previous_weights(folder: Path, stem: str) -> Path | None:
    """File of the tensors that the present description names; None without a readable one."""
    try:
        return _weights(folder, stem, json.loads((folder / f"{stem}.json").read_text())["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _replace(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; what a killed process leaves is overwritten by the next."""
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    part.replace(path)
