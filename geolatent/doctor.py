"""Self-check of the compiled kernels on this machine, one instruction set at a time."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from geolatent import _kernels
from geolatent.jacobians import autoencoder_spectrum, jacobian
from geolatent.linalg import eigh, eigvals, eigvalsh, svdvals
from geolatent.manifolds import MultivariateGaussians
from geolatent.models import MLPAutoencoder

_DIMENSIONS = (1, 2, 3, 4, 8, 13, 20, 32)
_BATCH = 64
_ALLOWED = 20.0


class Check(NamedTuple):
    """One operation at one precision; ``ratio`` is the worst error over its bound, good up to 1."""

    operation: str
    isa: str
    dtype: str
    ratio: float

    @property
    def passed(self) -> bool:
        """Whether the error kept its bound; a NaN did not."""
        return self.ratio <= 1.0


def native_kernels() -> list[str]:
    """Names of the compiled kernels; empty where everything runs as torch formulas."""
    names = dir(_kernels.core) if _kernels.core is not None else []
    return sorted(name.removesuffix("_f64") for name in names if name.endswith("_f64"))


def find_data(name: str) -> str:
    """Where the files of a data set lie on this machine, in words; nothing is downloaded."""
    import pooch

    if name == "digits":
        return "comes with scikit-learn"
    for place in (os.environ.get("GEOLATENT_DATA"), pooch.os_cache("geolatent")):
        folder = Path(place).expanduser() / name if place else None
        if folder is not None and any(folder.glob("train-images-idx3-ubyte*")):
            return str(folder)
    return f"not on this machine: geolatent data {name} fetches it"


def self_check() -> list[Check]:
    """Check every operation that has a kernel, at every instruction set that this machine runs."""
    checks = []
    for level in _kernels.isa_levels() or ["torch"]:
        with _instruction_set(level):
            for dtype in (torch.float32, torch.float64):
                precision = str(dtype).removeprefix("torch.")
                checks.append(Check("linalg.eigvals", level, precision, _eigvals_ratio(dtype)))
                checks.append(Check("linalg.eigh", level, precision, _eigh_ratio(dtype)))
                checks.append(Check("linalg.svdvals", level, precision, _svdvals_ratio(dtype)))
                checks.append(Check("jacobians.autoencoder_spectrum", level, precision, _spectrum_ratio(dtype)))
            checks.append(Check("manifolds.MultivariateGaussians", level, "float64", _fisher_rao_ratio()))
    return checks


def residual(matrices: Tensor, eigenvalues: Tensor) -> Tensor:
    r"""Backward error of each eigenvalue, :math:`\sigma_\min(A - \lambda I)`, shape (..., d), in float64."""
    wide = matrices.to(torch.complex128).unsqueeze(-3)
    identity = torch.eye(matrices.shape[-1], dtype=torch.complex128)
    shifted = wide - eigenvalues.to(torch.complex128)[..., None, None] * identity
    return torch.linalg.svdvals(shifted)[..., -1]


@contextmanager
def _instruction_set(level: str) -> Iterator[None]:
    before = _kernels.isa()
    if level != before:
        _kernels.use_isa(level)
    try:
        yield
    finally:
        if level != before:
            _kernels.use_isa(before)


def _eigvals_ratio(dtype: torch.dtype) -> float:
    """Worst sigma_min(A - lambda I) / (20 d eps ||A||) over random matrices of several sizes."""
    generator = torch.Generator().manual_seed(0)
    worst = []
    for d in _DIMENSIONS:
        matrices = torch.randn(_BATCH, d, d, generator=generator, dtype=dtype)
        bound = _ALLOWED * d * torch.finfo(dtype).eps / 2 * torch.linalg.matrix_norm(matrices.double(), 2)
        worst.append((residual(matrices, eigvals(matrices)) / bound.unsqueeze(-1)).max())
    return float(torch.stack(worst).max())


def _eigh_ratio(dtype: torch.dtype) -> float:
    """Worst of ||A V - V L|| / ||A||, ||V' V - I|| and the eigenvalues' error, all over 20 d eps."""
    generator = torch.Generator().manual_seed(0)
    worst = []
    for d in _DIMENSIONS:
        matrices = torch.randn(_BATCH, d, d, generator=generator, dtype=dtype)
        matrices = matrices + matrices.mT
        values, vectors = eigh(matrices)
        wide, basis = matrices.double(), vectors.double()
        size = torch.linalg.matrix_norm(wide, 2)
        residual = torch.linalg.matrix_norm(wide @ basis - basis * values.double().unsqueeze(-2), 2) / size
        oblique = torch.linalg.matrix_norm(basis.mT @ basis - torch.eye(d, dtype=torch.float64), 2)
        apart = (eigvalsh(matrices).double() - torch.linalg.eigvalsh(wide)).abs().amax(-1) / size
        bound = _ALLOWED * d * torch.finfo(dtype).eps / 2
        worst.append((residual.maximum(oblique).maximum(apart) / bound).max())
    return float(torch.stack(worst).max())


def _svdvals_ratio(dtype: torch.dtype) -> float:
    """Worst error of a singular value over 20 d eps ||A||."""
    generator = torch.Generator().manual_seed(0)
    worst = []
    for d in _DIMENSIONS:
        matrices = torch.randn(_BATCH, d, d, generator=generator, dtype=dtype)
        exact = torch.linalg.svdvals(matrices.double())
        bound = _ALLOWED * d * torch.finfo(dtype).eps / 2 * exact[:, :1]
        worst.append(((svdvals(matrices).double() - exact).abs() / bound).max())
    return float(torch.stack(worst).max())


def _spectrum_ratio(dtype: torch.dtype) -> float:
    """The same for Df Dg of an autoencoder, formed in float64 by torch.func; the bound counts products."""
    generator = torch.Generator().manual_seed(1)
    model = MLPAutoencoder(64, 8, generator=generator).to(dtype).eval()
    x = torch.rand(_BATCH, 64, generator=generator, dtype=dtype)
    spectrum = autoencoder_spectrum(model.encoder, model.decoder, x)
    exact, wide = model.double(), x.double()
    with torch.no_grad():
        codes = exact.encode(wide)
    encoder, decoder = jacobian(exact.encoder, wide), jacobian(exact.decoder, codes)
    size = torch.linalg.matrix_norm(encoder) * torch.linalg.matrix_norm(decoder)
    bound = _ALLOWED * 8 * torch.finfo(dtype).eps * size
    return float((residual(encoder @ decoder, spectrum.eigenvalues) / bound.unsqueeze(-1)).max())


def _fisher_rao_ratio() -> float:
    """Worst gap of the distance to norm(log) and of exp(log) to its end over their bounds, in several dimensions."""
    generator = torch.Generator().manual_seed(2)
    worst = []
    for n in (1, 2, 5, 9):
        manifold = MultivariateGaussians(n)
        first, second = (manifold.random_point((_BATCH,), generator) for _ in range(2))
        distance, velocity = manifold.dist(second, first), manifold.log(second, first)
        closing = manifold.dist(manifold.exp(velocity, first), second)
        worst += [(distance / manifold.norm(velocity, first) - 1).abs().max() / 1e-12, closing.max() / 1e-10]
    return float(torch.stack(worst).max())
