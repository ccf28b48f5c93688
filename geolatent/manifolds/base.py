"""The protocol of every manifold: what a user calls. Arguments are checked here; the formulas stand elsewhere."""

from collections.abc import Callable
from typing import Any, TypeVar, overload

import torch
from torch import Tensor
from torch.distributions import Distribution

from geolatent.manifolds.arguments import prepare
from geolatent.manifolds.components import batch_shape, cast, components
from geolatent.manifolds.formulas import Formulas, Point
from geolatent.manifolds.pairwise import every_dist, require_set
from geolatent.manifolds.smooth import root

Table = TypeVar("Table")


class Manifold(Formulas[Point]):
    """A Riemannian manifold whose points are tensors or tuples of tensors, batch dimensions first.

    Points may be given as objects of torch.distributions where the manifold's points are distributions. Batch
    dimensions broadcast, data types promote, and the result has the promoted type; float16 and bfloat16 are computed
    in float32. Everything can be differentiated, any number of times and by every transform of torch.

    Every method raises TypeError if an argument is of another type or not real floating point, and ValueError if a
    shape does not fit, a point is not on the manifold or a tangent vector not finite; the message names the batch
    index. Under ``torch.func`` and ``torch.compile``, which hide the values, these are not checked.

    A subclass gives the formulas.
    """

    def squared_dist(self, point_a: Point | Distribution, point_b: Point | Distribution) -> Tensor:
        r"""Squared geodesic distance :math:`d^2(a, b)`.

        Args:
            point_a: points.
            point_b: points; batch shapes broadcast.

        Returns:
            Squared distances, of the broadcast batch shape.
        """
        (a, b), dtype = prepare(self, {"point_a": point_a, "point_b": point_b})
        return self._squared_dist(a, b).to(dtype)

    def dist(self, point_a: Point | Distribution, point_b: Point | Distribution) -> Tensor:
        r"""Geodesic distance :math:`d(a, b)`; its gradient at coincident points is the subgradient zero.

        Args:
            point_a: points.
            point_b: points; batch shapes broadcast.

        Returns:
            Distances, of the broadcast batch shape.
        """
        (a, b), dtype = prepare(self, {"point_a": point_a, "point_b": point_b})
        return self._dist(a, b).to(dtype)

    @overload
    def pairwise_dist(
        self,
        points: Point | Distribution,
        others: Point | Distribution | None = None,
        *,
        out: None = None,
        max_memory: int | str | None = None,
        progress: bool = False,
    ) -> Tensor: ...

    @overload
    def pairwise_dist(
        self,
        points: Point | Distribution,
        others: Point | Distribution | None = None,
        *,
        out: Table,
        max_memory: int | str | None = None,
        progress: bool = False,
    ) -> Table: ...

    def pairwise_dist(
        self,
        points: Point | Distribution,
        others: Point | Distribution | None = None,
        *,
        out: Any = None,
        max_memory: int | str | None = None,
        progress: bool = False,
    ) -> Any:
        r"""Distances :math:`d(a_i, b_j)` of every point of one set to every point of another.

        Each point is factored once, and pairs are computed in tiles, so that the temporary tensors stay small. Within
        one set each pair is computed once: the matrix is exactly symmetric, its diagonal exactly zero.

        Args:
            points: N points, batch shape (N,).
            others: M points, batch shape (M,); ``points`` themselves if left out.
            out: where to write, tile by tile: a tensor or an array (``numpy.memmap`` for instance) of shape (N, M). It
                carries no derivative.
            max_memory: bytes, or text such as ``"500MB"``, that the computation may hold beside the points, their
                factors and the result. About 8 MiB if left out.
            progress: whether to show a bar.

        Returns:
            Distances, shape (N, M); ``out`` itself if it is given.

        Raises:
            TypeError: if ``out`` is not of a floating type.
            ValueError: if a set is empty or its batch shape is not (N,), ``out`` is not of shape (N, M) or the points
                require gradients that it cannot carry, or ``max_memory`` is malformed or too small for one pair.
        """
        given = {"points": points} if others is None else {"points": points, "others": others}
        sets, dtype = prepare(self, given, broadcast=False)
        for name, points_of_one in zip(given, sets, strict=True):
            require_set(name, batch_shape(points_of_one, self.event_ndims))
        return every_dist(self, sets, dtype, out, max_memory, progress)

    def geodesic(
        self, initial_point: Point | Distribution, end_point: Point | Distribution
    ) -> Callable[[float | Tensor], Point]:
        r"""Geodesic :math:`\gamma` with :math:`\gamma(0)` = ``initial_point`` and :math:`\gamma(1)` = ``end_point``.

        Args:
            initial_point: points.
            end_point: points; batch shapes broadcast.

        Returns:
            A function of t, a number or a tensor of any shape, inside or outside [0, 1]; its result has batch shape
            t.shape + batch shape.
        """
        (initial, end), dtype = prepare(self, {"initial_point": initial_point, "end_point": end_point})
        path = self._geodesic(initial, end)
        ndim = len(torch.broadcast_shapes(*(batch_shape(point, self.event_ndims) for point in (initial, end))))
        like = components(initial)[0]

        def at(t: float | Tensor) -> Point:
            time = torch.as_tensor(t, dtype=like.dtype, device=like.device)
            return cast(dtype, path(time[(..., *[None] * ndim)]))

        return at

    def exp(self, tangent_vec: Point, base_point: Point | Distribution) -> Point:
        r"""Exponential map: the end :math:`\gamma(1)` of the geodesic with :math:`\gamma'(0)` = ``tangent_vec``.

        Args:
            tangent_vec: tangent vectors at the base points.
            base_point: points; batch shapes broadcast.

        Returns:
            Points, of the broadcast batch shape.
        """
        (base, vector), dtype = prepare(self, {"base_point": base_point}, {"tangent_vec": tangent_vec})
        return cast(dtype, self._exp(vector, base))

    def log(self, point: Point | Distribution, base_point: Point | Distribution) -> Point:
        r"""Logarithm map: the initial velocity of the geodesic from ``base_point`` to ``point``.

        Args:
            point: points.
            base_point: points; batch shapes broadcast.

        Returns:
            Tangent vectors at the base points, of the broadcast batch shape.
        """
        (end, base), dtype = prepare(self, {"point": point, "base_point": base_point})
        return cast(dtype, self._log(end, base))

    def inner_product(self, u: Point, v: Point, base_point: Point | Distribution) -> Tensor:
        r"""Inner product :math:`\langle u, v \rangle` of the metric at ``base_point``.

        Args:
            u: tangent vectors at the base points.
            v: tangent vectors at the base points.
            base_point: points; batch shapes broadcast.

        Returns:
            Inner products, of the broadcast batch shape.
        """
        (base, first, second), dtype = prepare(self, {"base_point": base_point}, {"u": u, "v": v})
        return self._inner_product(first, second, base).to(dtype)

    def norm(self, tangent_vec: Point, base_point: Point | Distribution) -> Tensor:
        r"""Length :math:`\sqrt{\langle v, v \rangle}` of tangent vectors; its gradient at v = 0 is zero.

        Args:
            tangent_vec: tangent vectors at the base points.
            base_point: points; batch shapes broadcast.

        Returns:
            Lengths, of the broadcast batch shape.
        """
        (base, vector), dtype = prepare(self, {"base_point": base_point}, {"tangent_vec": tangent_vec})
        return root(self._inner_product(vector, vector, base)).to(dtype)

    def parallel_transport(
        self, tangent_vec: Point, base_point: Point | Distribution, end_point: Point | Distribution
    ) -> Point:
        r"""Parallel transport of tangent vectors along the geodesic from ``base_point`` to ``end_point``.

        Args:
            tangent_vec: tangent vectors at the base points.
            base_point: points.
            end_point: points; all batch shapes broadcast.

        Returns:
            Tangent vectors at the end points, of the broadcast batch shape.
        """
        ends = {"base_point": base_point, "end_point": end_point}
        (base, end, vector), dtype = prepare(self, ends, {"tangent_vec": tangent_vec})
        return cast(dtype, self._parallel_transport(vector, base, end))

    def belongs(self, point: Point | Distribution) -> Tensor:
        """Whether points lie on the manifold.

        Args:
            point: points of any values; their types and trailing shapes must fit the manifold.

        Returns:
            Booleans, of the batch shape.
        """
        return self._belongs(self._as_point("point", point))

    def random_point(
        self,
        batch_shape: tuple[int, ...] = (),
        generator: torch.Generator | None = None,
        *,
        dtype: torch.dtype = torch.float64,
        device: torch.device | str | None = None,
    ) -> Point:
        """Random points that spread over the manifold, for tests and starts; no particular distribution is promised.

        Args:
            batch_shape: shape of the batch, a tuple.
            generator: source of randomness; torch's default if left out.
            dtype: floating type of the points.
            device: device of the points.

        Returns:
            Points of the batch shape.
        """
        return self._random_point(tuple(batch_shape), generator, dtype, device)
