"""Distances between all pairs of latent tensors on a product of semidefinite matrices; no peer computes them."""

import torch

from geolatent.embeddings import tensor_to_spsd
from geolatent.manifolds import FixedRankSPSD, Product

N = 300


def test_latent_tensors(benchmark) -> None:
    generator = torch.Generator().manual_seed(0)
    mixed = torch.randn(N, 7, 7, 128, generator=generator) @ torch.randn(128, 128, generator=generator)
    points = tensor_to_spsd(torch.relu(mixed).double())
    manifold = Product(*(FixedRankSPSD(p, rank) for p, rank in ((7, 7), (7, 7), (128, 48))))
    benchmark.extra_info["pairs"] = N * (N - 1) // 2
    benchmark.pedantic(manifold.pairwise_dist, (points,), rounds=3, warmup_rounds=1)
