"""Weights of points, checked and normalised."""

import torch
from torch import Tensor

from geolatent._checks import require_floating


def normalised_weights(weights: Tensor | None, shape: tuple[int, ...], device: torch.device) -> Tensor:
    """Return float64 weights of ``shape`` (N, ...) whose sums over the first dimension are 1.

    Args:
        weights: shape (N,) or (N, ...), not negative, with positive sums; None for equal ones.
        shape: batch shape of the points.
        device: where the points lie.
    """
    if weights is None:
        return torch.full(shape, 1 / shape[0], dtype=torch.float64, device=device)
    require_floating("weights", weights)
    if weights.device != device:
        raise ValueError(
            f"weights must be on the device of the points, {device}; got {weights.device}: call .to({str(device)!r})"
        )
    if tuple(weights.shape) not in {shape, shape[:1]}:
        raise ValueError(
            f"weights must have shape {shape[:1]} or {shape}; got {tuple(weights.shape)}: give one weight a point"
        )
    bad = ~(weights >= 0) | weights.isinf()
    if bad.any():
        index = tuple(bad.nonzero()[0].tolist())
        raise ValueError(
            f"weights must be finite and not negative; weight {index} is {weights[index].item()}: clamp or drop it"
        )
    weights = weights.detach().double()
    total = weights.sum(0)
    if (total == 0).any():
        where = f"set {tuple((total == 0).nonzero()[0].tolist())}" if total.ndim else "they"
        raise ValueError(f"weights must have a positive sum; {where} sum to 0: give a point of each set weight")
    shares = weights / total
    return shares.reshape(shares.shape + (1,) * (len(shape) - shares.ndim)).expand(shape)
