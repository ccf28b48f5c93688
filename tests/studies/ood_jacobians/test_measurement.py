import math

import pytest
import torch

from geolatent.jacobians import Spectrum, SpectrumPair
from geolatent.models import MLPAutoencoder
from geolatent.studies.ood_jacobians.measurement import (
    Moments,
    Reference,
    measure,
    observe,
    spectral_features,
    spectral_statistics,
)


@pytest.fixture
def model():
    return MLPAutoencoder(12, 3, hidden=(8,), generator=torch.Generator().manual_seed(0)).double().eval()


@pytest.fixture
def images():
    return torch.rand(40, 12, generator=torch.Generator().manual_seed(1))


def test_statistics_of_known_spectra():
    i = 1j
    three = torch.tensor([[2.0 + 0 * i, -0.5], [i, -i], [-3.0, 0.0]], dtype=torch.complex128)
    found = spectral_statistics(Spectrum(three.repeat(10, 1)))
    logs = torch.tensor([2.0, 0.5, 1.0, 1.0, 3.0], dtype=torch.float64).log()
    assert float(found["arithmetic mean"]) == pytest.approx(7.5 / 6)
    assert float(found["geometric mean"]) == pytest.approx(3.0 ** (1 / 5))
    assert float(found["std log|lambda|"]) == pytest.approx(float(logs.std(correction=0)))
    assert float(found["reversed"]) == pytest.approx(1 / 2)
    assert float(found["undetermined"]) == pytest.approx(1 / 3)
    assert float(found["zero eigenvalues"]) == pytest.approx(1 / 6)
    assert float(found["|Arg lambda| box"].max()) == pytest.approx(math.pi)


def test_a_handful_of_determined_orientations_gives_no_fraction():
    reversing = torch.tensor([[1.0, -1.0]], dtype=torch.complex128)
    assert float(spectral_statistics(Spectrum(reversing.repeat(20, 1)))["reversed"]) == 1
    assert spectral_statistics(Spectrum(reversing.repeat(19, 1)))["reversed"].isnan()


def test_spectra_of_zeros_have_no_logarithm():
    found = spectral_statistics(Spectrum(torch.zeros(4, 2, dtype=torch.complex128)))
    assert float(found["zero eigenvalues"]) == 1
    assert float(found["undetermined"]) == 1
    assert found["log|lambda| box"].isnan().all()
    assert found["geometric mean"].isnan()


def test_boxes_are_quantiles():
    spectrum = Spectrum(torch.linspace(0, 1, 101, dtype=torch.float64).exp().unsqueeze(1))
    expected = torch.tensor([0.05, 0.25, 0.5, 0.75, 0.95], dtype=torch.float64)
    torch.testing.assert_close(spectral_statistics(spectrum)["log|lambda| box"], expected)


def test_features_are_finite_and_told_in_order():
    eigenvalues = torch.tensor([[2.0, -1.0], [0.0, 0.0]], dtype=torch.complex128)
    features = spectral_features(SpectrumPair(Spectrum(eigenvalues), Spectrum(2 * eigenvalues)))
    assert features.shape == (2, 7)
    assert features.isfinite().all()
    log2 = math.log(2)
    expected = [math.log(2.5), log2 / 2, log2 / 2, math.pi / 2, 1.5 * log2, log2 / 2, math.pi / 2]
    torch.testing.assert_close(features[0], torch.tensor(expected, dtype=torch.float64))


def test_moments_do_not_depend_on_blocks():
    rows = torch.rand(30, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    moments = Moments()
    for block in rows.split(7):
        moments.add(block)
    torch.testing.assert_close(moments.mean(), rows.mean(0))
    torch.testing.assert_close(moments.variance(), rows.var(0, correction=0).mean())


def test_a_set_may_come_in_blocks(model, images):
    whole, parts = measure(observe(model, [images])), measure(observe(model, images.split(13)))
    assert whole.keys() == parts.keys()
    for name, value in whole.items():
        torch.testing.assert_close(parts[name], value, msg=name)


def test_observations_are_those_of_the_model(model, images):
    seen = observe(model, [images])
    with torch.no_grad():
        reconstruction = model(images.double())
    torch.testing.assert_close(seen.errors, (images - reconstruction).square().mean(1))
    torch.testing.assert_close(seen.pixel_variance, images.double().var(0, correction=0).mean())
    directions = reconstruction / reconstruction.norm(dim=1, keepdim=True)
    torch.testing.assert_close(seen.character, directions.mean(0))
    jacobians = torch.func.vmap(torch.func.jacrev(model.encoder))(images.double())
    tangents = torch.func.vmap(torch.func.jacrev(model.decoder))(seen.codes)
    product = torch.linalg.eigvals(jacobians @ tangents).abs().sort(descending=True).values
    torch.testing.assert_close(seen.pair.input.modulus, product)


def test_areas_compare_with_unseen_images(model, images):
    reference = Reference(model, images[:30], images[30:])
    same = reference.areas(observe(model, [images[30:]]))
    far = reference.areas(observe(model, [images[30:] + 100.0]))
    assert all(float(area) == 0.5 for area in same.values())
    assert float(far["AUROC, reconstruction error"]) == 1.0
    assert float(far["AUROC, latent Mahalanobis"]) == 1.0
