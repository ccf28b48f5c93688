import itertools

import pytest
import torch
from torch import Tensor

from geolatent import _kernels
from geolatent._kernels.mlp_jacobian import PackedChain
from geolatent.jacobians.products import chain

pytestmark = pytest.mark.skipif(_kernels.core is None, reason="the core was not compiled")

ACTIVE = {"all": 1.0, "half": 0.5, "few": 0.1, "none": 0.0}


@pytest.fixture(params=_kernels.isa_levels())
def isa(request):
    before = _kernels.isa()
    _kernels.use_isa(request.param)
    yield request.param
    _kernels.use_isa(before)


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


class Case:
    """Random weights and slopes of a decoder and an encoder, two branches.

    ``active`` of the hidden units have a slope other than 0, and all units of the reconstruction: few active
    units behind many take the kernel's dot form, the other layers its axpy form.
    """

    def __init__(
        self, d: int, hidden: list[int], n: int, dtype: torch.dtype, active: float = 0.3, features: int = 203
    ) -> None:
        self.generator = torch.Generator().manual_seed(d + 100 * len(hidden) + n)
        self.n, self.d, self.dtype = n, d, dtype
        decoder, encoder = [d, *hidden, features], [features, *reversed(hidden), d]
        self.weights = [
            torch.randn(b, a, dtype=dtype, generator=self.generator) / a**0.5
            for a, b in [*itertools.pairwise(decoder), *itertools.pairwise(encoder)]
        ]
        self.decoder_layers = len(decoder) - 1
        self.decoder_slopes = [*(self.slopes(width, active) for width in hidden), self.slopes(features, 1.0)]
        self.branches = [[*(self.slopes(width, active) for width in encoder[1:-1]), None] for _ in range(2)]

    def slopes(self, width: int, active: float) -> Tensor:
        slopes = torch.rand(self.n, width, dtype=self.dtype, generator=self.generator) + 0.5
        kept = torch.rand(self.n, width, generator=self.generator) < active
        return slopes * kept

    def kernel(self, branches: int = 2) -> Tensor:
        packed = PackedChain(self.weights, self.decoder_layers)
        return packed(self.n, self.decoder_slopes, self.branches[:branches])

    def formula(self, branches: int = 2) -> Tensor:
        split = self.decoder_layers
        identity = torch.eye(self.d, dtype=self.dtype).expand(self.n, -1, -1)
        tangents = chain(identity, self.weights[:split], self.decoder_slopes)
        return torch.stack([chain(tangents, self.weights[split:], slopes).mT for slopes in self.branches[:branches]], 1)

    def check(self, branches: int = 2) -> None:
        """Equal to a bound on the rounding of the sums: that of the same sums of magnitudes."""
        magnitudes = Case.__new__(Case)
        magnitudes.__dict__ = {**self.__dict__, "weights": [weight.abs() for weight in self.weights]}
        found, expected = self.kernel(branches), self.formula(branches)
        assert found.shape == expected.shape == (self.n, branches, self.d, self.d)
        terms = sum(weight.shape[1] for weight in self.weights)
        bound = 2 * terms * torch.finfo(self.dtype).eps * magnitudes.formula(branches)
        assert ((found - expected).abs() <= bound).all()


dtypes = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["f32", "f64"])


@dtypes
@pytest.mark.parametrize("d", range(1, 34))
def test_every_latent_dimension(isa, dtype, d):
    Case(d, [17], 3, dtype).check()


@dtypes
@pytest.mark.parametrize("hidden", [[], [1], [3], [17], [65], [1, 65, 3], [130, 64, 16]])
@pytest.mark.parametrize("active", ACTIVE.values(), ids=ACTIVE)
def test_widths_and_sparsity(isa, dtype, hidden, active):
    Case(5, hidden, 4, dtype, active).check()


@dtypes
@pytest.mark.parametrize("n", [0, 1, 7])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_numbers_of_samples_and_threads(isa, dtype, n, count, threads):
    threads(count)
    for branches in (1, 2):
        Case(6, [33, 20], n, dtype).check(branches)


@dtypes
def test_slopes_of_one_may_be_left_out(isa, dtype):
    case = Case(4, [9], 3, dtype, 1.0)
    case.decoder_slopes[0] = torch.ones_like(case.decoder_slopes[0])
    case.branches[1][0] = torch.ones_like(case.branches[1][0])
    explicit = case.kernel()
    case.decoder_slopes[0] = None
    case.branches[1][0] = None
    torch.testing.assert_close(case.kernel(), explicit)
    case.check()


@dtypes
def test_a_sample_depends_on_nothing_but_itself(isa, dtype, threads):
    case = Case(7, [40, 30], 11, dtype)
    together = case.kernel()
    threads(2)
    assert case.kernel().equal(together)
    order = torch.randperm(11, generator=case.generator)
    case.decoder_slopes = [slopes[order] for slopes in case.decoder_slopes]
    case.branches = [[slopes if slopes is None else slopes[order] for slopes in branch] for branch in case.branches]
    assert case.kernel().equal(together[order])


@dtypes
def test_nan_stays_in_its_sample(isa, dtype):
    case = Case(3, [8], 5, dtype, 1.0)
    clean = case.kernel()
    case.decoder_slopes[1][2, 0] = float("nan")
    spoilt = case.kernel()
    assert spoilt[2].isnan().all()
    keep = [0, 1, 3, 4]
    assert spoilt[keep].equal(clean[keep])


def test_weights_may_lie_anywhere_in_memory(isa):
    case = Case(4, [16], 3, torch.float32, features=208)
    expected = case.kernel()
    case.weights = [torch.empty(weight.numel() + 1)[1:].view(weight.shape).copy_(weight) for weight in case.weights]
    assert case.kernel().equal(expected)
    case.weights = [weight.mT.contiguous().mT for weight in case.weights]
    assert case.kernel().equal(expected)
