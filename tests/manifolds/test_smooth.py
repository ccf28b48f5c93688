"""Values and derivatives to fifty digits on both sides of every threshold."""

import mpmath
import pytest
import torch
from mpmath import asinh, cosh, sinh, sqrt

from geolatent.manifolds.smooth import asinh_root_slope, asinh_root_squared, cosh_root, root, sinh_root_ratio

EXACT = {
    asinh_root_squared: lambda z: asinh(sqrt(z)) ** 2,
    asinh_root_slope: lambda z: asinh(sqrt(z)) / sqrt(z * (1 + z)),
    sinh_root_ratio: lambda z: sinh(sqrt(z)) / sqrt(z),
    cosh_root: lambda z: cosh(sqrt(z)),
}
ARGUMENTS = [1e-300, 1e-20, 1e-8, 1e-3, 0.01, 1 / 33, 1 / 32, 0.1, 0.5, 0.999, 1.0, 1.001, 3.0, 100.0]


def derivatives(function, z: float, count: int) -> list[float]:
    functions = [function]
    for _ in range(count):
        functions.append(torch.func.grad(functions[-1]))
    return [f(torch.tensor(z, dtype=torch.float64)).item() for f in functions]


@pytest.mark.parametrize("function", EXACT, ids=lambda f: f.__name__)
@pytest.mark.parametrize("z", ARGUMENTS)
def test_three_derivatives(function, z: float) -> None:
    with mpmath.workdps(50):
        if z < 1e-6:  # Taylor coefficients at zero, as near to it as the formula goes
            taylor = mpmath.taylor(EXACT[function], mpmath.mpf("1e-30"), 4)
            exact = [sum(c * mpmath.ff(k, m) * z ** (k - m) for k, c in enumerate(taylor) if k >= m) for m in range(4)]
            exact[0] = EXACT[function](mpmath.mpf(z))
        else:
            exact = [mpmath.diff(EXACT[function], mpmath.mpf(z), m) for m in range(4)]
        for order, (ours, theirs) in enumerate(zip(derivatives(function, z, 3), exact, strict=True)):
            assert abs(ours - theirs) <= 1e-15 * 30**order * abs(theirs), order


@pytest.mark.parametrize("function", EXACT, ids=lambda f: f.__name__)
def test_at_zero_and_infinity(function) -> None:
    assert all(torch.tensor(derivatives(function, 0.0, 5)).isfinite())
    assert torch.isnan(function(torch.tensor(torch.nan)))
    expected = 0.0 if function is asinh_root_squared else 1.0
    assert function(torch.tensor(0.0, dtype=torch.float64)).item() == expected


def test_the_square_root_has_slope_zero_at_zero() -> None:
    assert derivatives(root, 0.0, 3) == [0.0] * 4
    assert derivatives(root, 4.0, 2) == [2.0, 0.25, -1 / 32]
    assert torch.isnan(root(torch.tensor(torch.nan)))
