import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import dtypes, gaussian, seeds

from geolatent.embeddings import numerical_rank, tensor_to_spsd

few = settings(max_examples=15)
sizes = st.integers(2, 5)


@given(seeds, sizes, sizes, sizes, dtypes)
@few
def test_each_factor_is_numpys_covariance_of_an_unfolding(seed, h, w, c, dtype):
    Z = gaussian(seed, 3, h, w, c, dtype=dtype)
    for mode, factor in enumerate(tensor_to_spsd(Z)):
        assert factor.dtype == dtype
        assert torch.equal(factor, factor.mT)
        for z, S in zip(Z.numpy(), factor.numpy(), strict=True):
            expected = np.cov(np.moveaxis(z, mode, 0).reshape(z.shape[mode], -1))
            n = z.size // z.shape[mode]
            np.testing.assert_allclose(
                S, expected, atol=20 * n * torch.finfo(dtype).eps * np.abs(expected).max(), rtol=0
            )


@given(seeds)
@few
def test_modes_are_exchanged_with_the_axes_and_rotations_act_by_congruence(seed):
    Z, Q = gaussian(seed, 4, 3, 5, 2), torch.linalg.qr(gaussian(seed + 1, 5, 5)).Q
    S1, S2, S3 = tensor_to_spsd(Z)
    swapped = tensor_to_spsd(Z.movedim(-1, -3))
    for ours, theirs in zip((S3, S1, S2), swapped, strict=True):
        torch.testing.assert_close(ours, theirs)
    turned = tensor_to_spsd(torch.einsum("vw,nhwc->nhvc", Q, Z))
    torch.testing.assert_close(turned[1], Q @ S2 @ Q.mT)


def test_a_latent_tensor_of_the_paper_has_ranks_7_7_48():
    Z = gaussian(0, 2, 7, 7, 128)
    assert [numerical_rank(S).tolist() for S in tensor_to_spsd(Z)] == [[7, 7], [7, 7], [48, 48]]


def test_batches_and_half_precision():
    Z = gaussian(0, 2, 3, 4, 4, 5)
    S1, S2, S3 = tensor_to_spsd(Z)
    assert (S1.shape, S2.shape, S3.shape) == ((2, 3, 4, 4), (2, 3, 4, 4), (2, 3, 5, 5))
    for one, all_of_them in zip(tensor_to_spsd(Z[1, 2]), (S1, S2, S3), strict=True):
        torch.testing.assert_close(one, all_of_them[1, 2])
    half = tensor_to_spsd(Z.bfloat16())
    assert all(S.dtype == torch.bfloat16 for S in half)
    torch.testing.assert_close(half[0], tensor_to_spsd(Z.bfloat16().float())[0].bfloat16())


@pytest.mark.parametrize(
    ("Z", "kind", "message"),
    [
        (torch.ones(2, 2, 2, dtype=torch.int64), TypeError, "Z must be real floating point"),
        (torch.ones(2, 2), ValueError, r"Z must have shape \(..., h, w, c\); got \(2, 2\)"),
        (torch.ones(4, 1, 1, 7), ValueError, "two columns in every unfolding; got h, w, c = 1, 1, 7"),
        (torch.tensor([[[1.0, 2.0], [3.0, torch.nan]]] * 2), ValueError, r"Z must be finite; entry \(0, 1, 1\) is nan"),
    ],
)
def test_refuses_what_is_no_latent_tensor(Z, kind, message):
    with pytest.raises(kind, match=message):
        tensor_to_spsd(Z)
