"""Divided differences against 60 digits, from coincident arguments to far ones."""

import random
from collections.abc import Callable

import mpmath
import pytest
import torch

from geolatent.linalg.scalar_functions import Exponential, Logarithm, Power, ScalarFunction, SquareRoot

UNIT = torch.finfo(torch.float64).eps / 2
EXPONENTS = [-2.0, -0.5, 0.0, 1 / 3, 1.0, 1.5, 2.0, 3.0, 7.5]
Exact = Callable[[mpmath.mpf], mpmath.mpf]


class Case:
    """A function, its two derivatives in many digits, and the exponent that its accuracy depends on."""

    def __init__(
        self, function: ScalarFunction, derivatives: tuple[Exact, Exact, Exact], exponent: float = 0.0
    ) -> None:
        self.function = function
        self.derivatives = derivatives
        self.exponent = exponent

    def slope(self, a: mpmath.mpf, b: mpmath.mpf) -> mpmath.mpf:
        f, first, _ = self.derivatives
        return first(a) if a == b else (f(a) - f(b)) / (a - b)

    def bend(self, *points: mpmath.mpf) -> mpmath.mpf:
        c, b, a = sorted(points)
        return self.derivatives[2](a) / 2 if a == c else (self.slope(a, b) - self.slope(b, c)) / (a - c)


def power(p: float) -> Case:
    return Case(
        Power(p),
        (lambda x: x**p, lambda x: p * x ** (mpmath.mpf(p) - 1), lambda x: p * (p - 1) * x ** (mpmath.mpf(p) - 2)),
        p,
    )


CASES = {
    "exp": Case(Exponential(), (mpmath.exp,) * 3),
    "log": Case(Logarithm(), (mpmath.log, lambda x: 1 / x, lambda x: -1 / x**2)),
    "sqrt": Case(SquareRoot(), (mpmath.sqrt, lambda x: 0.5 / mpmath.sqrt(x), lambda x: -0.25 / x ** mpmath.mpf(1.5))),
    **{f"power {p:.2f}": power(p) for p in EXPONENTS},
}


def points(name: str, count: int) -> list[list[float]]:
    """Triples of arguments, some of them equal, at any distance."""
    chance = random.Random(name)
    triples = []
    for _ in range(count):
        spread = 10 ** chance.uniform(-17, 2)
        offsets = [chance.choice([0.0, 1.0, 1.0]) * chance.random() * spread for _ in range(3)]
        if name == "exp":
            start = chance.uniform(-20, 20)
            triples.append([start + min(offset, 20.0) for offset in offsets])
        else:
            start = 10 ** chance.uniform(-8, 8)
            triples.append([start * (1 + offset) for offset in offsets])
    return triples


@pytest.mark.parametrize("name", CASES)
def test_divided_differences_to_the_last_digits(name: str) -> None:
    case = CASES[name]
    triples = points(name, 300)
    a, b, c = torch.tensor(triples, dtype=torch.float64).unbind(-1)
    slopes, bends = case.function.slope(a, b), case.function.bend(a, b, c)
    values = case.function.value(a)
    with mpmath.workdps(60):
        for triple, value, slope, bend in zip(triples, values.tolist(), slopes.tolist(), bends.tolist(), strict=True):
            x, y, z = map(mpmath.mpf, triple)
            high, low = max(x, y, z), min(x, y, z)
            growth = 1 + abs(case.exponent) * mpmath.log(high / low) if case.exponent else 1
            assert abs(value - case.derivatives[0](x)) <= 4 * UNIT * abs(case.derivatives[0](x)), triple
            exact = case.slope(x, y)
            assert abs(slope - exact) <= 8 * growth * UNIT * abs(exact), triple
            exact, scale = case.bend(x, y, z), abs(case.slope(high, low) / high)
            assert abs(bend - exact) <= 200 * growth * UNIT * (abs(exact) + scale), triple


@pytest.mark.parametrize("name", CASES)
def test_differences_do_not_depend_on_the_order_of_their_arguments(name: str) -> None:
    function = CASES[name].function
    a, b, c = torch.tensor(points(name, 200), dtype=torch.float64).unbind(-1)
    assert torch.equal(function.slope(a, b), function.slope(b, a))
    bend = function.bend(a, b, c)
    for other in (function.bend(c, b, a), function.bend(b, a, c), function.bend(b, c, a)):
        assert torch.allclose(bend, other, rtol=1e-12, atol=0) or name == "power 1.00"
