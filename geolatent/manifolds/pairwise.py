"""Distances between all points of two sets, in blocks of bounded memory."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from geolatent.manifolds.components import components, map_components

BLOCK_BYTES = 1 << 20  # of one temporary tensor: several live at once, and those that fit the cache are faster


def require_set(name: str, shape: tuple[int, ...]) -> None:
    """Raise ValueError unless ``shape`` is (N,) with N > 0."""
    if len(shape) != 1:
        raise ValueError(f"{name} must have batch shape (N,); got {shape}: flatten the batch dimensions into one")
    if shape[0] == 0:
        raise ValueError(f"{name} must hold at least one point; got an empty batch: leave empty sets out")


def in_blocks(block_dist: Callable[[Any, Any], Tensor], rows: Any, columns: Any | None, progress: bool) -> Tensor:
    """Distances of N points to M points, or of N points to each other.

    Args:
        block_dist: distances of all pairs of two sets of points, shape (rows, columns).
        rows: points of batch shape (N,).
        columns: points of batch shape (M,), or None for the rows themselves: then each pair is computed once.
        progress: whether to show a bar.

    Returns:
        Distances, shape (N, M).
    """
    symmetric = columns is None
    columns = rows if symmetric else columns
    parts = components(columns)
    n_rows, n_columns = len(components(rows)[0]), len(parts[0])
    row_bytes = n_columns * max(tensor[0].numel() for tensor in parts) * parts[0].element_size()
    height = max(1, BLOCK_BYTES // max(row_bytes, 1))
    starts: Iterable[int] = range(0, n_rows, height)
    if progress:
        from tqdm import tqdm

        starts = tqdm(starts, desc="distances", unit="block")
    blocks = []
    for start in starts:
        first = start if symmetric else 0
        block_rows = map_components(lambda x, s=start: x[s : s + height], rows)
        block = block_dist(block_rows, map_components(lambda x, f=first: x[f:], columns))
        blocks.append(torch.nn.functional.pad(block, (first, 0)))
    table = torch.cat(blocks)
    if not symmetric:
        return table
    upper = table.triu(1)
    return upper + upper.mT
