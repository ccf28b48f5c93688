from collections.abc import Callable

import mpmath
import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import dtypes, gaussian, seeds
from torch import Tensor

import geolatent as gl

FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "log": gl.linalg.spd_log,
    "exp": gl.linalg.spd_exp,
    "sqrt": gl.linalg.spd_sqrt,
    "power": lambda S: gl.linalg.spd_power(S, -0.7),
}
EXACT = {
    "log": mpmath.log,
    "exp": mpmath.exp,
    "sqrt": mpmath.sqrt,
    "power": lambda x: x ** mpmath.mpf(-0.7),
}
positive_only = pytest.mark.parametrize("name", ["log", "sqrt", "power"])


def definite(seed: int, *batch: int, d: int, spread: float = 2.0) -> Tensor:
    """Positive definite matrices of condition about 10^(2 spread)."""
    basis = torch.linalg.qr(gaussian(seed, *batch, d, d)).Q
    values = 10.0 ** (spread * (2 * torch.rand(*batch, d, generator=torch.Generator().manual_seed(seed)) - 1)).double()
    matrix = (basis * values.unsqueeze(-2)) @ basis.mT
    return 0.5 * (matrix + matrix.mT)


def bound(name: str, matrix: Tensor, result: Tensor) -> Tensor:
    """What the docstrings promise for the error in the 2-norm."""
    d, unit = matrix.shape[-1], torch.finfo(matrix.dtype).eps / 2
    values = torch.linalg.eigvalsh(matrix.double())
    norm = values.abs().amax(-1)
    condition, size = norm / values.abs().amin(-1), torch.linalg.matrix_norm(result.double(), 2)
    growth = {
        "log": condition + size,
        "exp": (1 + norm) * size,
        "sqrt": (condition * norm).sqrt(),
        "power": 1.7 * condition * size,
    }
    return 20 * d * unit * growth[name]


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_forty_digits(isa: str, name: str, dtype: torch.dtype) -> None:
    matrices = torch.stack([definite(seed, d=4, spread=0.5 * seed) for seed in range(6)]).to(dtype)
    matrices = 0.1 * matrices if name == "exp" else matrices
    results = FUNCTIONS[name](matrices)
    assert results.dtype == dtype
    assert torch.equal(results, results.mT)
    with mpmath.workdps(40):
        for matrix, result, allowed in zip(matrices, results, bound(name, matrices, results), strict=True):
            values, vectors = mpmath.eigsy(mpmath.matrix(matrix.double().tolist()))
            exact = vectors * mpmath.diag([EXACT[name](value) for value in values]) * vectors.T
            error = mpmath.matrix(result.double().tolist()) - exact
            error = torch.tensor([float(entry) for entry in error]).reshape(4, 4)
            assert torch.linalg.matrix_norm(error, 2) <= allowed


@given(seeds, st.integers(1, 12))
def test_agrees_with_scipy(seed: int, d: int) -> None:
    matrix = definite(seed, d=d, spread=1.0)
    for name, peer in (("log", scipy.linalg.logm), ("exp", scipy.linalg.expm), ("sqrt", scipy.linalg.sqrtm)):
        ours, theirs = FUNCTIONS[name](matrix), torch.from_numpy(np.asarray(peer(matrix.numpy())).real)
        assert torch.linalg.matrix_norm(ours - theirs, 2) <= 100 * bound(name, matrix, ours)  # theirs is less accurate
    ours = gl.linalg.spd_power(matrix, 1.4)
    theirs = torch.from_numpy(scipy.linalg.fractional_matrix_power(matrix.numpy(), 1.4).real)
    assert torch.allclose(ours, theirs, rtol=1e-10, atol=1e-10)


@given(seeds, st.integers(1, 10), dtypes)
def test_inverse_of_one_another(seed: int, d: int, dtype: torch.dtype) -> None:
    matrix = definite(seed, 3, d=d, spread=0.5).to(dtype)
    tolerance = {"rtol": 0, "atol": 2000 * d * torch.finfo(dtype).eps}
    assert torch.allclose(gl.linalg.spd_exp(gl.linalg.spd_log(matrix)), matrix, **tolerance)
    root = gl.linalg.spd_sqrt(matrix)
    assert torch.allclose(root @ root, matrix, **tolerance)
    assert torch.allclose(gl.linalg.spd_power(gl.linalg.spd_power(matrix, 3), 1 / 3), matrix, **tolerance)
    assert torch.allclose(gl.linalg.spd_power(matrix, -1) @ matrix, torch.eye(d, dtype=dtype), **tolerance)
    assert torch.allclose(gl.linalg.spd_power(matrix, 0), torch.eye(d, dtype=dtype), **tolerance)
    assert torch.allclose(
        gl.linalg.spd_log(gl.linalg.spd_power(matrix, -2)), -2 * gl.linalg.spd_log(matrix), **tolerance
    )


@given(seeds, st.integers(2, 8), st.sampled_from(sorted(FUNCTIONS)))
def test_congruence_by_an_orthogonal_matrix(seed: int, d: int, name: str) -> None:
    matrix, basis = definite(seed, d=d, spread=0.5), torch.linalg.qr(gaussian(seed + 1, d, d)).Q
    turned = basis @ matrix @ basis.mT
    expected = basis @ FUNCTIONS[name](matrix) @ basis.mT
    assert torch.allclose(FUNCTIONS[name](0.5 * (turned + turned.mT)), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("shape", [(0, 3, 3), (2, 0, 3, 3), (4, 0, 0)])
def test_empty(name: str, shape: tuple[int, ...]) -> None:
    assert FUNCTIONS[name](torch.zeros(shape)).shape == shape


@pytest.mark.parametrize("name", FUNCTIONS)
def test_half_precision_is_computed_in_float32(name: str) -> None:
    matrix = torch.diag(torch.tensor([0.5, 2.0])).bfloat16()
    assert torch.equal(FUNCTIONS[name](matrix), FUNCTIONS[name](matrix.float()).bfloat16())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_bad_input_is_named(name: str) -> None:
    function = FUNCTIONS[name]
    letter = "X" if name == "exp" else "S"
    with pytest.raises(TypeError, match=f"{letter} must be real floating point; got torch.int64"):
        function(torch.eye(3).long())
    with pytest.raises(ValueError, match=rf"{letter} must have shape \(\.\.\., d, d\); got \(3, 4\)"):
        function(torch.zeros(3, 4))
    batch = definite(0, 2, 5, d=3)
    batch[1, 3, 0, 2] += 0.5
    with pytest.raises(
        ValueError,
        match=rf"{letter} must be symmetric; matrix \(1, 3\) of a batch of shape \(2, 5\) differs from its transpose "
        rf"by 0\.5: use \({letter} \+ {letter}\.mT\) / 2",
    ):
        function(batch)
    batch = definite(0, 7, d=3)
    batch[4, 1, 1] = torch.nan
    with pytest.raises(ValueError, match=f"{letter} must be finite; matrix 4 of 7 holds nan: drop it"):
        function(batch)
    with pytest.raises(ValueError, match=f"{letter} must be finite; the matrix holds inf"):
        function(torch.full((2, 2), torch.inf))


@positive_only
@pytest.mark.parametrize("smallest", [0.0, -0.25])
def test_a_matrix_that_is_not_positive_definite_is_named(name: str, smallest: float) -> None:
    batch = definite(0, 7, d=2)
    batch[5] = torch.diag(torch.tensor([smallest, 1.0]))
    with pytest.raises(
        ValueError,
        match=rf"S must be positive definite; matrix 5 of 7 has smallest eigenvalue {smallest:.3g}: add a ridge",
    ):
        FUNCTIONS[name](batch)


def test_rounding_is_no_asymmetry() -> None:
    factor = gaussian(0, 50, 6, 6, dtype=torch.float32)
    matrix = torch.einsum("nij,nkj->nik", factor, factor) + torch.eye(6)
    matrix[:, 0, 1] *= 1 + 2**-22
    assert gl.linalg.spd_log(matrix).isfinite().all()


@pytest.mark.parametrize("exponent", ["2", None, torch.tensor(2.0), 1j])
def test_the_exponent_is_a_number(exponent) -> None:
    with pytest.raises(TypeError, match="exponent must be a real number; got"):
        gl.linalg.spd_power(torch.eye(2), exponent)


@pytest.mark.parametrize("exponent", [float("nan"), float("inf")])
def test_the_exponent_is_finite(exponent: float) -> None:
    with pytest.raises(ValueError, match="exponent must be finite"):
        gl.linalg.spd_power(torch.eye(2), exponent)
