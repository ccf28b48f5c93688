import gzip
import struct

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from geolatent.datasets import DataError, read_idx
from geolatent.datasets.idx import parse_idx

TYPES = {0x08: "u1", 0x09: "i1", 0x0B: "i2", 0x0C: "i4", 0x0D: "f4", 0x0E: "f8"}


def idx_content(values: np.ndarray, code: int) -> bytes:
    header = bytes([0, 0, code, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    return header + values.astype(f">{TYPES[code]}").tobytes()


IMAGES = np.arange(24).reshape(2, 3, 4)


@pytest.mark.parametrize("code", TYPES)
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_reads_every_value_type_plain_and_gzip(tmp_path, code, compress):
    path = tmp_path / "file"
    path.write_bytes(compress(idx_content(IMAGES, code)))
    values = read_idx(path)
    assert values.dtype == torch.from_numpy(IMAGES.astype(TYPES[code])).dtype
    assert torch.equal(values, torch.from_numpy(IMAGES.astype(TYPES[code])))


@given(st.lists(st.integers(0, 4), max_size=4), st.sampled_from(sorted(TYPES)), st.integers(0, 2**32 - 1))
def test_any_shape_round_trips(shape, code, seed):
    values = np.random.default_rng(seed).integers(0, 127, shape).astype(TYPES[code])
    assert torch.equal(parse_idx(idx_content(values, code), "file"), torch.from_numpy(values))


@given(st.integers(0, len(idx_content(IMAGES, 0x08)) - 1))
def test_every_truncation_is_refused(length):
    with pytest.raises(DataError, match="some-file"):
        parse_idx(idx_content(IMAGES, 0x08)[:length], "some-file")


@pytest.mark.parametrize("length", [1, 5, 10, 20, 30])
def test_truncated_gzip_is_refused(tmp_path, length):
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(idx_content(IMAGES, 0x08))[:length])
    with pytest.raises(DataError, match=r"images\.gz .*intact copy|images\.gz must start"):
        read_idx(path)


def test_damaged_gzip_is_refused(tmp_path):
    path = tmp_path / "images.gz"
    content = bytearray(gzip.compress(idx_content(IMAGES, 0x08)))
    content[-6] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"images\.gz is a damaged or truncated gzip file"):
        read_idx(path)


def test_too_long_is_refused():
    with pytest.raises(DataError, match=r"file is too long: .*need 40 bytes; got 41"):
        parse_idx(idx_content(IMAGES, 0x08) + b"\0", "file")


@pytest.mark.parametrize("start", [b"", b"\0\0", b"\x89PNG", b"\0\1\x08\1", b"\0\0\x07\1"])
def test_wrong_magic_is_refused(start):
    with pytest.raises(DataError, match="must start with an idx magic number"):
        parse_idx(start + bytes(20) if len(start) == 4 else start, "file")


def test_missing_file_and_folder_are_named(tmp_path):
    with pytest.raises(DataError, match=r"nothing-here cannot be read .*check the path"):
        read_idx(tmp_path / "nothing-here")
    with pytest.raises(DataError, match="cannot be read"):
        read_idx(tmp_path)
