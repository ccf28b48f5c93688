"""MNIST and Fashion-MNIST: four idx files each, looked for on this machine, then downloaded, always verified.

SHA-256 is taken of the decompressed content: mirrors differ in their gzip containers, never in the data.
"""

import contextlib
import hashlib
import io
import os
from pathlib import Path

import torch
from torch import Tensor

from geolatent.datasets.errors import DataError
from geolatent.datasets.idx import decompress, parse_idx, read_content

MIRRORS = {
    "mnist": "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "fashion-mnist": "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
}
SHA256 = {
    "mnist": {
        "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
    "fashion-mnist": {
        "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
}
_PREFIXES = {"train": ("train",), "test": ("t10k",), "all": ("train", "t10k")}


def load_mnist(name: str, split: str, root: str | Path | None) -> tuple[Tensor, Tensor]:
    """Load images in [0, 1] and labels; "all" is the training set followed by the test set."""
    images = [_read(name, f"{prefix}-images-idx3-ubyte", root) for prefix in _PREFIXES[split]]
    labels = [_read(name, f"{prefix}-labels-idx1-ubyte", root) for prefix in _PREFIXES[split]]
    return torch.cat(images).to(torch.float32).div_(255), torch.cat(labels).to(torch.int64)


def fetch_mnist(name: str, root: str | Path | None, progress: bool = False) -> Path:
    """Verify all four files, after copying or downloading what is missing; return their folder."""
    folders = _folders(name, root)
    if root is not None:
        folders = folders[:2]
    for folder in folders:
        if all(_find_in(folder, name, file) for file in SHA256[name]):
            return folder
    target = _target(name, root)
    for file in SHA256[name]:
        if _find_in(target, name, file):
            continue
        found = _find(name, file, root)
        if found is None:
            _download(name, file, root, progress)
        else:
            _write(target / found[0].name, found[0].read_bytes())
    return target


def _read(name: str, file: str, root: str | Path | None) -> Tensor:
    found = _find(name, file, root)
    path, content = found if found is not None else _download(name, file, root)
    return parse_idx(content, path)


def _folders(name: str, root: str | Path | None) -> list[Path]:
    """Where files are looked for, in this order."""
    import pooch

    places = [root, os.environ.get("GEOLATENT_DATA") or None, pooch.os_cache("geolatent")]
    expanded = [Path(place).expanduser() for place in places if place is not None]
    return [folder for place in expanded for folder in (place / name, place)]


def _target(name: str, root: str | Path | None) -> Path:
    """Where new files go: into ``root`` if given, else into the cache."""
    folders = _folders(name, root)
    return folders[0] if root is not None else folders[-2]


def _find(name: str, file: str, root: str | Path | None) -> tuple[Path, bytes] | None:
    for folder in _folders(name, root):
        found = _find_in(folder, name, file)
        if found is not None:
            return found
    return None


def _find_in(folder: Path, name: str, file: str) -> tuple[Path, bytes] | None:
    """Path and verified content, or None if the folder has no such file."""
    for path in (folder / f"{file}.gz", folder / file):
        if not path.is_file():
            continue
        try:
            content = read_content(path)
        except DataError as error:
            raise DataError(f"{error}, or delete it and run `geolatent data {name}`") from error
        if folder.name != name and _belongs_to_another_set(content, name):
            continue
        _verify(content, name, file, path)
        return path, content
    return None


def _belongs_to_another_set(content: bytes, name: str) -> bool:
    digest = hashlib.sha256(content).hexdigest()
    return any(digest in digests.values() for other, digests in SHA256.items() if other != name)


def _verify(content: bytes, name: str, file: str, source: str | Path) -> None:
    digest = hashlib.sha256(content).hexdigest()
    if digest != SHA256[name][file]:
        raise DataError(
            f"{source} is not {name}'s {file}: decompressed, it must have SHA-256 {SHA256[name][file]}; "
            f"got {digest}: replace it by an intact copy, or delete it and run `geolatent data {name}`"
        )


def _download(name: str, file: str, root: str | Path | None, progress: bool = False) -> tuple[Path, bytes]:
    """Download a file, verify it in memory, and only then write it."""
    import pooch

    url = f"{MIRRORS[name]}{file}.gz"
    buffer = io.BytesIO()
    try:
        pooch.HTTPDownloader(progressbar=progress, timeout=30)(url, buffer, None)
    except OSError as error:
        looked = ", ".join(str(folder) for folder in _folders(name, root))
        raise DataError(
            f"{file} of {name} was not found in {looked}, and {url} cannot be downloaded "
            f"({type(error).__name__}): set GEOLATENT_DATA or root to a folder that has {name}/{file}.gz, "
            f"or run `geolatent data {name} --root DIR` on a machine with a network and copy DIR"
        ) from error
    content = decompress(buffer.getvalue(), url)
    _verify(content, name, file, url)
    path = _target(name, root) / f"{file}.gz"
    _write(path, buffer.getvalue())
    return path, content


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        raise DataError(f"{path} cannot be written ({error.strerror}): give a writable folder as root") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
