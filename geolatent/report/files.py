"""Files that are whole or absent."""

import os
import tempfile
from pathlib import Path


class OutputError(RuntimeError):
    """The output folder cannot be written; the message names it and the remedy."""


def require_writable(folder: str | os.PathLike[str]) -> Path:
    """Create ``folder`` and prove that files can be written into it, before any computation.

    Args:
        folder: where results will be written.

    Returns:
        The folder as an absolute path.

    Raises:
        OutputError: if it cannot be created or written; names the folder and the reason.
    """
    path = Path(folder).expanduser().absolute()
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"out must be a writable folder; got {path} ({reason}): choose another folder") from error
    return path


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file through a temporary one beside it, so that a reader never sees half of it.

    Args:
        path: the file; its folder is created where missing.
        content: all of its bytes.

    Raises:
        OutputError: if the file cannot be written; names it and the reason.
    """
    temporary: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        Path(temporary).chmod(0o666 & ~umask)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        reason = error.strerror or str(error)
        raise OutputError(f"cannot write {path} ({reason}): free space or choose another folder") from error
