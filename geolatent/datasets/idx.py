"""The idx format of LeCun, Cortes and Burges: magic number, dimensions, big-endian values."""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from geolatent.datasets.errors import DataError

_GZIP_MAGIC = b"\x1f\x8b"
_VALUE_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(path: str | Path) -> Tensor:
    """Read an idx file, plain or compressed with gzip.

    Args:
        path: the file; compression is recognised by its content, not by its name.

    Returns:
        Tensor of the dimensions and of the value type that the file states.

    Raises:
        DataError: if the file is missing, unreadable, truncated, too long or no idx file; names the file.
    """
    return parse_idx(read_content(path), path)


def read_content(path: str | Path) -> bytes:
    """Read a file and decompress it if it is a gzip file; DataError if that fails."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): check the path and its permissions") from error
    return decompress(content, path)


def decompress(content: bytes, path: str | Path) -> bytes:
    """Decompress gzip content and return any other as it is; ``path`` serves the error message."""
    if not content.startswith(_GZIP_MAGIC):
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, OSError, zlib.error) as error:
        raise DataError(
            f"{path} is a damaged or truncated gzip file ({error}): replace it by an intact copy"
        ) from error


def parse_idx(content: bytes, path: str | Path) -> Tensor:
    """Read decompressed idx content; ``path`` serves the error messages."""
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in _VALUE_TYPES:
        raise DataError(
            f"{path} must start with an idx magic number (00 00, value type 08..0e, number of dimensions); "
            f"got {content[:4].hex(' ') or 'an empty file'}: replace it by an idx file, plain or gzip"
        )
    value_type = np.dtype(_VALUE_TYPES[content[2]])
    start = 4 + 4 * content[3]
    if len(content) < start:
        raise DataError(f"{path} is truncated within its header of {start} bytes: replace it by an intact copy")
    shape = struct.unpack(f">{content[3]}I", content[4:start])
    expected = start + math.prod(shape) * value_type.itemsize
    if len(content) != expected:
        state = "truncated" if len(content) < expected else "too long"
        raise DataError(
            f"{path} is {state}: {value_type.itemsize}-byte values of shape {shape} need {expected} bytes; "
            f"got {len(content)}: replace it by an intact copy"
        )
    values = np.frombuffer(content, value_type, offset=start).reshape(shape)
    return torch.from_numpy(values.astype(value_type.newbyteorder("=")))
