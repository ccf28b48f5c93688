r"""Functions of an eigenvalue with their divided differences, accurate however close the arguments are.

.. math::
    f[a, b] = \frac{f(a) - f(b)}{a - b}, \qquad f[a, b, c] = \frac{f[a, b] - f[b, c]}{a - c}

and their limits where arguments coincide. The second differences of arguments close to one another come from the
Taylor series about their mean m, whose coefficients multiply the complete homogeneous symmetric polynomials of the
offsets:

.. math:: f[a, b, c] = \sum_{k \ge 0} \frac{f^{(k + 2)}(m)}{(k + 2)!} h_k(a - m, b - m, c - m).

Accuracy: with u the unit roundoff and r = 1 + |p| log(a / c) for powers, 1 otherwise, a the largest and c the smallest
argument: slopes to 8 r u, relatively; bends to 200 r u (|f[a, b, c]| + |f[a, c]| / a).
"""

from abc import ABC, abstractmethod

import torch
from torch import Tensor

_TERMS = 18
_NEAR = 1 / 8  # spread of arguments below which the series is used; its last term is below rounding there


class ScalarFunction(ABC):
    """A smooth function of one number, applied entry by entry."""

    @abstractmethod
    def value(self, x: Tensor) -> Tensor:
        """Return f(x)."""

    @abstractmethod
    def slope(self, a: Tensor, b: Tensor) -> Tensor:
        """Return f[a, b], the derivative where a = b."""

    @abstractmethod
    def bend(self, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
        """Return f[a, b, c], half the second derivative where all three coincide."""


class Exponential(ScalarFunction):
    """The exponential function."""

    def value(self, x: Tensor) -> Tensor:
        """Return e^x."""
        return x.exp()

    def slope(self, a: Tensor, b: Tensor) -> Tensor:
        """Return e^a (1 - e^(b - a)) / (a - b), a the larger."""
        high, gap = torch.maximum(a, b), (a - b).abs()
        apart = gap > 0
        return high.exp() * torch.where(apart, -torch.expm1(-gap) / torch.where(apart, gap, 1.0), 1.0)

    def bend(self, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
        """Return the second difference, by its series where a, b, c are close."""
        mean = (a + b + c) / 3
        coefficients = [1.0]
        for k in range(1, _TERMS + 2):
            coefficients.append(coefficients[-1] / k)
        series = mean.exp() * _series(coefficients[2:], a - mean, b - mean, c - mean)
        return _near_or_far(self, series, torch.ones_like(mean), (a, b, c))


class Logarithm(ScalarFunction):
    """The natural logarithm, of positive numbers."""

    def value(self, x: Tensor) -> Tensor:
        """Return log x."""
        return x.log()

    def slope(self, a: Tensor, b: Tensor) -> Tensor:
        """Return log1p((a - b) / b) / (a - b), b the smaller."""
        low, gap = torch.minimum(a, b), (a - b).abs()
        apart = gap > 0
        return torch.where(apart, torch.log1p(gap / low) / torch.where(apart, gap, 1.0), 1 / low)

    def bend(self, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
        """Return the second difference, by its series where a, b, c are close."""
        mean = (a + b + c) / 3
        coefficients = [(-1.0) ** (k + 1) / k for k in range(2, _TERMS + 2)]
        series = _series(coefficients, a / mean - 1, b / mean - 1, c / mean - 1) / mean.square()
        return _near_or_far(self, series, mean, (a, b, c))


class SquareRoot(ScalarFunction):
    """The square root, of positive numbers."""

    def value(self, x: Tensor) -> Tensor:
        """Return the square root."""
        return x.sqrt()

    def slope(self, a: Tensor, b: Tensor) -> Tensor:
        """Return 1 / (sqrt a + sqrt b)."""
        return 1 / (a.sqrt() + b.sqrt())

    def bend(self, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
        """Return minus the product of the three slopes."""
        return -self.slope(a, b) * self.slope(b, c) * self.slope(c, a)


class Power(ScalarFunction):
    """A fixed real power of positive numbers."""

    def __init__(self, exponent: float) -> None:
        self.exponent = exponent

    def value(self, x: Tensor) -> Tensor:
        """Return x to the power p."""
        return x**self.exponent

    def slope(self, a: Tensor, b: Tensor) -> Tensor:
        """Return b^(p - 1) ((1 + r)^p - 1) / r with r = (a - b) / b, b the smaller."""
        low = torch.minimum(a, b)
        gap = (a - b).abs() / low
        apart = gap > 0
        rate = torch.expm1(self.exponent * torch.log1p(gap)) / torch.where(apart, gap, 1.0)
        return low**self.exponent / low * torch.where(apart, rate, self.exponent)

    def bend(self, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
        """Return the second difference, by its series where a, b, c are close."""
        mean = (a + b + c) / 3
        coefficients = [1.0]
        for k in range(_TERMS + 1):
            coefficients.append(coefficients[-1] * (self.exponent - k) / (k + 1))
        series = _series(coefficients[2:], a / mean - 1, b / mean - 1, c / mean - 1)
        return _near_or_far(self, mean**self.exponent / mean.square() * series, mean, (a, b, c))


def _series(coefficients: list[float], u: Tensor, v: Tensor, w: Tensor) -> Tensor:
    """Return the sum of coefficients[k] h_k(u, v, w) where u + v + w = 0.

    There h_k = h_(k-3) u v w - h_(k-2) (u v + v w + w u).
    """
    pairs, product = u * v + (u + v) * w, u * v * w
    before, latest = torch.zeros_like(product), torch.zeros_like(product)
    current = torch.ones_like(product)
    total = coefficients[0] * current
    for coefficient in coefficients[1:]:
        before, latest, current = latest, current, product * before - pairs * latest
        total = total + coefficient * current
    return total


def _near_or_far(function: ScalarFunction, series: Tensor, scale: Tensor, points: tuple[Tensor, ...]) -> Tensor:
    """Choose the series where the points spread little beside ``scale``, the difference of slopes elsewhere."""
    a, b, c = points
    high, low = torch.maximum(torch.maximum(a, b), c), torch.minimum(torch.minimum(a, b), c)
    middle = torch.maximum(torch.minimum(a, b), torch.minimum(torch.maximum(a, b), c))
    near = high - low < _NEAR * scale
    quotient = (function.slope(high, middle) - function.slope(middle, low)) / torch.where(near, 1.0, high - low)
    return torch.where(near, series, quotient)
