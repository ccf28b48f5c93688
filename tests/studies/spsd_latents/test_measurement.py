import pytest
import torch

from geolatent.studies.spsd_latents.measurement import (
    ANGLES,
    TOLERANCES,
    factors,
    measure_distances,
    measure_ranks,
    tsne_map,
)

KERNELS = ("product", "log-projection")


def draw(seed, count=14, shape=(6, 3, 4)):
    return torch.randn(count, *shape, generator=torch.Generator().manual_seed(seed))


def measured(codes, **changes):
    points = [factors(one) for one in codes]
    settings = {"product_samples": 9, "cross_rank": "truncate", "angle_dimension": 3} | changes
    return measure_distances(points, **settings)


def test_factors_are_covariances_of_the_unfoldings():
    codes = draw(0)
    first, second, third = factors(codes)
    one = codes[5].double()
    for found, unfolding in (
        (first, one.movedim(1, 0).flatten(1)),
        (second, one.movedim(2, 0).flatten(1)),
        (third, one.flatten(1)),
    ):
        torch.testing.assert_close(found[5], torch.cov(unfolding))


def test_ranks_and_spectra_are_those_of_the_matrices():
    flat = draw(0)
    flat[:, 3:] = flat[:, :3]  # three channels repeat
    values = measure_ranks([factors(draw(0)), factors(flat)])
    assert values["ranks"].tolist() == [[[3, 4, 6]] * 14, [[3, 4, 3]] * 14]
    assert values["eigenvalues of S3"].shape == (2, 14, 6)
    assert float(values["eigenvalues of S3"][1, :, :3].abs().max()) < 1e-12


def test_the_tolerance_decides_a_small_eigenvalue():
    point = factors(draw(1))
    scale = 6 * 1.19e-7
    direction = torch.linalg.eigh(point[2])
    spectrum = torch.tensor([2.0 * scale, 0.1, 0.2, 0.5, 0.5, 1.0], dtype=torch.float64)
    point = (*point[:2], direction.eigenvectors * spectrum @ direction.eigenvectors.mT)
    ranks = measure_ranks([point, point])["ranks by tolerance"][:, 0, :, 2]
    assert [int(one.unique()) for one in ranks] == [6 if factor < 2 else 5 for factor in TOLERANCES]


def test_equal_codes_have_no_angles_and_equal_dimensions():
    values = measured([draw(0), draw(0), draw(1)])
    for name in ANGLES:
        angles = values[f"{name}/angles"]
        assert angles.shape == (3, 3)
        assert float(angles[:2].abs().max()) < 1e-6
        assert float(angles[2].max()) > 0.5
    for name in KERNELS:
        assert values[f"{name}/dimension"][0] == values[f"{name}/dimension"][1]
        assert 0 < int(values[f"{name}/dimension"][2]) < 14


def test_angles_of_a_small_space_are_padded():
    values = measured([draw(0, count=5), draw(1, count=5)], angle_dimension=7)
    angles = values["product, eigenspaces/angles"]
    assert angles.shape == (2, 7)
    assert angles[:, 4:].isnan().all()
    assert angles[:, :4].isfinite().all()


def test_policies_of_equal_ranks_agree_and_raise_takes_the_largest_stratum():
    same = measured([draw(0), draw(1)])
    rows = [same[f"ablation/product, {policy}"] for policy in ("raise", "truncate", "schubert")]
    assert rows[0].tolist() == rows[1].tolist() == rows[2].tolist()
    assert rows[0][0] == 9
    mixed = draw(0)
    mixed[:4, 3:] = mixed[:4, :3]
    values = measured([mixed, mixed])
    assert values["ablation/product, raise"][0] == 5
    assert values["ablation/product, schubert"][0] == 9
    assert values["ablation/log-projection, same samples"][2] < 1e-12


def test_codes_without_variance_are_left_out_or_refused():
    codes = draw(0)
    codes[:3] = 1.0
    assert int(measured([codes, codes])["usable"]) == 9
    codes[:7] = 1.0
    assert int(measured([draw(0), codes])["usable"]) == 7
    codes[:10] = torch.arange(4.0)  # equal rows: S2 alone vanishes
    assert int(measured([draw(0), codes])["usable"]) == 4
    with pytest.raises(ValueError, match=r"only 0 of 14 do: the model has not learned"):
        measured([torch.zeros(14, 6, 3, 4)] * 2)


def test_the_map_sets_a_noisy_code_beside_its_clean_one():
    point = factors(draw(0))
    clean, noisy = tsne_map(point, factors(draw(0) + 1e-4 * draw(1)), seed=0)
    assert clean.shape == noisy.shape == (14, 2)
    apart = torch.cdist(clean, noisy)
    assert float(apart.diagonal().median()) < 0.5 * float(apart.median())
