"""Search, verification and download, on tiny files with their own SHA-256 and a mirror on localhost."""

import functools
import gzip
import hashlib
import http.server
import struct
import threading

import numpy as np
import pytest
import torch

from geolatent import datasets
from geolatent.datasets import DataError, mnist

N_IMAGES = {"train": 6, "t10k": 3}
NAMES = ("mnist", "fashion-mnist")


def bytes_as_idx(values):
    header = bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    return header + values.astype(np.uint8).tobytes()


def tiny_files(name):
    random = np.random.default_rng(NAMES.index(name))
    files = {}
    for prefix, n in N_IMAGES.items():
        files[f"{prefix}-images-idx3-ubyte"] = bytes_as_idx(random.integers(0, 256, (n, 4, 5)))
        files[f"{prefix}-labels-idx1-ubyte"] = bytes_as_idx(random.integers(0, 10, n))
    return files


def write_files(folder, name, compress=True):
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in tiny_files(name).items():
        path = folder / (f"{file}.gz" if compress else file)
        path.write_bytes(gzip.compress(content) if compress else content)


@pytest.fixture(autouse=True)
def tiny_world(monkeypatch, tmp_path):
    """Digests of the tiny files, no GEOLATENT_DATA, an empty cache, and mirrors that nobody answers at."""
    digests = {
        name: {file: hashlib.sha256(content).hexdigest() for file, content in tiny_files(name).items()}
        for name in NAMES
    }
    monkeypatch.setattr(mnist, "SHA256", digests)
    monkeypatch.setattr(mnist, "MIRRORS", dict.fromkeys(NAMES, "http://127.0.0.1:9/"))
    monkeypatch.delenv("GEOLATENT_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("pooch.os_cache", lambda project: tmp_path / "cache" / project)


@pytest.fixture
def mirror(monkeypatch, tmp_path):
    """A mirror of MNIST on localhost; yields the folder that it serves."""
    write_files(tmp_path / "mirror", "mnist")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    handler = functools.partial(Quiet, directory=str(tmp_path / "mirror"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setattr(mnist, "MIRRORS", {"mnist": f"http://127.0.0.1:{server.server_port}/"})
        yield tmp_path / "mirror"
        server.shutdown()
        thread.join()


def expected(name, prefixes):
    files = tiny_files(name)
    images = np.concatenate(
        [np.frombuffer(files[f"{p}-images-idx3-ubyte"][16:], np.uint8).reshape(-1, 4, 5) for p in prefixes]
    )
    labels = np.concatenate([np.frombuffer(files[f"{p}-labels-idx1-ubyte"][8:], np.uint8) for p in prefixes])
    return torch.as_tensor(images.astype(np.float32) / 255), torch.as_tensor(labels.astype(np.int64))


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("place", ["root", "environment", "cache"])
@pytest.mark.parametrize("subfolder", ["mnist", ""])
def test_files_are_found_in_every_place(tmp_path, monkeypatch, place, subfolder, compress):
    folder = tmp_path / "cache" / "geolatent" if place == "cache" else tmp_path / "place"
    write_files(folder / subfolder, "mnist", compress)
    if place == "environment":
        monkeypatch.setenv("GEOLATENT_DATA", str(folder))
    root = folder if place == "root" else None
    for split, prefixes in [("train", ["train"]), ("test", ["t10k"]), ("all", ["train", "t10k"])]:
        images, labels = datasets.load("mnist", split=split, root=root)
        assert torch.equal(images, expected("mnist", prefixes)[0])
        assert torch.equal(labels, expected("mnist", prefixes)[1])
    assert datasets.fetch("mnist", root=root) == folder / subfolder


def test_root_comes_before_the_environment(tmp_path, monkeypatch):
    write_files(tmp_path / "root" / "mnist", "mnist")
    damaged = tmp_path / "environment" / "mnist"
    damaged.mkdir(parents=True)
    (damaged / "train-images-idx3-ubyte").write_bytes(b"never read")
    monkeypatch.setenv("GEOLATENT_DATA", str(tmp_path / "environment"))
    assert len(datasets.load("mnist", root=tmp_path / "root").images) == 6
    with pytest.raises(DataError, match="environment/mnist/train-images-idx3-ubyte is not mnist's"):
        datasets.load("mnist")


@pytest.mark.parametrize("compress", [True, False])
def test_damaged_file_is_named_and_refused(tmp_path, compress):
    write_files(tmp_path / "mnist", "mnist", compress)
    path = tmp_path / "mnist" / f"t10k-images-idx3-ubyte{'.gz' if compress else ''}"
    content = bytearray(tiny_files("mnist")["t10k-images-idx3-ubyte"])
    content[20] ^= 1
    path.write_bytes(gzip.compress(content) if compress else content)
    assert len(datasets.load("mnist", split="train", root=tmp_path).images) == 6
    with pytest.raises(DataError, match=rf"{path.name} is not mnist's .*SHA-256.*`geolatent data mnist`"):
        datasets.load("mnist", split="test", root=tmp_path)
    with pytest.raises(DataError, match=path.name):
        datasets.fetch("mnist", root=tmp_path)


def test_truncated_gzip_is_named_and_refused(tmp_path):
    write_files(tmp_path / "mnist", "mnist")
    path = tmp_path / "mnist" / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=rf"{path.name} is a damaged or truncated gzip .*`geolatent data mnist`"):
        datasets.load("mnist", root=tmp_path)


def test_files_of_the_other_set_in_the_folder_itself_are_passed_over(tmp_path):
    write_files(tmp_path, "mnist")
    with pytest.raises(DataError, match="fashion-mnist was not found in"):
        datasets.load("fashion-mnist", root=tmp_path)


def test_files_of_the_other_set_under_the_wrong_name_are_refused(tmp_path):
    write_files(tmp_path / "fashion-mnist", "mnist")
    with pytest.raises(DataError, match="is not fashion-mnist's"):
        datasets.load("fashion-mnist", root=tmp_path)


@pytest.mark.parametrize("call", [datasets.load, datasets.fetch])
def test_offline_error_says_where_it_looked_and_what_to_do(tmp_path, monkeypatch, call):
    monkeypatch.setenv("GEOLATENT_DATA", str(tmp_path / "environment"))
    with pytest.raises(DataError) as caught:
        call("mnist", root=tmp_path / "root")
    message = str(caught.value)
    for part in (tmp_path / "root" / "mnist", tmp_path / "environment", tmp_path / "cache", "GEOLATENT_DATA"):
        assert str(part) in message
    assert "`geolatent data mnist --root DIR`" in message
    assert not (tmp_path / "root").exists()
    assert not (tmp_path / "cache").exists()


def test_fetch_downloads_into_root(tmp_path, mirror):
    folder = datasets.fetch("mnist", root=tmp_path / "root")
    assert folder == tmp_path / "root" / "mnist"
    assert sorted(path.name for path in folder.iterdir()) == sorted(f"{file}.gz" for file in tiny_files("mnist"))
    for path in mirror.iterdir():
        path.unlink()
    assert datasets.fetch("mnist", root=tmp_path / "root") == folder
    assert len(datasets.load("mnist", split="all", root=tmp_path / "root").images) == 9


def test_load_downloads_into_the_cache_what_it_needs(tmp_path, mirror):
    images, labels = datasets.load("mnist", split="test")
    assert torch.equal(images, expected("mnist", ["t10k"])[0])
    assert torch.equal(labels, expected("mnist", ["t10k"])[1])
    names = sorted(path.name for path in (tmp_path / "cache" / "geolatent" / "mnist").iterdir())
    assert names == ["t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"]


def test_fetch_into_root_copies_what_this_machine_has(tmp_path, monkeypatch):
    write_files(tmp_path / "environment" / "mnist", "mnist")
    monkeypatch.setenv("GEOLATENT_DATA", str(tmp_path / "environment"))
    folder = datasets.fetch("mnist", root=tmp_path / "root")
    assert folder == tmp_path / "root" / "mnist"
    assert len(list(folder.iterdir())) == 4


def test_fetch_without_root_completes_the_cache(tmp_path, monkeypatch):
    write_files(tmp_path / "environment" / "mnist", "mnist")
    monkeypatch.setenv("GEOLATENT_DATA", str(tmp_path / "environment"))
    assert datasets.fetch("mnist") == tmp_path / "environment" / "mnist"
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("damage", [lambda content: content[:-30], lambda content: b"<html>sorry</html>"])
def test_damaged_download_is_refused_and_not_written(tmp_path, mirror, damage):
    path = mirror / "t10k-labels-idx1-ubyte.gz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match=f"http.*{path.name}"):
        datasets.load("mnist", split="test", root=tmp_path / "root")
    assert [path.name for path in (tmp_path / "root" / "mnist").iterdir()] == ["t10k-images-idx3-ubyte.gz"]


def test_missing_file_on_the_mirror(tmp_path, mirror):
    (mirror / "t10k-images-idx3-ubyte.gz").unlink()
    with pytest.raises(DataError, match=r"cannot be downloaded \(HTTPError\)"):
        datasets.load("mnist", split="test", root=tmp_path / "root")
    assert not (tmp_path / "root").exists()


def test_unwritable_root_is_named(tmp_path, mirror):
    (tmp_path / "root").write_text("a file where a folder is wanted")
    with pytest.raises(DataError, match=r"cannot be written .*: give a writable folder as root"):
        datasets.fetch("mnist", root=tmp_path / "root")
    assert (tmp_path / "root").read_text() == "a file where a folder is wanted"


def test_the_digests_are_those_of_eight_different_files():
    published = [digest for digests in ORIGINAL_SHA256.values() for digest in digests.values()]
    assert len(set(published)) == 8
    assert all(len(digest) == 64 for digest in published)


ORIGINAL_SHA256 = mnist.SHA256
