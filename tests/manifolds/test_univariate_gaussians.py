"""Closed forms against 50 digits of arithmetic, near and far."""

import math

import mpmath
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from manifold_cases import sectional_curvature
from strategies import gaussian, generator
from torch import Tensor
from torch.distributions import Independent, Normal

from geolatent.manifolds import DiagonalGaussian, UnivariateGaussians

MANIFOLD = UnivariateGaussians()
DTYPES = [torch.float32, torch.float64]
Number = tuple[mpmath.mpf, mpmath.mpf]


@pytest.fixture(autouse=True)
def fifty_digits():
    with mpmath.workdps(50):
        yield


def point(loc: float | Tensor, scale: float | Tensor, dtype: torch.dtype = torch.float64) -> DiagonalGaussian:
    return DiagonalGaussian(*(torch.as_tensor(x, dtype=dtype).reshape(-1, 1) for x in (loc, scale)))


def numbers(p: DiagonalGaussian) -> list[Number]:
    return [(mpmath.mpf(loc), mpmath.mpf(scale)) for loc, scale in zip(*(x.flatten().tolist() for x in p), strict=True)]


def exact_dist(a: Number, b: Number) -> mpmath.mpf:
    excess = ((a[0] - b[0]) ** 2 / 2 + (a[1] - b[1]) ** 2) / (2 * a[1] * b[1])
    return mpmath.sqrt(2) * mpmath.acosh(1 + excess)


def exact_geodesic(a: Number, b: Number, t: float) -> Number:
    """Along the half-circle of centre c and radius R, log tan(angle / 2) grows linearly."""
    (x0, y0), (x1, y1) = ((m / mpmath.sqrt(2), s) for m, s in (a, b))
    if x0 == x1:
        return a[0], y0 ** (1 - mpmath.mpf(t)) * y1 ** mpmath.mpf(t)
    centre = (x1**2 + y1**2 - x0**2 - y0**2) / (2 * (x1 - x0))
    radius = mpmath.hypot(x0 - centre, y0)
    u0, u1 = (mpmath.log(mpmath.tan(mpmath.atan2(y, x - centre) / 2)) for x, y in ((x0, y0), (x1, y1)))
    angle = 2 * mpmath.atan(mpmath.exp(u0 + t * (u1 - u0)))
    return (centre + radius * mpmath.cos(angle)) * mpmath.sqrt(2), radius * mpmath.sin(angle)


def pairs(reach: float, count: int, dtype: torch.dtype, seed: int = 0) -> tuple[DiagonalGaussian, DiagonalGaussian]:
    """Pairs whose means differ by about ``reach`` scales and whose log scales differ by about log(1 + reach)."""
    first, second = gaussian(seed, 2, count), gaussian(seed + 1, 2, count)
    scale = (2 * first[1]).exp()
    a = point(first[0], scale, dtype)
    return a, point(first[0] + reach * scale * second[0], scale * (math.log1p(reach) * second[1]).exp(), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("reach", [1e-150, 1e-14, 1e-8, 1e-4, 1e-2, 0.1, 0.4, 1.0, 10.0, 1e4, 1e7])
def test_distances_to_fifty_digits(reach: float, dtype: torch.dtype) -> None:
    a, b = pairs(reach, 40, dtype)
    exact = [exact_dist(p, q) for p, q in zip(numbers(a), numbers(b), strict=True)]
    bound = 16 * torch.finfo(dtype).eps / 2
    for ours, d in zip(MANIFOLD.dist(a, b).tolist(), exact, strict=True):
        assert abs(ours - d) <= bound * d, (ours, d)
    tracked = DiagonalGaussian(a.loc.clone().requires_grad_(), a.scale)  # the series below z = 1/32
    for ours, d in zip(MANIFOLD.dist(tracked, b).tolist(), exact, strict=True):
        assert abs(ours - d) <= bound * d, (ours, d)


@pytest.mark.parametrize("ratio", [1 + 2**-50, 1 + 2**-20, 1.5, 1e5, 1e15])
def test_equal_means_and_equal_scales(ratio: float) -> None:
    vertical = MANIFOLD.dist(point(3.0, 1.0), point(3.0, ratio)).item()
    assert vertical == pytest.approx(float(mpmath.sqrt(2) * mpmath.log(mpmath.mpf(ratio))), rel=1e-14)
    horizontal = MANIFOLD.dist(point(0.0, 2.0), point(ratio, 2.0)).item()
    exact = 2 * mpmath.sqrt(2) * mpmath.asinh(mpmath.mpf(ratio) / 2 / (2 * mpmath.sqrt(2)))
    assert horizontal == pytest.approx(float(exact), rel=1e-14)


def test_extreme_scales_neither_overflow_nor_vanish() -> None:
    for dtype, huge in ((torch.float32, 1e30), (torch.float64, 1e200)):
        a, b = point(0.0, huge, dtype), point(huge, 2 * huge, dtype)
        tiny = [point(p.loc / huge / huge, p.scale / huge / huge, dtype) for p in (a, b)]
        expected = MANIFOLD.dist(point(0.0, 1.0, dtype), point(1.0, 2.0, dtype))
        assert torch.allclose(MANIFOLD.dist(a, b), expected, rtol=1e-6)
        assert torch.allclose(MANIFOLD.dist(*tiny), expected, rtol=1e-6)
        apart = MANIFOLD.dist(point(0.0, huge**-0.5, dtype), point(0.0, huge**0.5, dtype)).item()
        assert apart == pytest.approx(math.sqrt(2) * math.log(huge), rel=1e-6)
    assert MANIFOLD.dist(point(0.0, 1e-200), point(0.0, 1e200)).item() == math.inf


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("reach", [1e-8, 1e-3, 0.3, 1.0, 100.0, 1e6])
def test_geodesics_to_fifty_digits(reach: float, dtype: torch.dtype) -> None:
    a, b = pairs(reach, 20, dtype)
    total = MANIFOLD.dist(a, b) / math.sqrt(2)
    bounds = (64 * torch.finfo(dtype).eps / 2 * (1 + total)).tolist()
    for t in (0.0, 0.25, 0.5, 0.8125, 1.0):
        ours = numbers(MANIFOLD.geodesic(a, b)(t))
        for p, q, (loc, scale), bound in zip(numbers(a), numbers(b), ours, bounds, strict=True):
            exact_loc, exact_scale = exact_geodesic(p, q, t)
            rounding = torch.finfo(dtype).eps * max(abs(p[0]), abs(q[0]))  # of the mean, given as a number
            assert abs(loc - exact_loc) <= bound * exact_scale + rounding
            assert abs(scale - exact_scale) <= bound * exact_scale


def test_a_geodesic_between_points_fifty_apart() -> None:
    half = math.exp(50 / (2 * math.sqrt(2)))  # each end lies this far below the top of the half-circle
    a, b = point(-half, math.sqrt(2)), point(half, math.sqrt(2))
    assert MANIFOLD.dist(a, b).item() == pytest.approx(50, abs=0.1)
    middle = MANIFOLD.geodesic(a, b)(0.5)
    assert abs(middle.loc.item()) <= 1e-14 * half
    assert middle.scale.item() == pytest.approx(math.hypot(half / math.sqrt(2), math.sqrt(2)), rel=1e-13)
    up = MANIFOLD.geodesic(point(1.0, 1e-7), point(1.0, 1e8))(torch.tensor([0.2, 0.6], dtype=torch.float64))
    assert up.loc.flatten().tolist() == [1.0, 1.0]
    assert up.scale.flatten().tolist() == pytest.approx([1e-4, 1e2], rel=1e-13)


@settings(max_examples=30)
@given(st.floats(0.0, 34.0), st.sampled_from([0.0, 1e-200, 1e-20, 1e-12, 1e-6, 1e-3, 0.1, 0.999]), st.booleans())
def test_exp_to_fifty_digits_near_vertical_geodesics(length: float, slope: float, up: bool) -> None:
    a = (1 if up else -1) * length * math.sqrt(1 - slope**2)
    b = length * slope
    end = MANIFOLD.exp(point(math.sqrt(2) * b, a), point(0.0, 1.0))
    with mpmath.workdps(80):
        vertical, horizontal = mpmath.mpf(a), mpmath.mpf(math.sqrt(2) * b) / mpmath.sqrt(2)
        r = mpmath.hypot(vertical, horizontal)
        ratio = mpmath.sinh(r) / r if r else mpmath.mpf(1)
        divisor = mpmath.cosh(r) - vertical * ratio
        exact = (mpmath.sqrt(2) * horizontal * ratio / divisor, 1 / divisor)
        bound = 64 * torch.finfo(torch.float64).eps * (1 + r)
        assert abs(end.scale.item() - exact[1]) <= bound * exact[1]
        assert abs(end.loc.item() - exact[0]) <= bound * abs(exact[0]) + mpmath.mpf(1e-300)


def test_the_curvature_is_minus_one_half() -> None:
    base = MANIFOLD.random_point((20,), generator(0))
    u, v = (DiagonalGaussian(gaussian(s, 20, 1) * base.scale, gaussian(s + 2, 20, 1) * base.scale) for s in (1, 2))
    u, v = (DiagonalGaussian(*(x / MANIFOLD.norm(w, base)[:, None] for x in w)) for w in (u, v))
    wide = (MANIFOLD.inner_product(u, v, base).abs() < 0.9)[:, None]
    u, v, base = (DiagonalGaussian(*(x[wide][:, None] for x in w)) for w in (u, v, base))
    curvature = sectional_curvature(MANIFOLD, base, u, v)
    assert torch.allclose(curvature, torch.tensor(-0.5, dtype=torch.float64), rtol=0, atol=1e-3)


def test_a_normal_of_any_shape_is_a_batch_of_points() -> None:
    one, many = Normal(0.0, 1.0), Normal(torch.zeros(2, 3), torch.ones(2, 3) * 2)
    assert MANIFOLD.dist(one, many).shape == (2, 3)
    assert MANIFOLD.dist(one, many)[0, 0].item() == pytest.approx(math.sqrt(2) * math.log(2), rel=1e-6)
    vector = Independent(Normal(torch.zeros(4, 1), torch.ones(4, 1)), 1)
    assert MANIFOLD.dist(one, vector).shape == (4,)
    assert MANIFOLD.pairwise_dist(Normal(torch.arange(3.0), torch.ones(3))).shape == (3, 3)
    assert MANIFOLD.belongs(many).shape == (2, 3)
