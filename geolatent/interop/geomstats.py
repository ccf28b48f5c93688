"""Our manifolds as geomstats spaces, on which geomstats' own estimators run.

Importing this module imports geomstats, whose backend (numpy, or torch with ``GEOMSTATS_BACKEND=pytorch``) is chosen
once for the whole process. Arrays are those of that backend.
"""

import math
from typing import Any

import torch
from torch import Tensor

from geolatent.manifolds.base import Manifold
from geolatent.manifolds.components import components, map_components

try:
    import geomstats.backend as gs
    from geomstats.geometry.manifold import Manifold as GeomstatsManifold
    from geomstats.geometry.riemannian_metric import RiemannianMetric
except ImportError as error:
    raise ImportError(
        "geolatent.interop.geomstats needs geomstats 2.8 or newer, which itself needs numpy < 2.4; "
        f"importing it failed ({error}): pip install 'geolatent[geomstats]'"
    ) from error

__all__ = ["Metric", "Space"]

Array = Any  # of geomstats' active backend
_TORCH_BACKEND = isinstance(gs.zeros(1), Tensor)


class Space(GeomstatsManifold):
    r"""A manifold whose points are flat vectors, as geomstats wants them, equipped with our metric.

    A point's components stand one after the other, matrices row by row: :math:`(\mu, \sigma)` with n + n entries for
    univariate and diagonal Gaussians, :math:`(\mu, \Sigma)` with n + n^2 for multivariate ones. The univariate and the
    multivariate layout are those of geomstats' ``NormalDistributions``; its diagonal family holds variances where ours
    holds standard deviations.

    Args:
        manifold: a manifold whose points consist of vectors and symmetric matrices, ``MultivariateGaussians(n)`` say.
        equip: whether to equip the space with :class:`Metric`.

    Raises:
        ValueError: if a component of the manifold's points is a matrix that is not square.

    >>> from geolatent.manifolds import DiagonalGaussians
    >>> space = Space(DiagonalGaussians(2))
    >>> space.dim, space.shape
    (4, (4,))
    >>> distance = space.metric.dist(gs.array([0.0, 0.0, 1.0, 1.0]), gs.array([10.0, 0.0, 1.0, 1.0]))
    >>> round(float(distance), 12)
    5.587379156716
    """

    def __init__(self, manifold: Manifold[Any], equip: bool = True) -> None:
        self.manifold = manifold
        self._example = manifold.random_point(generator=torch.Generator())
        self._shapes = [tuple(tensor.shape) for tensor in components(self._example)]
        size = sum(math.prod(shape) for shape in self._shapes)
        super().__init__(dim=sum(map(_dimension, self._shapes)), shape=(size,), equip=equip)

    @staticmethod
    def default_metric() -> type["Metric"]:
        """Return the metric that ``equip=True`` takes."""
        return Metric

    def flatten(self, point: Any) -> Array:
        """Write points or tangent vectors as flat vectors.

        Args:
            point: points or tangent vectors as the manifold takes and returns them, batch shape (...).

        Returns:
            Array of geomstats' backend, shape (..., size of a vector); of the numpy backend, detached from autograd.
        """
        parts = zip(components(point), self._shapes, strict=True)
        flat = [tensor.flatten(-len(shape)) for tensor, shape in parts]
        batch = torch.broadcast_shapes(*(tensor.shape[:-1] for tensor in flat))
        return _to_backend(torch.cat([tensor.expand(*batch, -1) for tensor in flat], -1))

    def unflatten(self, vector: Array) -> Any:
        """Read flat vectors as points or tangent vectors.

        Args:
            vector: array of geomstats' backend, shape (..., size of a vector).

        Returns:
            Points or tangent vectors as the manifold takes them, in the array's data type.

        Raises:
            ValueError: if the vectors have another size.
        """
        tensor = torch.as_tensor(gs.copy(vector))  # a copy has strides and flags that torch accepts
        if tensor.shape[-1:] != self.shape:
            raise ValueError(
                f"vector must have shape (..., {self.shape[0]}), components of shapes {self._shapes} one after the "
                f"other; got {tuple(tensor.shape)}: see Space.flatten"
            )
        split = tensor.split([math.prod(shape) for shape in self._shapes], -1)
        parts = iter([part.unflatten(-1, shape) for part, shape in zip(split, self._shapes, strict=True)])
        return map_components(lambda _: next(parts), self._example)

    def belongs(self, point: Array, atol: float = gs.atol) -> Array:  # noqa: ARG002 - geomstats' signature
        """Tell which flat vectors are points; the manifold's own tolerance holds in place of ``atol``."""
        if point.shape[-1:] != self.shape:
            return gs.zeros(point.shape[:-1], dtype=bool)
        return _to_backend(self.manifold.belongs(self.unflatten(point)))

    def to_tangent(self, vector: Array, base_point: Array | None = None) -> Array:
        """Project flat vectors to tangent vectors: a matrix is replaced by its symmetric part."""
        shapes = iter(self._shapes)
        tangent_vec = self.flatten(
            map_components(lambda x: (x + x.mT) / 2 if len(next(shapes)) == 2 else x, self.unflatten(vector))
        )
        if base_point is None or base_point.ndim <= vector.ndim:
            return tangent_vec
        return gs.broadcast_to(tangent_vec, base_point.shape)

    def is_tangent(self, vector: Array, base_point: Array | None = None, atol: float = gs.atol) -> Array:
        """Tell which flat vectors are tangent vectors: those whose matrices are symmetric within ``atol``."""
        if vector.shape[-1:] != self.shape:
            return gs.zeros(vector.shape[:-1], dtype=bool)
        asymmetry = gs.abs(self.to_tangent(vector, base_point) - vector)
        return gs.all(asymmetry <= atol, axis=-1)

    def random_point(self, n_samples: int = 1, bound: float = 1.0) -> Array:  # noqa: ARG002 - geomstats' signature
        """Draw points as the manifold does, from a generator that ``gs.random.seed`` decides; ``bound`` has no effect.

        Args:
            n_samples: number of points.
            bound: present for geomstats' callers alone.

        Returns:
            Flat vectors, shape (n_samples, size of a vector), or (size of a vector,) for one sample.
        """
        generator = torch.Generator().manual_seed(int(gs.random.randint(0, 2**31 - 1, (1,))[0]))
        return self.flatten(self.manifold.random_point(() if n_samples == 1 else (n_samples,), generator))


class Metric(RiemannianMetric):
    r"""A manifold's own metric on the flat vectors of its :class:`Space`.

    For Gaussians that is the Fisher-Rao metric
    :math:`ds^2 = d\mu' \Sigma^{-1} d\mu + \tfrac12 \operatorname{tr}((\Sigma^{-1} d\Sigma)^2)`. ``geodesic``, ``norm``
    and what else geomstats derives from these methods is inherited.

    Accuracy:
        That of the manifold's methods of the same name.
    """

    _space: Space

    def inner_product(self, tangent_vec_a: Array, tangent_vec_b: Array, base_point: Array) -> Array:
        """Inner products of tangent vectors, shape (...)."""
        space = self._space
        vectors = space.unflatten(tangent_vec_a), space.unflatten(tangent_vec_b)
        return _to_backend(space.manifold.inner_product(*vectors, space.unflatten(base_point)))

    def squared_dist(self, point_a: Array, point_b: Array) -> Array:
        """Squared distances, shape (...)."""
        space = self._space
        return _to_backend(space.manifold.squared_dist(space.unflatten(point_a), space.unflatten(point_b)))

    def dist(self, point_a: Array, point_b: Array) -> Array:
        """Distances, shape (...)."""
        space = self._space
        return _to_backend(space.manifold.dist(space.unflatten(point_a), space.unflatten(point_b)))

    def dist_pairwise(self, points: Array, n_jobs: int = 1, **_: Any) -> Array:  # noqa: ARG002 - geomstats' signature
        """Distances of N points to each other, shape (N, N), in batches and not in jobs: ``n_jobs`` has no effect."""
        return _to_backend(self._space.manifold.pairwise_dist(self._space.unflatten(points)))

    def exp(self, tangent_vec: Array, base_point: Array) -> Array:
        """Exponential map, shape (..., size of a vector)."""
        space = self._space
        return space.flatten(space.manifold.exp(space.unflatten(tangent_vec), space.unflatten(base_point)))

    def log(self, point: Array, base_point: Array) -> Array:
        """Logarithm map, shape (..., size of a vector)."""
        space = self._space
        return space.flatten(space.manifold.log(space.unflatten(point), space.unflatten(base_point)))

    def parallel_transport(
        self, tangent_vec: Array, base_point: Array, direction: Array | None = None, end_point: Array | None = None
    ) -> Array:
        """Parallel transport along the shortest geodesic to ``end_point``, or to the exponential of ``direction``.

        Args:
            tangent_vec: tangent vectors at the base points.
            base_point: points.
            direction: tangent vectors at the base points.
            end_point: points; give either these or ``direction``.

        Returns:
            Tangent vectors at the end points, shape (..., size of a vector).

        Raises:
            ValueError: unless exactly one of ``direction`` and ``end_point`` is given.
        """
        if (direction is None) == (end_point is None):
            raise ValueError("parallel_transport needs exactly one of direction and end_point: leave the other out")
        space = self._space
        vector, base = space.unflatten(tangent_vec), space.unflatten(base_point)
        end = space.manifold.exp(space.unflatten(direction), base) if end_point is None else space.unflatten(end_point)
        return space.flatten(space.manifold.parallel_transport(vector, base, end))


def _to_backend(tensor: Tensor) -> Array:
    return tensor if _TORCH_BACKEND else tensor.numpy(force=True)


def _dimension(shape: tuple[int, ...]) -> int:
    """Return the dimension of vectors, or of symmetric matrices, of that shape."""
    if len(shape) == 1:
        return shape[0]
    if len(shape) != 2 or shape[0] != shape[1]:
        raise ValueError(
            f"manifold must have points of vectors and symmetric matrices; got a component of shape {shape}"
        )
    return shape[0] * (shape[0] + 1) // 2
