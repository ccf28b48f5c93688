r"""Certified bounds of the Fisher-Rao distance, without an iteration.

Below, the distance of the embedding :math:`(\mu, \Sigma) \mapsto [\Sigma + \mu \mu^T, \mu; \mu^T, 1]` into the positive
definite matrices of size n + 1. Above, the least of f at K = 0, f at Lawson's ansatz and the Jeffreys divergence.

Source: [calvo1990distance], [nielsen2023fisher]; f is that of lift.py.
"""

import torch
from torch import Tensor

from geolatent import _kernels
from geolatent._kernels import fisher_rao as kernel
from geolatent.manifolds.fisher_rao.lift import Pair, spectrum_of, whiten
from geolatent.manifolds.fisher_rao.newton import first_start
from geolatent.manifolds.points import Gaussian


def squared_bounds(a: Gaussian, b: Gaussian) -> tuple[Tensor, Tensor]:
    """Lower and upper bounds of the squared distance, up to rounding; batch shapes broadcast. Not differentiable."""
    loc, other_loc = torch.broadcast_tensors(a.loc, b.loc)
    covariance, other_covariance = torch.broadcast_tensors(a.covariance_matrix, b.covariance_matrix)
    lower, upper = _bounds(loc, covariance, other_loc, other_covariance)
    return lower, upper


@torch.library.custom_op("geolatent::fisher_rao_bounds", mutates_args=())
def _bounds(loc: Tensor, covariance: Tensor, other_loc: Tensor, other_covariance: Tensor) -> tuple[Tensor, Tensor]:
    batch = loc.shape[:-1]
    pairs = [
        tensor.reshape(-1, *tensor.shape[len(batch) :]).double().contiguous()
        for tensor in (loc, covariance, other_loc, other_covariance)
    ]
    lower, upper = kernel.bounds(*pairs) if _kernels.usable(*pairs) else torch_bounds(*pairs)
    return lower.reshape(batch), upper.reshape(batch)


@_bounds.register_fake
def _(loc: Tensor, *_others: Tensor) -> tuple[Tensor, Tensor]:
    shape = loc.shape[:-1]
    return loc.new_empty(shape, dtype=torch.float64), loc.new_empty(shape, dtype=torch.float64)


@_bounds.register_vmap
def _(
    _info: object, in_dims: tuple[int | None, ...], *parameters: Tensor
) -> tuple[tuple[Tensor, Tensor], tuple[int, int]]:
    ndims = (1, 2, 1, 2)
    leading = [x if dim is None else x.movedim(dim, 0) for x, dim in zip(parameters, in_dims, strict=True)]
    shape = torch.broadcast_shapes(*(x.shape[: x.ndim - ndim] for x, ndim in zip(leading, ndims, strict=True)))
    full = [x.expand(*shape, *x.shape[x.ndim - ndim :]) for x, ndim in zip(leading, ndims, strict=True)]
    return _bounds(*full), (0, 0)


def torch_bounds(loc: Tensor, covariance: Tensor, other_loc: Tensor, other_covariance: Tensor) -> tuple[Tensor, Tensor]:
    """The definition, in torch."""
    pair = whiten(loc, covariance, other_loc, other_covariance)
    jeffreys = 0.5 * (pair.excess.square() / pair.values).sum(-1)
    jeffreys = jeffreys + 0.5 * pair.mean.square() * (1 + pair.inverse[..., 0, 0].square())
    _, lifted = first_start(pair)
    return _lower(pair), torch.minimum(jeffreys, lifted)


def _lower(pair: Pair) -> Tensor:
    n = pair.triangle.shape[-1]
    corner = torch.nn.functional.pad(pair.difference, (0, 1, 0, 1))
    factor = torch.nn.functional.pad(pair.triangle, (0, 1, 0, 1))
    corner[..., 0, 0] += pair.mean.square()
    corner[..., 0, n] += pair.mean
    corner[..., n, 0] += pair.mean
    factor[..., 0, n] += pair.mean
    factor[..., n, n] += 1
    excess, values, _ = spectrum_of(corner, factor)
    small = excess.abs() < 0.5
    log = torch.where(small, torch.log1p(torch.where(small, excess, 0.0)), values.log())
    return 0.5 * log.square().sum(-1)
