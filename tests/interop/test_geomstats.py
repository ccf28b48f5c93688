"""Our metrics as geomstats sees them, and geomstats' own univariate and diagonal metrics as an oracle for ours.

Runs in an environment with geomstats (numpy < 2.4); see .ci/geomstats.
"""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from strategies import generator, seeds

import geolatent as gl

pytest.importorskip(
    "geomstats.backend", exc_type=ImportError, reason="geomstats is not installed, or does not run on this numpy"
)

import geomstats.backend as gs
from geomstats.information_geometry.normal import NormalDistributions

from geolatent.interop.geomstats import Space


def test_flat_vectors_hold_the_components_one_after_the_other(manifold) -> None:
    space = Space(manifold)
    points = manifold.random_point((4, 5), generator(0))
    flat = space.flatten(points)
    assert flat.shape == (4, 5, *space.shape)
    expected = np.concatenate([component.reshape(4, 5, -1).numpy() for component in points], -1)
    np.testing.assert_array_equal(flat, expected)
    back = space.unflatten(flat)
    assert type(back) is type(points)
    for component, original in zip(back, points, strict=True):
        torch.testing.assert_close(component, original, rtol=0, atol=0)


def test_components_of_unequal_batch_shapes_broadcast() -> None:
    space = Space(gl.manifolds.MultivariateGaussians(2))
    flat = space.flatten(gl.manifolds.Gaussian(torch.zeros(3, 2), torch.eye(2)))
    np.testing.assert_array_equal(flat, np.tile([0.0, 0, 1, 0, 0, 1], (3, 1)))


@pytest.mark.parametrize(
    ("manifold", "dim", "size"),
    [
        (gl.manifolds.UnivariateGaussians(), 2, 2),
        (gl.manifolds.DiagonalGaussians(3), 6, 6),
        (gl.manifolds.MultivariateGaussians(3), 9, 12),
    ],
)
def test_dimension_counts_a_symmetric_matrix_once(manifold, dim: int, size: int) -> None:
    space = Space(manifold)
    assert (space.dim, space.shape, space.point_ndim) == (dim, (size,), 1)


def test_every_method_is_the_manifolds_own(manifold) -> None:
    space = Space(manifold)
    a, b, c = (manifold.random_point((6,), generator(seed)) for seed in range(3))
    u, v = manifold.log(b, a), manifold.log(c, a)
    A, B, U, V = map(space.flatten, (a, b, u, v))
    metric = space.metric
    same = np.testing.assert_array_equal
    same(metric.dist(A, B), manifold.dist(a, b).numpy())
    same(metric.squared_dist(A, B), manifold.squared_dist(a, b).numpy())
    same(metric.dist_pairwise(A), manifold.pairwise_dist(a).numpy())
    same(metric.inner_product(U, V, A), manifold.inner_product(u, v, a).numpy())
    same(metric.log(B, A), U)
    same(metric.exp(U, A), space.flatten(manifold.exp(u, a)))
    same(metric.parallel_transport(V, A, end_point=B), space.flatten(manifold.parallel_transport(v, a, b)))
    moved = manifold.parallel_transport(v, a, manifold.exp(u, a))
    same(metric.parallel_transport(V, A, direction=U), space.flatten(moved))
    np.testing.assert_allclose(metric.norm(U, A), metric.dist(A, B), rtol=1e-10)


def test_one_point_meets_many(manifold) -> None:
    space = Space(manifold)
    points = space.flatten(manifold.random_point((6,), generator(0)))
    np.testing.assert_allclose(space.metric.dist(points[0], points), space.metric.dist_pairwise(points)[0], rtol=1e-10)
    assert space.metric.log(points, points[0]).shape == points.shape
    assert space.metric.dist(points[0], points[1]).shape == ()


def test_the_inherited_geodesic_is_ours(manifold) -> None:
    space = Space(manifold)
    a, b = (manifold.random_point((3,), generator(seed)) for seed in (0, 1))
    times = np.linspace(0, 1, 5)
    theirs = space.metric.geodesic(space.flatten(a), space.flatten(b))(times)
    ours = space.flatten(manifold.geodesic(a, b)(torch.from_numpy(times)))
    np.testing.assert_allclose(theirs, ours.swapaxes(0, 1), rtol=1e-8, atol=1e-9)


def test_belonging(manifold) -> None:
    space = Space(manifold)
    points = space.random_point(5)
    assert space.belongs(points).all()
    points[2, -1] = -1.0  # a standard deviation or a variance
    np.testing.assert_array_equal(space.belongs(points), [True, True, False, True, True])
    np.testing.assert_array_equal(space.belongs(points[:, 1:]), [False] * 5)


def test_tangent_vectors_have_symmetric_matrices() -> None:
    space = Space(gl.manifolds.MultivariateGaussians(2))
    vector = np.array([1.0, 2, 3, 4, 6, 7])
    np.testing.assert_array_equal(space.to_tangent(vector), [1, 2, 3, 5, 5, 7])
    base = space.random_point(4)
    assert space.to_tangent(vector, base).shape == (4, 6)
    assert not space.is_tangent(vector)
    assert space.is_tangent(space.to_tangent(vector, base), base).all()
    np.testing.assert_array_equal(space.is_tangent(np.zeros((3, 5))), [False] * 3)
    assert space.is_tangent(space.random_tangent_vec(base, 4)).all()


def test_geomstats_random_state_decides_random_points(manifold) -> None:
    space = Space(manifold)
    gs.random.seed(3)
    first, second = space.random_point(4), space.random_point(4)
    gs.random.seed(3)
    np.testing.assert_array_equal(space.random_point(4), first)
    assert (first != second).any()
    assert space.random_point().shape == space.shape


def test_data_type_follows_the_arrays() -> None:
    space = Space(gl.manifolds.UnivariateGaussians())
    points = space.random_point(3).astype(np.float32)
    assert space.metric.log(points, points[0]).dtype == np.float32


def test_any_numpy_strides_and_read_only_arrays() -> None:
    space = Space(gl.manifolds.MultivariateGaussians(2))
    points = space.random_point(4)
    one = np.broadcast_to(points[0], points.shape)
    reversed_dist = space.metric.dist(points[::-1], one)
    np.testing.assert_allclose(reversed_dist[::-1], space.metric.dist(points, points[0]), rtol=1e-12)


def test_bad_input_is_named() -> None:
    space = Space(gl.manifolds.MultivariateGaussians(2))
    point = space.random_point()
    with pytest.raises(ValueError, match=r"vector must have shape \(\.\.\., 6\).*got \(5,\)"):
        space.metric.dist(point[1:], point)
    with pytest.raises(ValueError, match="exactly one of direction and end_point"):
        space.metric.parallel_transport(point, point)
    with pytest.raises(ValueError, match="exactly one of direction and end_point"):
        space.metric.parallel_transport(point, point, direction=point, end_point=point)


@settings(max_examples=25)
@given(seeds)
def test_univariate_agrees_with_geomstats(seed: int) -> None:
    space = Space(gl.manifolds.UnivariateGaussians())
    assert_agree(space, NormalDistributions(1).metric, seed, scale_power=1)


@settings(max_examples=25)
@given(seeds)
def test_diagonal_agrees_with_geomstats(seed: int) -> None:
    space = Space(gl.manifolds.DiagonalGaussians(4))
    assert_agree(space, NormalDistributions(4, "diagonal").metric, seed, scale_power=2)


def assert_agree(space: Space, theirs, seed: int, scale_power: int) -> None:
    """Both to 1e-10, which leaves room for geomstats' rounding: 6e-14 in 300 draws of the univariate family.

    geomstats' diagonal points hold variances, but its tangent vectors there are those of standard deviations, as ours.
    """
    ours = space.metric
    a, b, c = (space.flatten(space.manifold.random_point((5,), generator(seed + k))) for k in range(3))
    power = np.repeat([1, scale_power], space.dim // 2)
    A, B = a**power, b**power
    u, v = ours.log(b, a), ours.log(c, a)
    np.testing.assert_allclose(ours.dist(a, b), theirs.dist(A, B), rtol=1e-10)
    assert (ours.norm(u - theirs.log(B, A), a) <= 1e-10 * ours.norm(u, a)).all()
    products, scale = theirs.inner_product(u, v, A), ours.norm(u, a) * ours.norm(v, a)
    np.testing.assert_allclose(ours.inner_product(u, v, a) / scale, products / scale, rtol=0, atol=1e-10)
    unit = v / ours.norm(v, b)[:, None]
    assert (ours.dist(ours.exp(unit, b), theirs.exp(unit, B) ** (1 / power)) <= 1e-10).all()
