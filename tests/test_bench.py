import torch

from geolatent import bench
from geolatent.jacobians import autoencoder_spectrum
from geolatent.manifolds import AffineInvariantSPD, BuresWassersteinSPD, Grassmannian
from geolatent.models import MLPAutoencoder


def test_peers_compute_the_same_spectrum():
    generator = torch.Generator().manual_seed(0)
    model = MLPAutoencoder(20, 3, hidden=(8,), generator=generator).double().eval().requires_grad_(False)
    x = torch.rand(4, 20, generator=generator, dtype=torch.float64)
    ours = autoencoder_spectrum(model.encoder, model.decoder, x).modulus
    small = bench.small_product_spectrum(model, x).abs().sort(descending=True).values
    full = bench.full_spectrum(model, x).abs().sort(descending=True).values
    torch.testing.assert_close(small, ours)
    torch.testing.assert_close(full[:, :3], ours)
    assert float(full[:, 3:].max()) < 1e-6


def test_peers_compute_the_same_distances():
    upper = torch.triu_indices(7, 7, 1).unbind()
    for manifold, metric in ((AffineInvariantSPD(3), "riemann"), (BuresWassersteinSPD(3), "wasserstein")):
        points = manifold.random_point((7,), torch.Generator().manual_seed(0))
        theirs = torch.from_numpy(bench.numpy_spd_dist(points.numpy(), metric))
        torch.testing.assert_close(manifold.pairwise_dist(points)[upper], theirs)
    bases = Grassmannian(9, 3).random_point((7,), torch.Generator().manual_seed(0))
    for one_product in (True, False):
        theirs = torch.from_numpy(bench.numpy_angles(bases.numpy(), one_product))
        torch.testing.assert_close(Grassmannian(9, 3).pairwise_dist(bases)[upper], theirs)


def test_contestants_take_turns_after_a_warm_up():
    calls = []
    contestants = {name: bench.Contestant(lambda name=name: calls.append(name), 10) for name in ("ours", "peer")}
    times = bench.compare(contestants, repeats=2)
    assert calls == ["ours", "peer"] * 3
    assert set(times) == {"ours", "peer"}


def test_ratio_is_the_peers_time_over_ours():
    assert bench.Timing("linalg.eigvals", 8, "float32", "numpy", ours_us=0.5, peer_us=10.0).ratio == 20.0


def test_threads_are_given_back():
    before = torch.get_num_threads()
    with bench.pinned_threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before
