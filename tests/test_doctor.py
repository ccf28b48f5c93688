import sys

import pytest
import torch

from geolatent import _kernels, doctor
from geolatent.linalg import eigh, eigvals, svdvals
from geolatent.manifolds import MultivariateGaussians


def test_every_check_passes_at_every_instruction_set():
    before = _kernels.isa()
    checks = doctor.self_check()
    assert all(check.passed for check in checks), checks
    assert {check.isa for check in checks} == set(_kernels.isa_levels() or ["torch"])
    assert {check.dtype for check in checks} == {"float32", "float64"}
    assert _kernels.isa() == before


@pytest.mark.parametrize(
    ("operation", "module"),
    [
        ("linalg.eigvals", "geolatent.doctor"),
        ("jacobians.autoencoder_spectrum", "geolatent.jacobians.autoencoder_spectrum"),
    ],
)
def test_wrong_eigenvalues_fail_their_check(operation, module, monkeypatch):
    monkeypatch.setattr(doctor, "_DIMENSIONS", (2, 8))
    monkeypatch.setattr(sys.modules[module], "eigvals", lambda matrices: eigvals(matrices) * 1.001)
    assert {check.operation for check in doctor.self_check() if not check.passed} == {operation}


def test_wrong_eigenvectors_fail_their_check(monkeypatch):
    monkeypatch.setattr(doctor, "_DIMENSIONS", (2, 8))
    monkeypatch.setattr(doctor, "eigh", lambda matrices: (eigh(matrices)[0], eigh(matrices)[1] * 1.001))
    assert {check.operation for check in doctor.self_check() if not check.passed} == {"linalg.eigh"}


def test_wrong_singular_values_fail_their_check(monkeypatch):
    monkeypatch.setattr(doctor, "_DIMENSIONS", (2, 8))
    monkeypatch.setattr(doctor, "svdvals", lambda matrices: svdvals(matrices) * 1.001)
    assert {check.operation for check in doctor.self_check() if not check.passed} == {"linalg.svdvals"}


def test_wrong_distances_fail_their_check(monkeypatch):
    right = MultivariateGaussians._squared_dist
    monkeypatch.setattr(MultivariateGaussians, "_squared_dist", lambda *arguments: right(*arguments) * (1 + 1e-11))
    failed = {check.operation for check in doctor.self_check() if not check.passed}
    assert failed == {"manifolds.MultivariateGaussians"}


def test_nan_does_not_pass():
    assert not doctor.Check("linalg.eigvals", "v3", "float32", float("nan")).passed


def test_residual_is_the_smallest_singular_value():
    matrix = torch.tensor([[2.0, 0.0], [0.0, 5.0]])
    found = doctor.residual(matrix, torch.tensor([2.0, 4.5]))
    torch.testing.assert_close(found, torch.tensor([0.0, 0.5], dtype=torch.float64))


def test_data_is_found_without_a_download(tmp_path, monkeypatch):
    monkeypatch.setenv("GEOLATENT_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert "geolatent data mnist" in doctor.find_data("mnist")
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / "train-images-idx3-ubyte.gz").touch()
    assert doctor.find_data("mnist") == str(tmp_path / "mnist")
    assert doctor.find_data("digits") == "comes with scikit-learn"
