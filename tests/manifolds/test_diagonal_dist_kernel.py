"""The compiled distance of diagonal Gaussians against its torch formula and 50 digits, at every instruction set."""

import math
from collections.abc import Iterator

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mpmath import mp
from strategies import generator, seeds

from geolatent import _kernels
from geolatent._kernels import diagonal_dist as kernel
from geolatent.manifolds import DiagonalGaussian, DiagonalGaussians, diagonal_gaussians

pytestmark = pytest.mark.skipif(_kernels.core is None, reason="the compiled core is not installed")
dtypes = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])


@pytest.fixture(params=_kernels.isa_levels())
def level(request: pytest.FixtureRequest) -> Iterator[None]:
    before = _kernels.isa()
    _kernels.use_isa(request.param)
    yield
    _kernels.use_isa(before)


def formula(manifold: DiagonalGaussians, a: DiagonalGaussian, b: DiagonalGaussian) -> torch.Tensor:
    """Distances by torch, in float64."""
    a, b = (DiagonalGaussian(*(x.double().requires_grad_() for x in point)) for point in (a, b))
    return manifold.dist(a, b).detach()


def relative_error(actual: torch.Tensor, expected: torch.Tensor) -> float:
    return ((actual.double() - expected).abs() / (expected + 1e-300)).max().item()


@dtypes
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=seeds, n=st.integers(1, 9), count=st.integers(1, 40))
@pytest.mark.usefixtures("level")
def test_the_kernel_is_the_formula(dtype: torch.dtype, seed: int, n: int, count: int) -> None:
    manifold = DiagonalGaussians(n)
    a, b = (manifold.random_point((count,), generator(seed + i), dtype=dtype) for i in (0, 1))
    tolerance = 16 * torch.finfo(dtype).eps
    squared = kernel.pair_by_pair(*a, *b, squared=True)
    distances = kernel.pair_by_pair(*a, *b, squared=False)
    expected = formula(manifold, a, b)
    assert relative_error(distances, expected) <= tolerance
    assert relative_error(squared, expected.square()) <= 2 * tolerance
    rows = DiagonalGaussian(*(x[:, None] for x in a))
    assert relative_error(kernel.all_pairs(*a, *b), formula(manifold, rows, b)) <= tolerance


def exact(shift: float, first: float, second: float) -> mp.mpf:
    with mp.workdps(50):
        a, b = mp.mpf(first), mp.mpf(second)
        return mp.sqrt(8) * mp.asinh(mp.sqrt((mp.mpf(shift) ** 2 / 2 + (a - b) ** 2) / (4 * a * b)))


SHIFTS = (0.0, 1e-300, 1e-155, 1e-100, 1e-20, 1e-8, 1e-3, 1.0, 1e5, 1e100, 1e150)
SCALES = ((1.0, 1.0), (1.0, 1 + 2**-52), (1e-200, 1e100), (1e140, 3e140), (1e-100, 1e-100))
# where the squared distance does not underflow, and accuracy is promised
WITHIN = [(x, *y) for x in SHIFTS for y in SCALES if exact(x, *y) == 0 or 1e-150 < exact(x, *y) <= 1000]


@pytest.mark.parametrize(("shift", "first", "second"), WITHIN)
@pytest.mark.usefixtures("level")
def test_fifty_digits(shift: float, first: float, second: float) -> None:
    zero, loc, a, b = (torch.tensor([[value]], dtype=torch.float64) for value in (0.0, shift, first, second))
    expected = exact(shift, first, second)
    found = kernel.pair_by_pair(zero, a, loc, b, squared=False).item()
    assert abs(found - expected) <= 16 * 2**-53 * expected


@pytest.mark.usefixtures("level")
def test_infinity_and_nan_stay_in_their_pair() -> None:
    loc, scale = torch.zeros(19, 2, dtype=torch.float64), torch.ones(19, 2, dtype=torch.float64)
    other = loc.clone()
    other[3, 1], other[8, 0] = math.nan, math.inf
    found = kernel.pair_by_pair(loc, scale, other, scale, squared=False)
    assert found[3].isnan()
    assert found[8].isinf()
    assert (found[[i for i in range(19) if i not in (3, 8)]] == 0).all()


def test_a_pair_does_not_feel_its_neighbours_or_the_threads() -> None:
    manifold, before = DiagonalGaussians(3), torch.get_num_threads()
    a, b = (manifold.random_point((5000,), generator(i)) for i in (0, 1))
    try:
        torch.set_num_threads(1)
        alone = kernel.pair_by_pair(*(x[17:18] for x in (*a, *b)), squared=False)
        one = kernel.pair_by_pair(*a, *b, squared=False)
        torch.set_num_threads(2)
        two = kernel.pair_by_pair(*a, *b, squared=False)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(one, two)
    assert torch.equal(one[17:18], alone)


def test_views_and_broadcasting() -> None:
    manifold = DiagonalGaussians(2)
    a = manifold.random_point((4, 1, 6), generator(0))
    b = manifold.random_point((5, 6), generator(1))
    b = DiagonalGaussian(*(x.mT.contiguous().mT for x in b))
    distances = manifold.dist(a, b)
    assert distances.shape == (4, 5, 6)
    assert relative_error(distances, formula(manifold, a, b)) <= 1e-14
    assert manifold.dist(DiagonalGaussian(a.loc[:0], a.scale[:0]), b).shape == (0, 5, 6)


def test_derivatives_come_from_the_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise AssertionError("the kernel has no derivatives")

    for name in ("pair_by_pair", "all_pairs"):
        monkeypatch.setattr(diagonal_gaussians.kernel, name, refuse)
    manifold = DiagonalGaussians(2)
    a, b = (manifold.random_point((3,), generator(i)) for i in (0, 1))
    a.loc.requires_grad_()
    manifold.dist(a, b).sum().backward()
    manifold.pairwise_dist(a, b).sum().backward()
    torch.func.vmap(manifold.dist)(a, b)
    with pytest.raises(AssertionError, match="no derivatives"), torch.no_grad():
        manifold.dist(a, b)
