r"""What is measured on the codes of one model: ranks, distances in two geometries, dimensions and angles.

A code of c channels and h x w pixels becomes the point :math:`(S_1, S_2, S_3)`, the covariances of its unfoldings.
Codes come once for every level of noise in the input; the first level is none.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from geolatent.embeddings import (
    HilbertEmbedding,
    centred_kernel,
    eigenspace_angles,
    hilbert_dimension,
    kernel_coordinates,
    log_projection_squared_dist,
    numerical_rank,
    stratification,
    subspace_angles,
    tensor_to_spsd,
)
from geolatent.embeddings.strata import FLOAT32_RESOLUTION
from geolatent.linalg import eigvalsh
from geolatent.manifolds import FixedRankSPSD, Product
from geolatent.manifolds.spsd_pairs import CrossRank

#: Factors of the rank tolerance, a decade to each side.
TOLERANCES = (0.1, 10**-0.5, 1.0, 10**0.5, 10.0)
#: The two geometries of the codes.
KERNELS = ("product", "log-projection")
#: Between which subspaces angles are measured.
ANGLES = ("log-projection, joint space", "log-projection, eigenspaces", "product, eigenspaces")
#: What the ablation compares on one set of codes.
POLICIES: tuple[CrossRank, ...] = ("raise", "truncate", "schubert")
_FEWEST = 3

Point = tuple[Tensor, ...]


def factors(codes: Tensor) -> Point:
    """S1, S2 and S3 of codes (N, c, h, w), in float64."""
    return tensor_to_spsd(codes.double().movedim(1, -1))


def measure_ranks(points: Sequence[Point]) -> dict[str, Tensor]:
    """Spectra (L, N, p) and ranks (L, N, 3) for every noise level; ranks by tolerance, clean and noisiest."""
    strata = [stratification(point) for point in points]
    values = {f"eigenvalues of S{k + 1}": torch.stack([one.eigenvalues[k] for one in strata]) for k in range(3)}
    swept = [torch.stack([_ranks(point, factor) for point in (points[0], points[-1])]) for factor in TOLERANCES]
    return values | {"ranks": torch.stack([one.ranks for one in strata]), "ranks by tolerance": torch.stack(swept)}


def measure_distances(
    points: Sequence[Point], product_samples: int, cross_rank: CrossRank, angle_dimension: int
) -> dict[str, Tensor]:
    """Hilbert dimension, negative mass and angles by noise level, in both geometries, and the ablation of policies.

    Args:
        points: the codes at every noise level; angles are measured to the first.
        product_samples: number of samples between which the product distance is measured.
        cross_rank: its policy.
        angle_dimension: dimension of the subspaces.
    """
    usable = _usable(points, product_samples)
    few = [_part(point, usable) for point in points]
    tables = {
        "log-projection": [_log_projection(point) for point in points],
        "product": [_product(point, cross_rank) for point in few],
    }
    values = {"usable": torch.tensor(len(usable))}
    for name in KERNELS:
        fits = [HilbertEmbedding().fit(table) for table in tables[name]]
        values[f"{name}/dimension"] = torch.tensor([fit.dimension_ for fit in fits])
        values[f"{name}/negative mass"] = torch.tensor([fit.negative_mass_ for fit in fits], dtype=torch.float64)
        kernels = [centred_kernel(table) for table in tables[name]]
        values[f"{name}, eigenspaces/angles"] = torch.stack(
            [_between_eigenspaces(kernels[0], kernel, angle_dimension) for kernel in kernels]
        )
    values["log-projection, joint space/angles"] = torch.stack(
        [_in_joint_space(points[0], point, angle_dimension) for point in points]
    )
    return values | _policies(few[0], {cross_rank: tables["product"][0]})


def tsne_map(clean: Point, noisy: Point, seed: int) -> Tensor:
    """t-SNE of clean and noisy codes together by the log-projection distance, shape (2, N, 2)."""
    from sklearn.manifold import TSNE

    count = len(clean[0])
    dist = _log_projection(_joined(clean, noisy)).sqrt()
    perplexity = min(30.0, (2 * count - 1) / 3)
    tsne = TSNE(metric="precomputed", init="random", perplexity=perplexity, random_state=seed)
    return torch.tensor(tsne.fit_transform(dist.numpy())).reshape(2, count, 2)


def _ranks(point: Point, factor: float = 1.0) -> Tensor:
    """Ranks (N, 3) with ``factor`` times the default tolerance."""
    return torch.stack([numerical_rank(S, factor * S.shape[-1] * FLOAT32_RESOLUTION) for S in point], -1)


def _usable(points: Sequence[Point], wanted: int) -> Tensor:
    """The first samples whose matrices vanish at no level: a matrix of zeros has no place on any stratum's manifold."""
    present = torch.stack([(_ranks(point) > 0).all(-1) for point in points]).all(0)
    found = present.nonzero()[:wanted, 0]
    if len(found) < _FEWEST:
        raise ValueError(
            f"codes must vary over pixels and channels; only {len(found)} of {len(present)} do: the model has not "
            "learned, train longer or lower lr"
        )
    return found


def _part(point: Point, samples: Tensor) -> Point:
    return tuple(S[samples] for S in point)


def _joined(a: Point, b: Point) -> Point:
    return tuple(torch.cat(pair) for pair in zip(a, b, strict=True))


def _product(point: Point, cross_rank: CrossRank, ranks: Sequence[int] | None = None) -> Tensor:
    sizes = [S.shape[-1] for S in point]
    manifolds = [
        FixedRankSPSD(p, rank, cross_rank=cross_rank, rtol=p * FLOAT32_RESOLUTION)
        for p, rank in zip(sizes, sizes if ranks is None else ranks, strict=True)
    ]
    return Product(*manifolds).pairwise_dist(point).square()


def _log_projection(point: Point) -> Tensor:
    first, second, third = (log_projection_squared_dist(S) for S in point)
    return first + second + third


def _between_eigenspaces(kernel_a: Tensor, kernel_b: Tensor, dimension: int) -> Tensor:
    kept = _dimension([eigvalsh(kernel).flip(-1) for kernel in (kernel_a, kernel_b)], dimension)
    return _padded(eigenspace_angles(kernel_a, kernel_b, dimensions=(kept, kept)), dimension)


def _in_joint_space(first: Point, point: Point, dimension: int) -> Tensor:
    count = len(first[0])
    coordinates = kernel_coordinates(centred_kernel(_log_projection(_joined(first, point))))
    clean, noisy = coordinates[:count], coordinates[count:]
    kept = _dimension([torch.linalg.svdvals(part).square() for part in (clean, noisy)], dimension)
    return _padded(subspace_angles(clean, noisy, dimensions=(kept, kept)), dimension)


def _dimension(spectra: Sequence[Tensor], wanted: int) -> int:
    """The dimension asked for, or all that the smaller of the spaces has."""
    return min(wanted, *(hilbert_dimension(spectrum, 1.0) for spectrum in spectra))


def _padded(angles: Tensor, dimension: int) -> Tensor:
    return torch.nn.functional.pad(angles, (0, dimension - len(angles)), value=torch.nan)


def _policies(point: Point, known: dict[CrossRank, Tensor]) -> dict[str, Tensor]:
    """Hilbert dimension and negative mass of one set of codes under every policy; "raise" on its largest stratum."""
    ranks = _ranks(point)
    strata, counts = ranks.unique(dim=0, return_counts=True)
    largest = strata[counts.argmax()]
    members = (ranks == largest).all(-1).nonzero()[:, 0]
    values: dict[str, Tensor] = {}
    for policy in POLICIES:
        if policy != "raise":
            table = known[policy] if policy in known else _product(point, policy)
        elif len(members) >= _FEWEST:
            table = _product(_part(point, members), policy, largest.tolist())
        else:
            table = None
        values |= _embedded(f"product, {policy}", table, len(members) if policy == "raise" else len(ranks))
    return values | _embedded("log-projection, same samples", _log_projection(point), len(ranks))


def _embedded(name: str, table: Tensor | None, samples: int) -> dict[str, Tensor]:
    fit = None if table is None else HilbertEmbedding().fit(table)
    dimension, mass = (torch.nan, torch.nan) if fit is None else (fit.dimension_, fit.negative_mass_)
    return {f"ablation/{name}": torch.tensor([samples, dimension, mass], dtype=torch.float64)}
