"""The distance of fixed rank is no metric: a record of triangles that break it, and of where it is one.

Planes in three dimensions are points of a sphere, matrices on them ellipses in its tangent planes. An ellipse carried
around a triangle comes back turned by the triangle's area, which the legs do not feel and the direct distance does.
"""

import math

import pytest
import torch
from hypothesis import given, settings
from strategies import generator, seeds
from torch import Tensor

from geolatent.manifolds import FixedRankSPSD

MANIFOLD = FixedRankSPSD(3, 2)
LEG = math.radians(40)


def carried(basis: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """The basis of the plane with normal ``start``, transported along the great circle to ``end``."""
    return basis - torch.outer(start + end, end @ basis) / (1 + start @ end)


def triangle(ratio: float) -> tuple[Tensor, Tensor, Tensor]:
    """An ellipse of this ratio of axes at the pole, carried along two sides of a triangle."""
    sine, cosine = math.sin(LEG), math.cos(LEG)
    normals = torch.tensor([[0, 0, 1], [sine, 0, cosine], [0, sine, cosine]], dtype=torch.float64)
    bases = [torch.eye(3, dtype=torch.float64)[:, :2]]
    bases += [carried(bases[0], normals[0], normals[1])]
    bases += [carried(bases[1], normals[1], normals[2])]
    core = torch.diag(torch.tensor([ratio**2, 1.0], dtype=torch.float64))
    a, b, c = (basis @ core @ basis.mT for basis in bases)
    return a, b, c


@pytest.mark.parametrize("ratio", [10.0, 100.0])
def test_thin_ellipses_break_the_triangle_inequality(ratio: float) -> None:
    a, b, c = triangle(ratio)
    legs = MANIFOLD.dist(a, b), MANIFOLD.dist(b, c)
    torch.testing.assert_close(legs[0].item(), LEG, rtol=1e-9, atol=0)
    torch.testing.assert_close(legs[1].item(), math.acos(math.cos(LEG) ** 2), rtol=1e-9, atol=0)
    assert MANIFOLD.dist(a, c) > 1.5 * sum(legs)


def test_the_turn_is_the_area_of_the_triangle() -> None:
    """log(P_A^-1/2 Z P_C Z^T P_A^-1/2) of an ellipse turned by the spherical excess E has this norm."""
    ratio = 3.0
    a, _, c = triangle(ratio)
    side = math.acos(math.cos(LEG) ** 2)
    base_angle = math.asin(math.sin(LEG) / math.sin(side))  # opposite to the leg; the angle at the pole is right
    excess = 2 * base_angle - math.pi / 2
    turn = torch.tensor([[math.cos(excess), -math.sin(excess)], [math.sin(excess), math.cos(excess)]]).double()
    core = torch.diag(torch.tensor([ratio**2, 1.0])).double()
    values = torch.linalg.eigvals(torch.linalg.solve(core, turn @ core @ turn.mT)).real
    expected = math.sqrt(LEG**2 + values.log().square().sum().item())
    torch.testing.assert_close(MANIFOLD.dist(a, c).item(), expected, rtol=1e-7, atol=0)


@pytest.mark.parametrize(("p", "rank"), [(4, 1), (3, 3)])
@given(seed=seeds)
@settings(max_examples=15)
def test_rank_one_and_full_rank_obey_it(p: int, rank: int, seed: int) -> None:
    points = FixedRankSPSD(p, rank).random_point((8,), generator(seed), dtype=torch.float64)
    d = FixedRankSPSD(p, rank).pairwise_dist(points)
    assert (d[:, None, :] <= (d[:, :, None] + d[None]) * (1 + 1e-9) + 1e-9).all()
