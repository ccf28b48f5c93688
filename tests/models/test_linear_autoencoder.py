import numpy as np
import pytest
import sklearn.decomposition
import torch
from torch import nn

from geolatent.models import LinearAutoencoder


def samples(n=40, features=12, dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(n, features, generator=generator, dtype=dtype) @ torch.diag(
        torch.linspace(2, 0.1, features, dtype=dtype)
    ) + torch.linspace(-1, 1, features, dtype=dtype)


@pytest.mark.parametrize("bias", [True, False])
def test_is_two_affine_maps(bias):
    model = LinearAutoencoder(12, 3, bias=bias).double()
    x = samples()
    assert isinstance(model.encoder, nn.Linear)
    assert isinstance(model.decoder, nn.Linear)
    assert (model.encoder.bias is not None) is bias
    assert (model.decoder.bias is not None) is bias
    z = x @ model.encoder.weight.T + (model.encoder.bias if bias else 0)
    y = z @ model.decoder.weight.T + (model.decoder.bias if bias else 0)
    torch.testing.assert_close(model.encode(x), z)
    torch.testing.assert_close(model(x), y)
    torch.testing.assert_close(model.loss(x), ((y - x) ** 2).mean())


@pytest.mark.parametrize("latent_dim", [1, 4, 12])
def test_from_pca_reconstructs_as_sklearn(latent_dim):
    x = samples()
    model = LinearAutoencoder.from_pca(x, latent_dim)
    pca = sklearn.decomposition.PCA(latent_dim).fit(x.numpy())
    oracle = pca.inverse_transform(pca.transform(x.numpy()))
    np.testing.assert_allclose(model(x).detach().numpy(), oracle, atol=1e-12)
    np.testing.assert_allclose(model.encode(x).detach().numpy().var(0, ddof=1), pca.explained_variance_, rtol=1e-10)


def test_from_pca_is_a_minimum():
    x = samples()
    model = LinearAutoencoder.from_pca(x, 3)
    model.loss(x).backward()
    assert all(parameter.grad.abs().max() < 1e-13 for parameter in model.parameters())
    least = model.loss(x)
    generator = torch.Generator().manual_seed(1)
    for parameter in model.parameters():
        with torch.no_grad():
            parameter += 1e-3 * torch.randn(parameter.shape, generator=generator, dtype=x.dtype)
    assert model.loss(x) > least


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_from_pca_follows_dtype_and_flattens(dtype):
    before = torch.get_rng_state()
    x = samples(dtype=dtype)
    model = LinearAutoencoder.from_pca(x.reshape(40, 3, 4), 5)
    assert model.encoder.weight.dtype == dtype
    assert torch.equal(model.encoder.weight, LinearAutoencoder.from_pca(x, 5).encoder.weight)
    assert torch.equal(torch.get_rng_state(), before)
    assert model.config == {"n_features": 12, "latent_dim": 5, "bias": True}


def test_from_pca_refuses_too_many_components():
    with pytest.raises(ValueError, match=r"latent_dim must be at most min\(N, n_features\) = 5; got 6"):
        LinearAutoencoder.from_pca(samples(n=5), 6)


def test_from_pca_refuses_integers():
    with pytest.raises(TypeError, match="data must be real floating point"):
        LinearAutoencoder.from_pca(torch.ones(5, 5, dtype=torch.int64), 2)


@pytest.mark.parametrize(("arguments", "named"), [((0, 1), "n_features"), ((4, 0), "latent_dim"), ((4, -3), "latent")])
def test_widths_below_one_are_refused(arguments, named):
    with pytest.raises(ValueError, match=f"{named}.* must be at least 1"):
        LinearAutoencoder(*arguments)
