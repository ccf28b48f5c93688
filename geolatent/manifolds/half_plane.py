r"""Closed forms of the Poincare half-plane :math:`\{(x, y) : y > 0\}`, :math:`ds^2 = (dx^2 + dy^2) / y^2`.

Nothing depends on x but through differences, so every function takes the horizontal displacement :math:`x_1 - x_0`:
near points keep full relative accuracy. With :math:`r` the distance, :math:`z = \sinh^2(r / 2)` is rational in the
coordinates; every function below is smooth in z or :math:`r^2`, also through coincident points and vertical geodesics.
Distance: [beardon1983geometry], theorem 7.2.1; geodesics and transport follow from them in the symmetric matrices
:math:`\frac1y \begin{pmatrix} x^2 + y^2 & x \\ x & 1 \end{pmatrix}` of determinant one.
"""

import torch
from torch import Tensor

from geolatent.manifolds.smooth import asinh_root_slope, asinh_root_squared, cosh_root, sinh_root_ratio


def squared_dist(displacement: Tensor, y0: Tensor, y1: Tensor) -> Tensor:
    r"""Squared distance :math:`r^2 = 4 \operatorname{asinh}^2 \sqrt z`."""
    return 4 * asinh_root_squared(_half_sinh_squared(displacement, y0, y1))


def log(displacement: Tensor, y0: Tensor, y1: Tensor) -> tuple[Tensor, Tensor]:
    r"""Initial velocity of the geodesic from height y0 to height y1, as a pair (horizontal, vertical).

    .. math:: \frac{v}{y_0} = \frac{r}{\sinh r} \left( \frac{\Delta x}{y_1},
        \frac{\Delta x^2 + y_1^2 - y_0^2}{2 y_0 y_1} \right)
    """
    ratio = asinh_root_slope(_half_sinh_squared(displacement, y0, y1))  # r / sinh(r)
    horizontal = displacement / y1
    vertical = (displacement / y0 * horizontal + (y1 - y0) / y0 * (1 + y0 / y1)) / 2
    return y0 * ratio * horizontal, y0 * ratio * vertical


def exp(horizontal: Tensor, vertical: Tensor, y0: Tensor) -> tuple[Tensor, Tensor]:
    r"""End of the geodesic from height y0 with the given velocity, as a pair (displacement, height).

    .. math:: y_1 = y_0 / D, \quad \Delta x = y_0 \, b \, \frac{\sinh r}{r} / D, \quad
        D = \cosh r - a \frac{\sinh r}{r}, \quad (b, a) = v / y_0, \quad r^2 = a^2 + b^2

    Upwards the terms of D nearly cancel; there :math:`D = e^{-r} + \frac{\sinh r}{r} \frac{b^2}{r + a}`.
    """
    b, a = horizontal / y0, vertical / y0
    square = a * a + b * b
    sinh_ratio = sinh_root_ratio(square)
    upwards = (a > 0) & (square > 1)
    r = torch.where(upwards, square, 1.0).sqrt()
    steep = (-r).exp() + sinh_ratio * b * b / (r + torch.where(upwards, a, 0.0))
    divisor = torch.where(upwards, steep, cosh_root(square) - a * sinh_ratio)
    return y0 * b * sinh_ratio / divisor, y0 / divisor


def geodesic(displacement: Tensor, y0: Tensor, y1: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
    r"""Point of the geodesic from height y0 to height y1, as a pair (share of the displacement, height).

    .. math:: \frac{1}{y(t)} = \frac{\alpha}{y_0} + \frac{\beta}{y_1}, \quad
        \frac{x(t) - x_0}{x_1 - x_0} = \frac{\beta}{y_1} y(t), \quad
        \alpha = \frac{\sinh((1 - t) r)}{\sinh r}, \quad \beta = \frac{\sinh(t r)}{\sinh r}

    Between the end points all terms are positive: nothing cancels, however far they are apart.
    """
    square = squared_dist(displacement, y0, y1)
    whole = sinh_root_ratio(square)
    alpha = (1 - time) * sinh_root_ratio((1 - time).square() * square) / whole
    beta = time * sinh_root_ratio(time.square() * square) / whole
    height = 1 / (alpha / y0 + beta / y1)
    return beta / y1 * height, height


def parallel_transport(
    horizontal: Tensor, vertical: Tensor, displacement: Tensor, y0: Tensor, y1: Tensor
) -> tuple[Tensor, Tensor]:
    r"""Transport a vector from height y0 to height y1, as a pair (horizontal, vertical).

    Measured in units of y, vectors turn by the angle :math:`\varphi` that the geodesic's circle spans at its centre,
    which is foot to the bisector of the end points:

    .. math:: \tan(\varphi / 2) = -\frac{\Delta x}{y_0 + y_1}
    """
    tangent = displacement / (y0 + y1)
    scale = y1 / y0 / (1 + tangent * tangent)
    straight, turned = scale * (1 - tangent) * (1 + tangent), scale * 2 * tangent
    return straight * horizontal + turned * vertical, straight * vertical - turned * horizontal


def _half_sinh_squared(displacement: Tensor, y0: Tensor, y1: Tensor) -> Tensor:
    r"""Return :math:`z = \sinh^2(r / 2) = (\Delta x^2 + \Delta y^2) / (4 y_0 y_1)`, in factors that do not overflow."""
    rise = y1 - y0
    return (displacement / y0 * (displacement / y1) + rise / y0 * (rise / y1)) / 4
