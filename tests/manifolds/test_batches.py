"""Batches of points on every manifold: shapes, data types, all pairs, bad input."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from manifold_cases import Case, assert_close, combine, every_manifold
from strategies import gaussian, seeds

from geolatent.manifolds import pairwise
from geolatent.manifolds.components import batch_shape, components

few = settings(max_examples=15)
COUNT = 6


@every_manifold
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_random_points_belong_and_come_from_the_generator(case: Case, dtype: torch.dtype) -> None:
    points = case.points(3, 2, 50, dtype=dtype)
    assert case.manifold.belongs(points).shape == (2, 50)
    assert case.manifold.belongs(points).all()
    assert all(x.dtype == dtype for x in components(points))
    again, other = case.points(3, 2, 50, dtype=dtype), case.points(4, 2, 50, dtype=dtype)
    for x, y, z in zip(components(points), components(again), components(other), strict=True):
        assert torch.equal(x, y)
        assert not torch.equal(x, z)
    assert case.manifold.belongs(case.points(5)).shape == ()


@every_manifold
def test_batch_shapes_broadcast(case: Case) -> None:
    a, b = case.points(0, 3, 1), case.points(1, 4)
    v = case.tangent(2, case.points(3, 4))
    ndims, manifold = case.manifold.event_ndims, case.manifold
    assert manifold.dist(a, b).shape == (3, 4)
    assert manifold.inner_product(v, v, a).shape == (3, 4)
    results = [manifold.log(b, a), manifold.exp(v, a), manifold.parallel_transport(v, a, b)]
    assert [batch_shape(result, ndims) for result in results] == [(3, 4)] * 3
    times = gaussian(0, 2, 5)
    assert batch_shape(manifold.geodesic(a, b)(times), ndims) == (2, 5, 3, 4)
    row = combine(lambda x: x[2, 0], a)
    assert_close(manifold.dist(a, b)[2], manifold.dist(row, b), case.tolerance)


@every_manifold
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_the_data_type_follows_the_input(case: Case, dtype: torch.dtype) -> None:
    half = dtype in (torch.bfloat16, torch.float16)
    drawn = torch.float32 if half or case.survives_rounding else dtype
    a, b = (combine(lambda x: x.to(dtype), case.points(seed, COUNT, dtype=drawn)) for seed in (0, 1))
    manifold = case.manifold
    if half and not case.survives_rounding:
        with pytest.raises(ValueError, match=r"point_a.* must (have|be)"):
            manifold.dist(a, b)
        return
    velocity = manifold.log(b, a)
    results = [manifold.dist(a, b), manifold.norm(velocity, a), manifold.pairwise_dist(a), manifold.squared_dist(a, b)]
    points = [velocity, manifold.exp(velocity, a), manifold.geodesic(a, b)(0.5), manifold.parallel_transport(a, a, b)]
    assert {x.dtype for x in results} | {x.dtype for point in points for x in components(point)} == {dtype}
    if not case.survives_rounding:
        return
    wide = [combine(lambda x: x.float() if half else x.double(), p) for p in (a, b)]
    expected = manifold.dist(*wide).to(dtype)
    tolerance = 0 if half else case.tolerance * (1 if dtype == torch.float64 else 2.0**29)
    assert_close(manifold.dist(a, b).double(), expected.double(), tolerance)
    assert manifold.dist(a, combine(torch.Tensor.double, b)).dtype == torch.float64


@every_manifold
def test_bad_sets_and_shapes_are_named(case: Case) -> None:
    manifold, a = case.manifold, case.points(0, 3)
    with pytest.raises(ValueError, match=r"points must hold at least one point; got an empty batch: "):
        manifold.pairwise_dist(case.points(0, 0))
    with pytest.raises(ValueError, match=r"others must hold at least one point"):
        manifold.pairwise_dist(a, case.points(0, 0))
    with pytest.raises(ValueError, match=r"points must have batch shape \(N,\); got \(2, 3\): flatten"):
        manifold.pairwise_dist(case.points(0, 2, 3))
    with pytest.raises(
        ValueError, match=r"broadcast; got point_a of batch shape \(3,\), point_b of batch shape \(2,\)"
    ):
        manifold.dist(a, case.points(1, 2))
    with pytest.raises(TypeError, match=r"point_b must be .*; got (str|list)"):
        manifold.dist(a, "b")
    bad = combine(lambda x: x.clone(), case.tangent(1, a))
    components(bad)[-1][1] = math.nan
    with pytest.raises(ValueError, match=r"tangent_vec must be finite; point 1 of 3 holds nan"):
        manifold.exp(bad, a)
    with pytest.raises(TypeError, match=r"real floating point; got torch\.int64"):
        manifold.dist(combine(torch.Tensor.long, a), a)
    assert manifold.dist(case.points(0, 0), case.points(1, 0)).shape == (0,)
    assert manifold.belongs(case.points(0, 0)).shape == (0,)


@every_manifold
@few
@given(seeds, st.integers(1, 9), st.integers(1, 9))
def test_pairwise_is_every_distance(case: Case, seed: int, n: int, m: int) -> None:
    a, b = case.points(seed, n), case.points(seed + 1, m)
    every = case.manifold.dist(combine(lambda x: x[:, None], a), combine(lambda x: x[None], b))
    assert_close(case.manifold.pairwise_dist(a, b), every, case.tolerance)
    own = case.manifold.pairwise_dist(a)
    assert torch.equal(own, own.mT)
    assert torch.equal(own.diagonal(), torch.zeros(n, dtype=torch.float64))
    assert_close(own, case.manifold.pairwise_dist(a, a), case.tolerance)


@every_manifold
def test_pairwise_in_small_blocks(case: Case, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    a, b = case.points(0, 11), case.points(1, 7)
    whole, own = case.manifold.pairwise_dist(a, b), case.manifold.pairwise_dist(a)
    monkeypatch.setattr(pairwise, "BLOCK_BYTES", 3 * 11 * 8)
    assert_close(case.manifold.pairwise_dist(a, b, progress=True), whole, case.tolerance)
    assert "distances" in capsys.readouterr().err
    blocked = case.manifold.pairwise_dist(a)
    assert torch.equal(blocked, blocked.mT)
    assert_close(blocked, own, case.tolerance)


@every_manifold
def test_pairwise_can_be_differentiated(case: Case) -> None:
    weights = gaussian(5, 4, 4)
    a = combine(lambda x: x.clone().requires_grad_(), case.points(0, 4))
    gradients = torch.autograd.grad((case.manifold.pairwise_dist(a) * weights).sum(), components(a))
    one, other = combine(lambda x: x[:, None], a), combine(lambda x: x[None], a)
    expected = torch.autograd.grad((case.manifold.dist(one, other) * weights).sum(), components(a))
    for ours, theirs in zip(gradients, expected, strict=True):
        assert ours.isfinite().all()
        assert_close(ours, theirs, 1e-9)
