"""The compiled kernels timed against their peers, in one process and with interleaved repeats."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor
from torch.func import jacfwd, jacrev, vmap

from geolatent.jacobians import autoencoder_spectrum
from geolatent.linalg import eigh, eigvals, eigvalsh
from geolatent.manifolds import AffineInvariantSPD, BuresWassersteinSPD, Gaussian, Grassmannian, MultivariateGaussians
from geolatent.manifolds.fisher_rao.geodesics import torch_solve
from geolatent.models import MLPAutoencoder

DIMENSIONS = (2, 4, 8, 12, 16, 20, 32)
_N_FEATURES = 784


class Timing(NamedTuple):
    """Median time a matrix or sample of ours and of a peer, in microseconds, in the same run."""

    operation: str
    d: int
    dtype: str
    peer: str
    ours_us: float
    peer_us: float

    @property
    def ratio(self) -> float:
        """How many times faster ours is."""
        return self.peer_us / self.ours_us


class Contestant(NamedTuple):
    """A call and the number of matrices or samples that it works through."""

    call: Callable[[], object]
    samples: int


def benchmark(quick: bool = False, threads: int | None = None) -> Iterator[Timing]:
    """Time eigenvalues of small matrices, autoencoder spectra and distances against their peers.

    pyRiemann takes part where it is installed. Peers that loop over matrices get fewer of them, which leaves their time
    a matrix unchanged.

    Args:
        quick: fewer matrices and repeats: about half a minute in all.
        threads: torch threads for ours and the peers alike; by default torch's present number.

    Yields:
        Timings, as they are measured.
    """
    with pinned_threads(threads or torch.get_num_threads()):
        for dtype in (torch.float32, torch.float64):
            for d in DIMENSIONS:
                yield from _time_eigvals(d, dtype, quick)
        for d in (20,) if quick else (2, 8, 20):
            yield from _time_spectra(d, quick)
        for n in (3, 8) if quick else (2, 3, 5, 8, 16):
            yield from _time_fisher_rao(n, quick)
        for dtype in (torch.float32, torch.float64):
            for d in (4, 8, 16, 32):
                yield from _time_symmetric(d, dtype, quick)
        for p in (8, 16):
            yield from _time_spd(AffineInvariantSPD(p), "riemann", quick)
            yield from _time_spd(BuresWassersteinSPD(p), "wasserstein", quick)
        for p in (64, 784):
            yield from _time_subspaces(p, quick)


@contextmanager
def pinned_threads(count: int) -> Iterator[None]:
    """Run torch and the BLAS of numpy with ``count`` threads, and with as many as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        with threadpool_limits(count):
            yield
    finally:
        torch.set_num_threads(before)


def compare(contestants: dict[str, Contestant], repeats: int) -> dict[str, float]:
    """Median microseconds a matrix; each repeat runs all contestants in turn, after one warm-up of each."""
    for contestant in contestants.values():
        contestant.call()
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(repeats):
        for name, contestant in contestants.items():
            start = perf_counter()
            contestant.call()
            times[name].append((perf_counter() - start) / contestant.samples * 1e6)
    return {name: median(values) for name, values in times.items()}


def _time_eigvals(d: int, dtype: torch.dtype, quick: bool) -> Iterator[Timing]:
    ours, peers, repeats = (20_000, 1_000, 3) if quick else (100_000, 10_000, 5)
    matrices = torch.randn(ours, d, d, generator=torch.Generator().manual_seed(d), dtype=dtype)
    few = matrices[:peers]
    array = few.numpy()
    contestants = {
        "ours": Contestant(lambda: eigvals(matrices), ours),
        "torch.linalg.eigvals": Contestant(lambda: torch.linalg.eigvals(few), peers),
        "numpy.linalg.eigvals": Contestant(lambda: np.linalg.eigvals(array), peers),
    }
    yield from _timings("linalg.eigvals", d, dtype, compare(contestants, repeats))


def _time_spectra(d: int, quick: bool) -> Iterator[Timing]:
    ours, peers, naive, repeats = (2_000, 256, 1, 3) if quick else (20_000, 1_024, 4, 5)
    generator = torch.Generator().manual_seed(d)
    model = MLPAutoencoder(_N_FEATURES, d, generator=generator).eval().requires_grad_(requires_grad=False)
    x = torch.rand(ours, _N_FEATURES, generator=generator)
    contestants = {
        "ours": Contestant(lambda: autoencoder_spectrum(model.encoder, model.decoder, x), ours),
        "vmap jacrev @ jacfwd, torch eigvals": Contestant(lambda: small_product_spectrum(model, x[:peers]), peers),
        "jacrev, N x N torch eigvals": Contestant(lambda: full_spectrum(model, x[:naive]), naive),
    }
    yield from _timings("jacobians.autoencoder_spectrum", d, x.dtype, compare(contestants, repeats))


def _time_fisher_rao(n: int, quick: bool) -> Iterator[Timing]:
    """No peer computes this distance: the contestants are its own formula in torch, and one pair at a time."""
    ours, formula, repeats = (2_000, 200, 3) if quick else (10_000, 1_000, 5)
    generator, manifold = torch.Generator().manual_seed(n), MultivariateGaussians(n)
    a, b = (manifold.random_point((ours,), generator) for _ in range(2))
    few = [x[:formula] for x in (*a, *b)]
    contestants = {
        "ours": Contestant(lambda: manifold.dist(a, b), ours),
        "the same formula in torch": Contestant(lambda: torch_solve(*few), formula),
        "ours, one pair a call": Contestant(lambda: _one_by_one(manifold, a, b, 20), 20),
    }
    yield from _timings("manifolds.MultivariateGaussians.dist", n, torch.float64, compare(contestants, repeats))


def _time_symmetric(d: int, dtype: torch.dtype, quick: bool) -> Iterator[Timing]:
    ours, peers, repeats = (20_000, 1_000, 3) if quick else (100_000, 10_000, 5)
    matrices = torch.randn(ours, d, d, generator=torch.Generator().manual_seed(d), dtype=dtype)
    matrices = matrices + matrices.mT
    few = matrices[:peers]
    calls: dict[str, tuple[Callable[[Tensor], object], Callable[[Tensor], object]]] = {
        "eigvalsh": (eigvalsh, torch.linalg.eigvalsh),
        "eigh": (eigh, torch.linalg.eigh),
    }
    for name, (call, peer) in calls.items():
        contestants = {
            "ours": Contestant(partial(call, matrices), ours),
            f"torch.linalg.{name}": Contestant(partial(peer, few), peers),
        }
        yield from _timings(f"linalg.{name}", d, dtype, compare(contestants, repeats))


def _time_spd(manifold: AffineInvariantSPD | BuresWassersteinSPD, metric: str, quick: bool) -> Iterator[Timing]:
    """All pairs of a set; times are of a pair. pyRiemann takes one pair after the other for Bures-Wasserstein."""
    count, repeats = (100, 3) if quick else (300, 5)
    points = manifold.random_point((count,), torch.Generator().manual_seed(manifold.p))
    array, pairs = points.numpy(), count * (count - 1) // 2
    contestants = {
        "ours": Contestant(lambda: manifold.pairwise_dist(points), pairs),
        "numpy.linalg.eigvalsh of all pairs": Contestant(lambda: numpy_spd_dist(array, metric), pairs),
    }
    with suppress(ImportError):
        from pyriemann.geometry.distance import pairwise_distance

        contestants["pyRiemann"] = Contestant(lambda: pairwise_distance(array, metric=metric), pairs)
    yield from _timings(f"manifolds.{type(manifold).__name__}", manifold.p, points.dtype, compare(contestants, repeats))


def _time_subspaces(p: int, quick: bool) -> Iterator[Timing]:
    """All pairs of subspaces of dimension 8; times are of a pair."""
    count, repeats = (100, 3) if quick else (300, 5)
    manifold = Grassmannian(p, 8)
    points = manifold.random_point((count,), torch.Generator().manual_seed(p))
    array, pairs = points.numpy(), count * (count - 1) // 2
    contestants = {
        "ours": Contestant(lambda: manifold.pairwise_dist(points), pairs),
        "numpy: batched matmul, svd": Contestant(lambda: numpy_angles(array, one_product=False), pairs),
        "numpy: one large matmul, svd": Contestant(lambda: numpy_angles(array, one_product=True), pairs),
    }
    yield from _timings("manifolds.Grassmannian", p, points.dtype, compare(contestants, repeats))


def numpy_spd_dist(matrices: Any, metric: str) -> Any:
    """Distances of pairs i < j of positive definite matrices by batched numpy."""
    first, second = np.triu_indices(len(matrices), 1)
    factors = np.linalg.cholesky(matrices)
    left = np.linalg.inv(factors) if metric == "riemann" else np.swapaxes(factors, -1, -2)
    products = left[first] @ factors[second]
    values = np.linalg.eigvalsh(products @ np.swapaxes(products, -1, -2))
    if metric == "riemann":
        return np.sqrt((np.log(values) ** 2).sum(-1))
    traces = np.trace(matrices, axis1=-2, axis2=-1)
    return np.sqrt(np.maximum(traces[first] + traces[second] - 2 * np.sqrt(np.maximum(values, 0)).sum(-1), 0))


def numpy_angles(bases: Any, one_product: bool) -> Any:
    """Geodesic distances of pairs i < j of subspaces by numpy."""
    (count, p, k), (first, second) = bases.shape, np.triu_indices(len(bases), 1)
    if one_product:
        columns = np.swapaxes(bases, 0, 1).reshape(p, count * k)
        products = (columns.T @ columns).reshape(count, k, count, k).transpose(0, 2, 1, 3)[first, second]
    else:
        products = np.swapaxes(bases[first], -1, -2) @ bases[second]
    cosines = np.linalg.svd(products, compute_uv=False)
    return np.sqrt((np.arccos(np.minimum(cosines, 1)) ** 2).sum(-1))


def _one_by_one(manifold: MultivariateGaussians, a: Gaussian, b: Gaussian, count: int) -> None:
    for i in range(count):
        manifold.dist(Gaussian(*(x[i] for x in a)), Gaussian(*(x[i] for x in b)))


def small_product_spectrum(model: MLPAutoencoder, x: Tensor) -> Tensor:
    """Eigenvalues of Df Dg, shape (n, d), by torch alone, in the chunks that were its fastest of 32 to 1,024."""
    spectra = []
    for samples in x.split(1024 if model.encode(x[:1]).shape[1] < 4 else 256):
        encoder = vmap(jacrev(model.encoder))(samples)
        decoder = vmap(jacfwd(model.decoder))(model.encode(samples))
        spectra.append(torch.linalg.eigvals(encoder @ decoder))
    return torch.cat(spectra)


def full_spectrum(model: MLPAutoencoder, x: Tensor) -> Tensor:
    """Eigenvalues of the N x N Jacobian, shape (n, N), one sample after the other."""
    return torch.stack([torch.linalg.eigvals(jacrev(lambda row: model.decoder(model.encoder(row)))(row)) for row in x])


def _timings(operation: str, d: int, dtype: torch.dtype, times: dict[str, float]) -> Iterator[Timing]:
    precision = str(dtype).removeprefix("torch.")
    for peer, microseconds in times.items():
        if peer != "ours":
            yield Timing(operation, d, precision, peer, times["ours"], microseconds)
