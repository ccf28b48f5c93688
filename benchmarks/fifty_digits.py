"""The Fisher-Rao distance of two bivariate Gaussians in fifty-digit arithmetic, by one scalar equation."""

from itertools import pairwise

import mpmath
import numpy as np


def fifty_digits(loc_a: np.ndarray, covariance_a: np.ndarray, loc_b: np.ndarray, covariance_b: np.ndarray) -> float:
    """Length of the shortest horizontal geodesic of SPD(5) over those between two bivariate Gaussians, in mpmath.

    The lift's free skew matrix has one entry k; the (1, 3) block of the logarithm is skew, and zero at a geodesic. Far
    pairs may have several; each change of sign on a grid leads to one.
    """
    with mpmath.workdps(50):
        lower = mpmath.inverse(mpmath.cholesky(mpmath.matrix(covariance_a)))
        m = lower * mpmath.matrix(loc_b - loc_a)
        S = lower * mpmath.matrix(covariance_b) * lower.T

        def spectrum(k: mpmath.mpf) -> tuple[mpmath.matrix, mpmath.matrix]:
            lift, middle = mpmath.eye(5), mpmath.eye(5)
            corner = -m * m.T / 2 + mpmath.matrix([[0, k], [-k, 0]])
            lift[2, 0:2], lift[3:5, 0:2], lift[3:5, 2] = m.T, corner, -m
            middle[0:2, 0:2], middle[3:5, 3:5] = mpmath.inverse(S), S
            values, vectors = mpmath.eigsy(lift * middle * lift.T)
            return values.apply(mpmath.log), vectors

        def vertical(k: mpmath.mpf) -> mpmath.mpf:
            logs, Q = spectrum(k)
            return (Q * mpmath.diag(list(logs)) * Q.T)[0, 4]

        def length(*bracket: mpmath.mpf) -> mpmath.mpf:
            logs, _ = spectrum(mpmath.findroot(vertical, bracket, solver="illinois", tol=mpmath.mpf("1e-80")))
            return mpmath.sqrt(mpmath.fsum(log**2 for log in logs)) / 2

        values, Q = mpmath.eigsy(S)
        log_S = Q * mpmath.diag(list(values.apply(mpmath.log))) * Q.T
        bend = (log_S * m * m.T - m * m.T * log_S)[0, 1]
        grid = mpmath.linspace(0, bend / 4, 50)
        brackets = [(low, high) for low, high in pairwise(grid) if vertical(low) * vertical(high) <= 0]
        return float(min(length(*bracket) for bracket in brackets))
