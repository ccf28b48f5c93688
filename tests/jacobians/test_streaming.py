import pytest
import torch
from small_autoencoders import Opaque, assert_same_spectra, autoencoder, seeded

from geolatent.jacobians import autoencoder_spectrum, products

# torch's own, when forward mode is first used
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")


@pytest.mark.parametrize("opaque", [False, True])
def test_small_tiles_give_the_result_of_one(opaque, monkeypatch):
    encoder, decoder = (module.double() for module in autoencoder())
    if opaque:
        encoder, decoder = Opaque(encoder), Opaque(decoder)
    x = torch.rand(23, 12, dtype=torch.float64, generator=seeded())
    whole = autoencoder_spectrum(encoder, decoder, x, of="both")
    monkeypatch.setattr(products.DenseProducts, "largest_tile", 5)
    monkeypatch.setattr(products.ModuleProducts, "largest_tile", 5)
    tiled = autoencoder_spectrum(encoder, decoder, x, of="both")
    assert_same_spectra(tiled.input.eigenvalues, whole.input.eigenvalues, 1e-12)
    assert_same_spectra(tiled.latent.eigenvalues, whole.latent.eigenvalues, 1e-12)


@pytest.mark.parametrize("opaque", [False, True])
def test_no_tile_exceeds_the_budget(opaque, monkeypatch):
    encoder, decoder = autoencoder()
    if opaque:
        encoder, decoder = Opaque(encoder), Opaque(decoder)
    route = products.ModuleProducts if opaque else products.DenseProducts
    tiles = []
    compute = route.__call__

    def recorded(self, x):
        tiles.append((len(x), len(x) * self.bytes_per_sample))
        return compute(self, x)

    monkeypatch.setattr(route, "__call__", recorded)
    autoencoder_spectrum(encoder, decoder, torch.rand(50, 12, generator=seeded()), max_memory="20KB")
    assert len(tiles) > 2
    assert sum(size for size, _ in tiles) == 50
    assert max(used for _, used in tiles) <= 20_000


@pytest.mark.parametrize("opaque", [False, True])
@pytest.mark.parametrize("of", ["input", "both"])
def test_memory_does_not_grow_with_the_samples(opaque, of):
    encoder, decoder = autoencoder()
    if opaque:
        encoder, decoder = Opaque(encoder), Opaque(decoder)
    budget = 100_000
    peaks = []
    for n in (200, 800):
        x = torch.rand(n, 12, generator=seeded())
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profiler:
            result = autoencoder_spectrum(encoder, decoder, x, of=of, max_memory=budget)
        eigenvalues = [result.eigenvalues] if of == "input" else [spectrum.eigenvalues for spectrum in result]
        held = sum(values.numel() * values.element_size() for values in eigenvalues)
        peaks.append(peak_memory(profiler) - held * (3 if of == "both" else 1))
    assert peaks[1] <= peaks[0] * 1.1 + 10_000
    assert max(peaks) <= 1.5 * budget


def peak_memory(profiler: torch.profiler.profile) -> int:
    """Most bytes that torch held at once on the CPU during the profile."""
    held = peak = 0
    for event in profiler.profiler.kineto_results.events():
        if event.name() == "[memory]":
            held += event.nbytes()
            peak = max(peak, held)
    return peak
