"""Spectra of the paper's autoencoder end to end: ours, d x d products in torch, and the N x N matrix."""

import pytest
import torch

import geolatent as gl
from geolatent.bench import full_spectrum, small_product_spectrum

FEATURES = 784
CASES = pytest.mark.parametrize("d", [2, 8, 20])


def _model(d: int) -> gl.models.MLPAutoencoder:
    model = gl.models.MLPAutoencoder(FEATURES, d, generator=torch.Generator().manual_seed(d))
    return model.eval().requires_grad_(requires_grad=False)


def _samples(count: int) -> torch.Tensor:
    return torch.rand(count, FEATURES, generator=torch.Generator().manual_seed(0))


@CASES
@pytest.mark.parametrize("of", ["input", "both"])
def test_geolatent(benchmark, d: int, of: str) -> None:
    benchmark.group = f"spectrum d={d}"
    benchmark.extra_info["samples"] = 20_000
    model = _model(d)
    benchmark(gl.jacobians.autoencoder_spectrum, model.encoder, model.decoder, _samples(20_000), of=of)


@CASES
def test_torch_small_product(benchmark, d: int) -> None:
    benchmark.group = f"spectrum d={d}"
    benchmark.extra_info["samples"] = 1_000
    benchmark.pedantic(small_product_spectrum, (_model(d), _samples(1_000)), rounds=5, warmup_rounds=1)


@CASES
def test_torch_full_matrix(benchmark, d: int) -> None:
    benchmark.group = f"spectrum d={d}"
    benchmark.extra_info["samples"] = 4
    benchmark.pedantic(full_spectrum, (_model(d), _samples(4)), rounds=3, warmup_rounds=1)
