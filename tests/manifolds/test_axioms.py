"""What makes a Riemannian manifold, for every one of them."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from manifold_cases import Case, assert_close, assert_same_vectors, combine, every_manifold
from strategies import gaussian, seeds

from geolatent.manifolds import pairwise
from geolatent.manifolds.components import batch_shape, components

few = settings(max_examples=15)
COUNT = 6


@every_manifold
@few
@given(seeds)
def test_distances_are_symmetric_and_vanish_only_at_the_point(case: Case, seed: int) -> None:
    a, b = case.points(seed, COUNT), case.points(seed + 1, COUNT)
    assert_close(case.manifold.dist(a, b), case.manifold.dist(b, a), case.tolerance)
    assert (case.manifold.dist(a, b) > 0).all()
    assert torch.equal(case.manifold.dist(a, a), torch.zeros(COUNT, dtype=torch.float64))
    assert_close(case.manifold.dist(a, b).square(), case.manifold.squared_dist(a, b), case.tolerance)


@every_manifold
@few
@given(seeds)
def test_triangle_inequality(case: Case, seed: int) -> None:
    if not case.geodesic_length:
        pytest.skip("the distance is not the length of a geodesic of one metric")
    a, b, c = (case.points(seed + i, COUNT) for i in range(3))
    dist = case.manifold.dist
    assert (dist(a, c) <= (dist(a, b) + dist(b, c)) * (1 + case.tolerance)).all()


@every_manifold
@few
@given(seeds)
def test_log_undoes_exp_and_measures_the_distance(case: Case, seed: int) -> None:
    a, b = case.points(seed, COUNT), case.points(seed + 1, COUNT)
    velocity = case.manifold.log(b, a)
    assert_close(case.manifold.norm(velocity, a), case.manifold.dist(a, b), case.tolerance)
    assert (case.manifold.dist(case.manifold.exp(velocity, a), b) <= case.closing).all()


@every_manifold
@few
@given(seeds, st.floats(1e-9, 1.0))
def test_exp_undoes_log_and_keeps_the_length(case: Case, seed: int, share: float) -> None:
    length = share * case.reach
    base = case.points(seed, COUNT)
    vector = case.tangent(seed + 1, base)
    norm = case.manifold.norm(vector, base)
    vector = combine(lambda x: x * (length / norm).reshape(-1, *[1] * (x.ndim - 1)), vector)
    end = case.manifold.exp(vector, base)
    assert case.manifold.belongs(end).all()
    assert_close(case.manifold.dist(base, end), torch.full((COUNT,), length, dtype=torch.float64), case.closing)
    assert_same_vectors(case.manifold, case.manifold.log(end, base), vector, base, case.closing)


@every_manifold
@few
@given(seeds, st.lists(st.floats(0.0, 1.0), min_size=2, max_size=4))
def test_geodesics_join_their_ends_at_constant_speed(case: Case, seed: int, shares: list[float]) -> None:
    first, last = case.times
    times = [first + share * (last - first) for share in shares]
    a, b = case.points(seed, COUNT), case.points(seed + 1, COUNT)
    t = torch.tensor([0.0, 1.0, *times], dtype=torch.float64)
    path = case.manifold.geodesic(a, b)
    on_path = path(t)
    assert batch_shape(on_path, case.manifold.event_ndims) == (len(t), COUNT)
    from_start, to_end = case.manifold.dist(a, on_path), case.manifold.dist(on_path, b)
    total = case.manifold.dist(a, b)
    slack = case.closing * (1 + total)
    assert ((from_start - t.abs()[:, None] * total).abs() <= slack).all()
    assert ((to_end - (1 - t).abs()[:, None] * total).abs() <= slack).all()
    one = path(times[0])
    assert batch_shape(one, case.manifold.event_ndims) == (COUNT,)
    assert (case.manifold.dist(one, combine(lambda x: x[2], on_path)) <= case.closing).all()


@every_manifold
@few
@given(seeds)
def test_geodesics_start_with_the_velocity_log(case: Case, seed: int) -> None:
    a, b = case.points(seed, COUNT), case.points(seed + 1, COUNT)
    along = case.manifold.exp(combine(lambda x: 0.25 * x, case.manifold.log(b, a)), a)
    assert (case.manifold.dist(along, case.manifold.geodesic(a, b)(0.25)) <= case.closing).all()


@every_manifold
@few
@given(seeds)
def test_parallel_transport_keeps_products_and_the_geodesics_velocity(case: Case, seed: int) -> None:
    a, b = case.points(seed, COUNT), case.points(seed + 1, COUNT)
    u, v = case.tangent(seed + 2, a), case.tangent(seed + 3, a)
    manifold, transport = case.manifold, case.manifold.parallel_transport
    scale = manifold.norm(u, a) * manifold.norm(v, a)
    moved = manifold.inner_product(transport(u, a, b), transport(v, a, b), b)
    assert ((moved - manifold.inner_product(u, v, a)).abs() <= case.closing * scale).all()
    backwards = combine(torch.neg, manifold.log(a, b))
    assert_same_vectors(manifold, transport(manifold.log(b, a), a, b), backwards, b, case.closing)
    assert_same_vectors(manifold, transport(transport(u, a, b), b, a), u, a, case.closing)
    assert_same_vectors(manifold, transport(u, a, a), u, a, case.tolerance)


@every_manifold
@few
@given(seeds)
def test_inner_product_is_symmetric_bilinear_and_positive(case: Case, seed: int) -> None:
    base = case.points(seed, COUNT)
    u, v, w = (case.tangent(seed + i, base) for i in (1, 2, 3))
    inner = case.manifold.inner_product
    both = combine(lambda x, y: 2 * x - y, u, v)
    scale = case.manifold.norm(w, base) * (case.manifold.norm(u, base) + case.manifold.norm(v, base))
    assert ((inner(u, w, base) - inner(w, u, base)).abs() <= case.tolerance * scale).all()
    difference = inner(both, w, base) - 2 * inner(u, w, base) + inner(v, w, base)
    assert (difference.abs() <= 4 * case.tolerance * scale).all()
    assert (inner(u, u, base) > 0).all()
    assert_close(case.manifold.norm(u, base).square(), inner(u, u, base), case.tolerance)


@every_manifold
@few
@given(seeds)
def test_the_metric_is_the_distance_of_near_points(case: Case, seed: int) -> None:
    base = case.points(seed, COUNT)
    vector = case.tangent(seed + 1, base)
    norm, step = case.manifold.norm(vector, base), 1e-5
    near = [combine(lambda x, v, s=sign: x + s * step / norm.max() * v, base, vector) for sign in (1, -1)]
    near = [case.retract(point) for point in near]
    assert_close(case.manifold.dist(*near), 2 * step * norm / norm.max(), 1e-8)


@every_manifold
@few
@given(seeds)
def test_isometries_keep_distances(case: Case, seed: int) -> None:
    a, b = case.points(seed, COUNT), case.points(seed + 1, COUNT)
    move = case.isometry(seed + 2, a)
    expected = case.manifold.dist(a, b)
    assert_close(case.manifold.dist(move(a), move(b)), expected, 100 * case.tolerance)
    middle = case.manifold.geodesic(move(a), move(b))(0.3)
    assert (case.manifold.dist(middle, move(case.manifold.geodesic(a, b)(0.3))) <= case.closing).all()


@every_manifold
@few
@given(seeds)
def test_the_gradient_of_the_squared_distance_is_the_logarithm(case: Case, seed: int) -> None:
    if not case.geodesic_length:
        pytest.skip("the distance is not the length of a geodesic of one metric")
    a, b = case.points(seed, COUNT), case.points(seed + 1, COUNT)
    v = case.tangent(seed + 2, a)
    a = combine(lambda x: x.clone().requires_grad_(), a)
    gradients = torch.autograd.grad((case.manifold.squared_dist(a, b) / 2).sum(), components(a))
    slope = sum((g * x).flatten(1).sum(-1) for g, x in zip(gradients, components(v), strict=True))
    a = combine(torch.Tensor.detach, a)
    expected = -case.manifold.inner_product(case.manifold.log(b, a), v, a)
    scale = case.manifold.dist(a, b) * case.manifold.norm(v, a)
    assert ((slope - expected).abs() <= case.closing * scale).all()


@every_manifold
@pytest.mark.parametrize("method", ["dist", "squared_dist"])
def test_the_gradient_at_coincident_points_is_zero(case: Case, method: str) -> None:
    a = combine(lambda x: x.clone().requires_grad_(), case.points(0, COUNT))
    b = combine(lambda x: x.detach().clone().requires_grad_(), a)
    both = (*components(a), *components(b))
    for gradient in torch.autograd.grad(getattr(case.manifold, method)(a, b).sum(), both):
        assert torch.equal(gradient, torch.zeros_like(gradient))
    base = case.points(1, COUNT)
    zero = combine(lambda x: torch.zeros_like(x).requires_grad_(), base)
    for gradient in torch.autograd.grad(case.manifold.norm(zero, base).sum(), components(zero)):
        assert torch.equal(gradient, torch.zeros_like(gradient))


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
