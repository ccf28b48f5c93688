"""Distances between all points of two sets, tile by tile, in bounded memory."""

from collections.abc import Callable, Iterator
from math import isqrt
from typing import Any

import torch
from torch import Tensor

from geolatent._kernels import differentiated
from geolatent._kernels import pairwise_svdvals as kernel
from geolatent._memory import items_per_tile
from geolatent.linalg import svdvals
from geolatent.manifolds.components import components, map_components
from geolatent.manifolds.formulas import Formulas

BLOCK_BYTES = 1 << 20  # of one temporary tensor: several live at once, and those that fit the cache are faster
_ACCELERATOR_BYTES = 1 << 26
FEWEST_PAIRS = 128  # of a tile, to fill the lanes of two threads
_LIVE = 8  # temporary tensors of that size that live at once

BlockDist = Callable[[Any, Any], Tensor]


def require_set(name: str, shape: tuple[int, ...]) -> None:
    """Raise ValueError unless ``shape`` is (N,) with N > 0."""
    if len(shape) != 1:
        raise ValueError(f"{name} must have batch shape (N,); got {shape}: flatten the batch dimensions into one")
    if shape[0] == 0:
        raise ValueError(f"{name} must hold at least one point; got an empty batch: leave empty sets out")


def every_dist(
    manifold: Formulas[Any],
    sets: list[Any],
    dtype: torch.dtype,
    out: Any,
    max_memory: int | str | None,
    progress: bool,
) -> Any:
    """Distances within one set or between two, written to ``out`` if it is given.

    Where derivatives are recorded they come from the formulas, elsewhere from the factors of the points.
    """
    rows, columns = sets[0], None if len(sets) == 1 else sets[1]
    tensors = [tensor for points in sets for tensor in components(points)]

    def side(entries_of_pair: int) -> int:
        return _tile_side(tensors[0].element_size() * entries_of_pair, tensors[0].device, max_memory)

    if differentiated(*tensors):
        if out is not None:
            raise ValueError("out carries no derivatives, which the points require: detach() them, or leave it out")
        largest = max(tensor[0].numel() for tensor in tensors)
        return join_tiles(manifold._all_dist, rows, columns, side(largest), progress).to(dtype)
    shape = tuple(len(components(points)[0]) for points in (sets[0], sets[-1]))
    table = torch.empty(shape, dtype=dtype, device=tensors[0].device) if out is None else out
    _require_table(table, shape)
    factors = [manifold._factors(points) for points in sets]
    others, entries = None if columns is None else factors[1], manifold._entries_of_pair(factors[0])
    write_tiles(manifold._pairwise_block, factors[0], others, side(entries), progress, table)
    return table


def _require_table(out: Any, shape: tuple[int, ...]) -> None:
    if tuple(getattr(out, "shape", ())) != shape:
        came = f"shape {tuple(out.shape)}" if hasattr(out, "shape") else type(out).__name__
        raise ValueError(f"out must be an array of shape {shape}; got {came}: make it that large")
    floating = out.dtype.is_floating_point if isinstance(out, Tensor) else out.dtype.kind == "f"
    if not floating:
        raise TypeError(f"out must be of a floating type; got {out.dtype}: distances would be rounded to it")


def _tile_side(bytes_of_pair: int, device: torch.device, max_memory: int | str | None) -> int:
    """Rows and columns of one tile, whose temporary tensors stay within the budget."""
    pairs = max(FEWEST_PAIRS, (BLOCK_BYTES if device.type == "cpu" else _ACCELERATOR_BYTES) // bytes_of_pair)
    if max_memory is not None:
        pairs = items_per_tile(max_memory, _LIVE * bytes_of_pair, pairs, item="pair")
    return isqrt(pairs)


def join_tiles(block_dist: BlockDist, rows: Any, columns: Any | None, side: int, progress: bool) -> Tensor:
    """Distances of N points to M points, or of N points to each other where ``columns`` is None; differentiable.

    Args:
        block_dist: distances of all pairs of two sets, shape (rows, columns).
        rows: batch shape (N,).
        columns: batch shape (M,), or None for the rows themselves: then each pair is computed once.
        side: rows and columns of one tile.
        progress: whether to show a bar.

    Returns:
        Distances, shape (N, M).
    """
    strips: dict[int, list[Tensor]] = {}
    for first, second in _tiles(rows, columns, side, progress):
        strip = strips.setdefault(first, [])
        strip.append(_block(block_dist, rows, columns, first, second, side))
    if columns is not None:
        return torch.cat([torch.cat(strip, 1) for strip in strips.values()])
    padded = [torch.nn.functional.pad(torch.cat(strip, 1), (first, 0)) for first, strip in strips.items()]
    upper = torch.cat(padded).triu(1)
    return upper + upper.mT


def write_tiles(block_dist: BlockDist, rows: Any, columns: Any | None, side: int, progress: bool, out: Any) -> None:
    """Write what `join_tiles` returns into a tensor, an array or a memory map, one tile at a time."""
    for first, second in _tiles(rows, columns, side, progress):
        block = _block(block_dist, rows, columns, first, second, side).detach()
        if columns is None and first == second:
            block = block.triu_(1) + block.mT
        written = block if isinstance(out, Tensor) else block.cpu().numpy()
        out[first : first + side, second : second + side] = written
        if columns is None and first != second:
            out[second : second + side, first : first + side] = written.T


def _tiles(rows: Any, columns: Any | None, side: int, progress: bool) -> Iterator[tuple[int, int]]:
    """First row and first column of every tile; within one set only of those on and above the diagonal."""
    n_rows = len(components(rows)[0])
    n_columns = n_rows if columns is None else len(components(columns)[0])
    starts = [
        (first, second)
        for first in range(0, n_rows, side)
        for second in range(first if columns is None else 0, n_columns, side)
    ]
    if not progress:
        return iter(starts)
    from tqdm import tqdm

    return iter(tqdm(starts, desc="distances", unit="block"))


def _block(block_dist: BlockDist, rows: Any, columns: Any | None, first: int, second: int, side: int) -> Tensor:
    above = map_components(lambda x: x[first : first + side], rows)
    if columns is None and first == second:
        return block_dist(above, above)
    beside = map_components(lambda x: x[second : second + side], rows if columns is None else columns)
    return block_dist(above, beside)


def all_products(left: Tensor, right: Tensor) -> Tensor:
    """Products of all N matrices (N, a, b) with all M matrices (M, b, c), shape (N, M, a, c), as one large product."""
    return torch.einsum("nab,mbc->nmac", left, right)


def sums_over_svdvals(left: Tensor, right: Tensor, of: kernel.Sum, *, within: bool) -> Tensor:
    """Sums over the singular values of all products of N matrices (N, n, q) with M matrices (M, q, m).

    Args:
        left: of pair (i, j) the i-th.
        right: of pair (i, j) the j-th.
        of: what is summed.
        within: whether rows and columns are the same points: then sums below the diagonal and on it may be wrong.

    Returns:
        Sums, shape (N, M); NaN where an iteration did not converge.
    """
    if kernel.serves(left, right):
        return kernel.sums(left, right, of, above_diagonal=within)
    values = svdvals(all_products(left, right))
    if of is kernel.Sum.VALUES:
        return values.sum(-1)
    logs = of is kernel.Sum.SQUARED_LOGS
    return (values.log() if logs else values.clamp_max(1.0).acos()).square().sum(-1)


def entries_of_product(left: Tensor, right: Tensor) -> int:
    """How many numbers a pair `sums_over_svdvals` holds at once."""
    return 1 if kernel.serves(left, right) else left.shape[-2] * right.shape[-1]


def recomputed(table: Tensor, lost: Tensor, dist: BlockDist, rows: Any, columns: Any) -> Tensor:
    """Put into ``table`` the distances by ``dist`` where ``lost`` is True; those of equal points are zero.

    Where ``columns`` is ``rows``, only what stands above the diagonal counts.
    """
    first, second = (lost.triu(1) if columns is rows else lost).nonzero(as_tuple=True)
    if len(first):
        a, b = map_components(lambda x: x[first], rows), map_components(lambda x: x[second], columns)
        differ = torch.stack([_differ(x, y) for x, y in zip(components(a), components(b), strict=True)]).any(0)
        values = table.new_zeros(len(first))
        if differ.any():
            values[differ] = dist(*(map_components(lambda x: x[differ], points) for points in (a, b)))
        table[first, second] = values
    return table


def _differ(x: Tensor, y: Tensor) -> Tensor:
    """Whether x[i] and y[i] differ, also where they are of another shape."""
    if x.shape != y.shape:
        return torch.ones(len(x), dtype=torch.bool, device=x.device)
    return (x != y).flatten(1).any(1)
