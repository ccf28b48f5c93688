import pytest
import torch
from small_autoencoders import Opaque, assert_same_spectra, autoencoder, initialise, seeded
from torch import Tensor, nn

from geolatent.jacobians import Spectrum, SpectrumPair, autoencoder_spectrum, products
from geolatent.jacobians.dense_network import dense_network
from geolatent.jacobians.jacobian import jacobian

# torch's own, when forward mode is first used
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")

ACTIVATIONS = {
    "relu": nn.ReLU(),
    "relu in place": nn.ReLU(inplace=True),
    "leaky relu": nn.LeakyReLU(0.2),
    "tanh": nn.Tanh(),
    "sigmoid": nn.Sigmoid(),
    "gelu": nn.GELU(),
    "gelu tanh": nn.GELU("tanh"),
    "silu": nn.SiLU(),
    "identity": nn.Identity(),
}


def naive(encoder: nn.Module, decoder: nn.Module, x: Tensor, d: int) -> tuple[Tensor, Tensor]:
    """The d leading eigenvalues of the full J_I, and those of J_L, from whole Jacobians in float64."""
    encoder, decoder, x = encoder.double(), decoder.double(), x.double()
    z = encoder(x).detach()
    y = decoder(z).detach().reshape(x.shape)
    j_input = jacobian(decoder, z) @ jacobian(encoder, x)
    j_latent = jacobian(encoder, y) @ jacobian(decoder, z)
    spectra = torch.linalg.eigvals(j_input)
    order = spectra.abs().argsort(dim=-1, descending=True)[:, :d]
    return spectra.gather(-1, order), torch.linalg.eigvals(j_latent)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("route", ["kernel", "formula", "torch.func"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_spectra_are_those_of_the_whole_jacobians(name, route, dtype, monkeypatch):
    if route == "formula":
        monkeypatch.setattr(products, "usable", lambda *tensors: False)
    encoder, decoder = (module.to(dtype) for module in autoencoder(ACTIVATIONS[name]))
    x = torch.rand(6, 12, dtype=dtype, generator=seeded())
    modules = (encoder, decoder) if route != "torch.func" else (Opaque(encoder), Opaque(decoder))
    pair = autoencoder_spectrum(*modules, x, of="both")
    assert isinstance(pair, SpectrumPair)
    of_input = autoencoder_spectrum(*modules, x).eigenvalues
    of_latent = autoencoder_spectrum(*modules, x, of="latent").eigenvalues
    assert of_input.dtype == dtype.to_complex()
    expected_input, expected_latent = naive(encoder, decoder, x, 3)
    rtol = 1e-4 if dtype == torch.float32 else 1e-11
    for found, expected in [
        (pair.input.eigenvalues, expected_input),
        (pair.latent.eigenvalues, expected_latent),
        (of_input, expected_input),
        (of_latent, expected_latent),
    ]:
        assert_same_spectra(found, expected, rtol)


def test_products_of_all_routes_are_the_same_matrices(monkeypatch):
    encoder, decoder = (module.double() for module in autoencoder())
    x = torch.rand(5, 12, dtype=torch.float64, generator=seeded())
    networks = dense_network(encoder, 1, torch.float64), dense_network(decoder, 1, torch.float64)
    with torch.no_grad():
        by_functions = products.ModuleProducts(encoder, decoder, True, True, bytes_per_sample=1)(x)
        by_kernel = products.DenseProducts(*networks, True, True)(x)
        monkeypatch.setattr(products, "usable", lambda *tensors: False)
        by_formula = products.DenseProducts(*networks, True, True)(x)
    torch.testing.assert_close(by_kernel, by_functions)
    torch.testing.assert_close(by_formula, by_functions)


def test_eigenvalues_come_by_decreasing_modulus():
    encoder, decoder = autoencoder()
    moduli = autoencoder_spectrum(encoder, decoder, torch.rand(20, 12, generator=seeded())).eigenvalues.abs()
    assert (moduli.diff(dim=-1) <= 1e-6 * moduli[:, :1]).all()


@pytest.mark.parametrize("hidden", [False, True])
def test_linear_projector_has_eigenvalues_one(hidden):
    # Theorem I.1 of the paper: a projection onto the latent space, whatever x, has d eigenvalues 1.
    basis = torch.linalg.qr(torch.randn(10, 4, dtype=torch.float64, generator=seeded()))[0]
    encoder, decoder = nn.Linear(10, 4, bias=False).double(), nn.Linear(4, 10, bias=False).double()
    encoder.weight.data, decoder.weight.data = basis.mT.contiguous(), basis
    modules = (Opaque(encoder), Opaque(decoder)) if hidden else (encoder, decoder)
    x = torch.rand(5, 10, dtype=torch.float64, generator=seeded())
    pair = autoencoder_spectrum(*modules, x, of="both")
    for spectrum in pair:
        torch.testing.assert_close(spectrum.eigenvalues.abs(), torch.ones(5, 4, dtype=torch.float64))
        torch.testing.assert_close(spectrum.eigenvalues.real, torch.ones(5, 4, dtype=torch.float64))
        assert spectrum.orientation.tolist() == [1] * 5


def test_convolutional_autoencoder():
    encoder = nn.Sequential(
        nn.Conv2d(1, 4, 3, stride=2, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(36, 3)
    )
    decoder = nn.Sequential(
        nn.Linear(3, 36), nn.Unflatten(1, (4, 3, 3)), nn.Tanh(), nn.ConvTranspose2d(4, 1, 2, stride=2)
    )
    for module, seed in ((encoder, 1), (decoder, 2)):
        initialise(module.double(), seed)
    encoder[1].running_mean.normal_(generator=seeded(3))
    x = torch.rand(4, 1, 6, 6, dtype=torch.float64, generator=seeded())
    pair = autoencoder_spectrum(encoder, decoder, x, of="both")
    expected_input, expected_latent = naive(encoder, decoder, x, 3)
    assert_same_spectra(pair.input.eigenvalues, expected_input, 1e-11)
    assert_same_spectra(pair.latent.eigenvalues, expected_latent, 1e-11)


def test_images_as_codes():
    encoder = initialise(nn.Sequential(nn.Conv2d(1, 2, 2, stride=2), nn.Tanh()).double(), 1)
    decoder = initialise(nn.ConvTranspose2d(2, 1, 2, stride=2).double(), 2)
    x = torch.rand(3, 1, 4, 4, dtype=torch.float64, generator=seeded())
    found = autoencoder_spectrum(encoder, decoder, x)
    assert_same_spectra(found.eigenvalues, naive(encoder, decoder, x, 8)[0], 1e-11)


def test_decoder_output_takes_the_shape_of_x():
    encoder, decoder = autoencoder()
    images = torch.rand(5, 3, 4, generator=seeded())
    with_flatten = nn.Sequential(nn.Flatten(), *encoder)
    for modules in [(with_flatten, decoder), (Opaque(with_flatten), decoder)]:
        found = autoencoder_spectrum(*modules, images, of="both")
        expected = autoencoder_spectrum(encoder, decoder, images.flatten(1), of="both")
        assert_same_spectra(found.input.eigenvalues, expected.input.eigenvalues, 1e-4)
        assert_same_spectra(found.latent.eigenvalues, expected.latent.eigenvalues, 1e-4)


def test_progress_shows_a_bar(capsys):
    encoder, decoder = autoencoder()
    autoencoder_spectrum(encoder, decoder, torch.rand(4, 12), progress=True)
    assert "4/4" in capsys.readouterr().err
    autoencoder_spectrum(encoder, decoder, torch.rand(4, 12))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("opaque", [False, True])
def test_half_precision_is_computed_in_float32(dtype, opaque):
    encoder, decoder = (module.to(dtype) for module in autoencoder())
    x = torch.rand(5, 12, generator=seeded()).to(dtype)
    modules = (Opaque(encoder), Opaque(decoder)) if opaque else (encoder, decoder)
    found = autoencoder_spectrum(*modules, x).eigenvalues
    expected = autoencoder_spectrum(encoder.float(), decoder.float(), x.float()).eigenvalues
    assert found.dtype == torch.complex64
    assert_same_spectra(found, expected, 1e-5)


@pytest.mark.parametrize("opaque", [False, True])
def test_inference_mode_and_parameters_are_left_alone(opaque):
    encoder, decoder = autoencoder()
    if opaque:
        encoder, decoder = Opaque(encoder), Opaque(decoder)
    with torch.inference_mode():
        x = torch.rand(5, 12, generator=seeded())
        inside = autoencoder_spectrum(encoder, decoder, x).eigenvalues
    outside = autoencoder_spectrum(encoder, decoder, torch.rand(5, 12, generator=seeded())).eigenvalues
    assert inside.equal(outside)
    assert not outside.requires_grad
    assert all(parameter.grad is None for parameter in encoder.parameters())


def test_x_is_left_alone():
    encoder = nn.Sequential(nn.Linear(4, 2))
    decoder = nn.Sequential(nn.Linear(2, 4), nn.ReLU(inplace=True))
    x = torch.rand(3, 4).requires_grad_()
    before = x.detach().clone()
    autoencoder_spectrum(encoder, decoder, x)
    assert x.detach().equal(before)
    assert x.grad is None


def test_empty_set():
    encoder, decoder = autoencoder()
    pair = autoencoder_spectrum(encoder, decoder, torch.rand(0, 12), of="both")
    assert pair.input.eigenvalues.shape == pair.latent.eigenvalues.shape == (0, 3)
    assert autoencoder_spectrum(Opaque(encoder), decoder, torch.rand(0, 12)).eigenvalues.shape == (0, 3)
    assert isinstance(autoencoder_spectrum(encoder, decoder, torch.rand(0, 12)), Spectrum)
