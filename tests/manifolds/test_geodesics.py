"""Geodesics, their maps and parallel transport, on every manifold."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from manifold_cases import Case, assert_close, assert_same_vectors, combine, every_manifold
from strategies import seeds

from geolatent.manifolds.components import batch_shape

few = settings(max_examples=15)
COUNT = 6


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
