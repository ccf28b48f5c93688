"""pairwise_dist: into arrays and memory maps, within a memory budget, each point factored and each pair met once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from manifold_cases import Case, assert_close, every_manifold
from strategies import generator
from torch import Tensor

from geolatent.manifolds import AffineInvariantSPD, FixedRankSPSD, Grassmannian, pairwise
from geolatent.manifolds.components import components, map_components

MANIFOLD = AffineInvariantSPD(3)


@every_manifold
def test_every_manifold_writes_into_what_is_given(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = case.points(0, 7), case.points(1, 5)
    expected, own = case.manifold.pairwise_dist(a, b), case.manifold.pairwise_dist(a)
    monkeypatch.setattr(pairwise, "BLOCK_BYTES", 500)
    monkeypatch.setattr(pairwise, "FEWEST_PAIRS", 1)
    tensor, array = torch.full((7, 5), torch.nan, dtype=torch.float64), np.full((7, 7), np.nan)
    assert case.manifold.pairwise_dist(a, b, out=tensor) is tensor
    assert case.manifold.pairwise_dist(a, out=array) is array
    assert_close(tensor, expected, case.tolerance)
    assert_close(torch.from_numpy(array), own, case.tolerance)
    assert (array == array.T).all()
    assert (array.diagonal() == 0).all()


def test_memory_maps_hold_the_distances(tmp_path: Path) -> None:
    points = MANIFOLD.random_point((40,), generator(0))
    table = np.memmap(tmp_path / "distances", dtype=np.float32, mode="w+", shape=(40, 40))
    MANIFOLD.pairwise_dist(points, out=table, max_memory="10KiB")
    table.flush()
    read = np.memmap(tmp_path / "distances", dtype=np.float32, mode="r", shape=(40, 40))
    np.testing.assert_allclose(read, MANIFOLD.pairwise_dist(points).numpy(), rtol=1e-6)


def test_what_cannot_be_written_to_is_named() -> None:
    points = MANIFOLD.random_point((4,), generator(0))
    with pytest.raises(ValueError, match=r"out must be an array of shape \(4, 4\); got shape \(4, 3\): make it"):
        MANIFOLD.pairwise_dist(points, out=np.zeros((4, 3)))
    for whole in (np.zeros((4, 4), int), torch.zeros(4, 4, dtype=torch.int32)):
        with pytest.raises(TypeError, match=r"out must be of a floating type; got (torch\.)?int\d\d: distances would"):
            MANIFOLD.pairwise_dist(points, out=whole)
    with pytest.raises(ValueError, match=r"out must be an array of shape \(4, 4\); got list"):
        MANIFOLD.pairwise_dist(points, out=[])
    with pytest.raises(ValueError, match="out carries no derivatives, which the points require: detach"):
        MANIFOLD.pairwise_dist(points.requires_grad_(), out=np.zeros((4, 4)))
    with torch.no_grad():
        MANIFOLD.pairwise_dist(points, out=np.zeros((4, 4)))


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    points, largest = MANIFOLD.random_point((30,), generator(0)), []

    def counted(self: Any, rows: Any, columns: Any) -> Tensor:
        largest.append(len(rows[0]) * len(columns[0]))
        return block(self, rows, columns)

    block = AffineInvariantSPD._pairwise_block
    monkeypatch.setattr(AffineInvariantSPD, "_pairwise_block", counted)
    whole = MANIFOLD.pairwise_dist(points)
    assert largest == [900]
    largest.clear()
    bytes_of_pair = 8 * 8 * MANIFOLD._entries_of_pair(points)
    assert_close(MANIFOLD.pairwise_dist(points, max_memory=bytes_of_pair * 25), whole, 1e-12)
    assert max(largest) == 25
    assert sum(largest) == 25 * 6 * 7 / 2  # tiles on and above the diagonal only
    with pytest.raises(ValueError, match=f"must hold one pair, about {bytes_of_pair} bytes; got 7: raise it"):
        MANIFOLD.pairwise_dist(points, max_memory=7)
    with pytest.raises(ValueError, match="max_memory must be a number of bytes or text"):
        MANIFOLD.pairwise_dist(points, max_memory="2 gallons")


@pytest.mark.parametrize("manifold", [MANIFOLD, FixedRankSPSD(4, 2)], ids=repr)
def test_points_are_factored_once(manifold: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    points, calls = manifold.random_point((20,), generator(0)), []
    factors: Callable = type(manifold)._factors
    monkeypatch.setattr(type(manifold), "_factors", lambda self, x: calls.append(len(x)) or factors(self, x))
    monkeypatch.setattr(pairwise, "BLOCK_BYTES", 2000)
    monkeypatch.setattr(pairwise, "FEWEST_PAIRS", 1)
    manifold.pairwise_dist(points)
    assert calls == [20]


@pytest.mark.parametrize("manifold", [MANIFOLD, Grassmannian(5, 2), FixedRankSPSD(4, 2)], ids=repr)
def test_near_and_equal_points_of_a_set_keep_their_digits(manifold: Any) -> None:
    points = manifold.random_point((4,), generator(0))
    near = manifold.exp(map_components(lambda x: 1e-7 * x, manifold.log(points.flip(0), points)), points)
    expected = manifold.dist(points, near)
    assert_close(manifold.pairwise_dist(points, near).diagonal() / expected, torch.ones_like(expected), 1e-8)
    twice = map_components(lambda x: torch.cat([x, x]), points)
    assert (manifold.pairwise_dist(twice)[:4, 4:].diagonal() == 0).all()
    assert len(components(twice)) == 1
