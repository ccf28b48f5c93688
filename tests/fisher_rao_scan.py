"""Shortest geodesics in two dimensions by exhaustion: f on a dense grid of the fibre, which is a line there.

Run with: python tests/fisher_rao_scan.py [pairs]

It prints how many shorter geodesics the solver misses among pairs with two minima and without.
"""

import sys
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch

from geolatent.manifolds import Gaussian, MultivariateGaussians

GRID = np.sinh(np.linspace(-22, 22, 6001))
SAME = 1e-6  # relative; the grid alone brings f to about 1e-8


class Needle(NamedTuple):
    """N(0, I) and N((mean, 0), Q diag(long, thin) Q^T), Q the rotation by ``angle``."""

    mean: float
    angle: float
    long: float
    thin: float

    @property
    def covariance(self) -> np.ndarray:
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        turned = np.array([[cos, -sin], [sin, cos]])
        return turned * [self.long, self.thin] @ turned.T


def values(pair: Needle, k: np.ndarray) -> np.ndarray:
    """f(K) for K = [[0, k], [-k, 0]], from trace and determinant of B^T B, all in minors."""
    (s11, s12), (_, s22) = pair.covariance
    inverse = 1 / (pair.long * pair.thin)
    mean = pair.mean**2
    r11, r22 = np.sqrt(s22 * inverse), 1 / np.sqrt(s22)
    r21 = -s12 / s22 * r11
    first, second = 1 - s11 - mean / 2, 1 - s22
    above, below = k - s12, -k - s12
    squares = (first * r11 + above * r21) ** 2 + (above * r22) ** 2 + (below * r11 + second * r21) ** 2
    trace = (squares + (second * r22) ** 2 + 2 * mean * r11**2) / 4
    minors = (first * second - above * below) ** 2 + 2 * mean * (above**2 + second**2)
    determinant = minors * inverse / 16
    larger = trace / 2 + np.sqrt(np.maximum(trace**2 / 4 - determinant, 0))
    return 2 * (np.arcsinh(np.sqrt(larger)) ** 2 + np.arcsinh(np.sqrt(determinant / larger)) ** 2)


def minima(pair: Needle) -> np.ndarray:
    """Square roots of the local minima of f, the least first."""
    f = values(pair, GRID)
    low = np.flatnonzero((f[1:-1] <= f[:-2]) & (f[1:-1] < f[2:])) + 1
    found = []
    for i in low:
        left, right = GRID[i - 1], GRID[i + 1]
        for _ in range(6):
            fine = np.linspace(left, right, 41)
            at = int(np.argmin(values(pair, fine)))
            left, right = fine[max(at - 1, 0)], fine[min(at + 1, 40)]
        found.append(values(pair, np.array([(left + right) / 2]))[0])
    return np.sqrt(np.sort(found))


def needles(seed: int, count: int) -> Iterator[Needle]:
    """Pairs of the kind that has two geodesics, about one in fifteen of them does."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        exponents = rng.uniform((1, -2.5, 0, -5), (3, -0.5, 3, -2))
        yield Needle(*(10.0**exponents).tolist())


def general(seed: int, count: int) -> Iterator[Needle]:
    """Pairs of any shape and direction."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        mean, long, thin = 10.0 ** rng.uniform((1, -5, -5), (4, 5, 5))
        yield Needle(mean, rng.uniform(0, np.pi / 2), long, thin)


def gaussians(pairs: list[Needle]) -> tuple[Gaussian, Gaussian]:
    zero = torch.zeros(len(pairs), 2, dtype=torch.float64)
    loc = zero.clone()
    loc[:, 0] = torch.tensor([pair.mean for pair in pairs], dtype=torch.float64)
    covariance = torch.tensor(np.stack([pair.covariance for pair in pairs]))
    identity = torch.eye(2, dtype=torch.float64).expand_as(covariance)
    return Gaussian(zero, identity), Gaussian(loc, (covariance + covariance.mT) / 2)


def main(count: int) -> None:
    for name, sample in (("needles", needles), ("general", general)):
        pairs = list(sample(0, count))
        lengths = [minima(pair) for pair in pairs]
        start, end = gaussians(pairs)
        manifold = MultivariateGaussians(2)
        shortest = torch.tensor([float(length[0]) for length in lengths], dtype=torch.float64)
        for direction, ends in (("forward", (start, end)), ("backward", (end, start))):
            excess = manifold.dist(*ends) / shortest - 1
            several, missed = sum(len(length) > 1 for length in lengths), int((excess > SAME).sum())
            print(f"{name}, {direction}: {count} pairs, {several} with several minima, {missed} missed")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 12_000)
