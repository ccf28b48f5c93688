import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from geolatent.jacobians import Spectrum, SpectrumPair, summarize


def spectra(seed: int, n: int, d: int) -> torch.Tensor:
    """Eigenvalues of random real matrices, by decreasing modulus, complex128."""
    generator = torch.Generator().manual_seed(seed)
    eigenvalues = torch.linalg.eigvals(torch.randn(n, d, d, dtype=torch.float64, generator=generator))
    return eigenvalues.gather(-1, eigenvalues.abs().argsort(dim=-1, descending=True))


cases = st.builds(spectra, st.integers(0, 2**31), st.integers(1, 20), st.integers(1, 8))


@given(cases)
def test_statistics_are_the_formulas(eigenvalues):
    spectrum, values = Spectrum(eigenvalues), eigenvalues.numpy()
    modulus = np.abs(values)
    logs = np.log(modulus)
    for computed, formula in [
        (spectrum.arithmetic_mean, modulus.mean(1)),
        (spectrum.geometric_mean, modulus.prod(1) ** (1 / values.shape[1])),
        (spectrum.log_modulus, logs),
        (spectrum.std_log_modulus, logs.std(1)),
        (spectrum.argument, np.abs(np.angle(values))),
    ]:
        assert computed.dtype == torch.float64
        np.testing.assert_allclose(computed.numpy(), formula, rtol=1e-12, atol=1e-14)
    summary = spectrum.summary()
    np.testing.assert_allclose(summary["arithmetic_mean"], modulus.mean(), rtol=1e-12)
    np.testing.assert_allclose(summary["geometric_mean"], np.exp(logs.mean(1)).mean(), rtol=1e-12)
    np.testing.assert_allclose(summary["std_log_modulus"], logs.std(1).mean(), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(summary["argument"], np.abs(np.angle(values)).mean(), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(summary["pooled_geometric_mean"], np.exp(logs.mean()), rtol=1e-12)
    np.testing.assert_allclose(summary["pooled_std_log_modulus"], logs.std(), rtol=1e-12, atol=1e-14)
    assert summarize(eigenvalues) == summary


@given(cases, st.floats(1e-3, 1e3))
def test_scaling_scales_the_means_and_leaves_the_rest(eigenvalues, factor):
    one, scaled = Spectrum(eigenvalues), Spectrum(factor * eigenvalues)
    torch.testing.assert_close(scaled.arithmetic_mean, factor * one.arithmetic_mean)
    torch.testing.assert_close(scaled.geometric_mean, factor * one.geometric_mean)
    torch.testing.assert_close(scaled.std_log_modulus, one.std_log_modulus)
    torch.testing.assert_close(scaled.argument, one.argument)
    assert scaled.orientation.equal(one.orientation)


@given(cases)
def test_geometric_mean_is_at_most_the_arithmetic(eigenvalues):
    spectrum = Spectrum(eigenvalues)
    assert (spectrum.geometric_mean <= spectrum.arithmetic_mean * (1 + 1e-12)).all()


@given(st.integers(0, 2**31), st.integers(1, 8))
def test_orientation_is_the_sign_of_the_determinant(seed, d):
    matrices = torch.randn(10, d, d, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    spectrum = Spectrum(torch.linalg.eigvals(matrices))
    determined = spectrum.orientation != 0
    assert spectrum.orientation[determined].equal(torch.linalg.det(matrices).sign().long()[determined])
    assert determined.any()


@pytest.mark.parametrize(
    ("eigenvalues", "orientation"),
    [
        ([2.0, -1.0], -1),
        ([-2.0, -1.0], 1),
        ([1j, -1j], 1),
        ([-1 + 1j, -1 - 1j], 1),
        ([3.0, 0.0], 0),
        ([1.0, -2e-7], 0),
        ([1.0, -3e-7], -1),
        ([float("nan"), 1.0], 0),
        ([0.0, 0.0], 0),
    ],
)
def test_orientation_in_float32(eigenvalues, orientation):
    values = torch.tensor([eigenvalues], dtype=torch.complex64)
    assert Spectrum(values).orientation.tolist() == [orientation]


def test_rtol_decides_what_is_undetermined():
    eigenvalues = torch.tensor([[1.0, -1e-3]])
    assert Spectrum(eigenvalues, rtol=1e-2).orientation.tolist() == [0]
    assert Spectrum(eigenvalues, rtol=1e-4).orientation.tolist() == [-1]


def test_zero_eigenvalue_leaves_the_deviation_undetermined_and_counted():
    spectrum = Spectrum(torch.tensor([[2.0, -0.0], [4.0, 1.0], [4.0, -1.0]]))
    assert spectrum.geometric_mean.tolist() == pytest.approx([0, 2, 2])
    assert spectrum.log_modulus[0, 1] == -math.inf
    assert spectrum.std_log_modulus.isnan().tolist() == [True, False, False]
    assert spectrum.argument[0].tolist() == [0, 0]
    summary = spectrum.summary()
    assert summary["n_undetermined_std"] == 1
    assert summary["n_undetermined_orientation"] == 1
    assert summary["reversed_fraction"] == 0.5
    assert summary["std_log_modulus"] == pytest.approx(math.log(2))
    assert summary["pooled_geometric_mean"] == 0
    assert math.isfinite(summary["pooled_std_log_modulus"])


def test_empty_set_has_undefined_statistics():
    spectrum = Spectrum(torch.zeros(0, 3, dtype=torch.complex64))
    assert len(spectrum) == 0
    assert spectrum.arithmetic_mean.shape == (0,)
    summary = spectrum.summary()
    assert summary["n_samples"] == 0
    assert math.isnan(summary["arithmetic_mean"])
    assert math.isnan(summary["pooled_geometric_mean"])
    assert repr(spectrum) == "Spectrum(0 samples of 3 eigenvalues)"


def test_repr_is_short():
    text = repr(Spectrum(torch.ones(100, 4)))
    assert text.startswith("Spectrum(100 samples of 4 eigenvalues, torch.float32")
    assert "arithmetic 1, geometric 1" in text


def test_squared_difference():
    pair = SpectrumPair(Spectrum(torch.tensor([[1 + 1j, 1 - 1j]])), Spectrum(torch.tensor([[1.0, 0.0]])))
    assert pair.squared_difference.tolist() == pytest.approx([(1 + 2) / 2])
    assert pair.squared_difference.dtype == torch.float64


@pytest.mark.parametrize("shape", [(3,), (2, 3, 4), (2, 0)])
def test_wrong_shape_is_named(shape):
    with pytest.raises(ValueError, match="eigenvalues must have shape"):
        Spectrum(torch.zeros(shape))


def test_wrong_types_are_named():
    with pytest.raises(TypeError, match=r"int64"):
        Spectrum(torch.ones(2, 2, dtype=torch.int64))
    with pytest.raises(TypeError, match="ndarray"):
        summarize(np.ones((2, 2)))
    with pytest.raises(ValueError, match="rtol"):
        Spectrum(torch.ones(2, 2), rtol=-1.0)
