"""Runs every kernel at every instruction set, size and edge of a batch, under the sanitizers."""

import torch

from geolatent import _kernels, jacobians, linalg, manifolds, models

assert _kernels.core is not None, "the sanitized core must be importable"
generator = torch.Generator().manual_seed(0)
for isa in _kernels.isa_levels():
    _kernels.use_isa(isa)
    for dtype in (torch.float32, torch.float64):
        for d in (*range(1, 25), 31, 32, 33, 47, 48):
            for count in (1, 7, 33):
                matrices = torch.randn(count, d, d, generator=generator, dtype=dtype)
                matrices[0, 0, 0] = torch.nan
                assert linalg.eigvals(matrices)[1:].isfinite().all()
                assert linalg.eigvalsh(matrices)[1:].isfinite().all()
                assert all(part[1:].isfinite().all() for part in linalg.eigh(matrices))
                assert linalg.svdvals(matrices)[1:].isfinite().all()
        for p in (1, 2, 3, 8, 17, 48):
            for count in (1, 7, 40):
                for manifold in (manifolds.AffineInvariantSPD(p), manifolds.BuresWassersteinSPD(p)):
                    points = manifold.random_point((count,), generator, dtype=dtype)
                    assert manifold.pairwise_dist(points).isfinite().all()
                    assert manifold.pairwise_dist(points, points[:2]).isfinite().all()
                bases = manifolds.Grassmannian(400, p).random_point((count,), generator, dtype=dtype)
                assert manifolds.Grassmannian(400, p).pairwise_dist(bases).isfinite().all()
                assert manifolds.Grassmannian(400, p).pairwise_dist(bases, bases[:, :, :1]).isfinite().all()
        for d in (1, 2, 7, 20, 33):
            model = models.MLPAutoencoder(65, d, hidden=(17, 3), generator=generator).to(dtype).eval()
            for count in (1, 9):
                x = torch.rand(count, 65, generator=generator, dtype=dtype)
                for spectrum in jacobians.autoencoder_spectrum(model.encoder, model.decoder, x, of="both"):
                    assert spectrum.eigenvalues.isfinite().all()
        for n in (1, 2, 7, 30):
            diagonal = manifolds.DiagonalGaussians(n)
            for count in (1, 7, 33, 3000):
                a, b = (diagonal.random_point((count,), generator, dtype=dtype) for _ in range(2))
                assert diagonal.dist(a, b).isfinite().all()
                assert diagonal.pairwise_dist(manifolds.DiagonalGaussian(a.loc[:9], a.scale[:9]), b).isfinite().all()
    for n in (*range(1, 9), 13, 20):
        gaussians = manifolds.MultivariateGaussians(n)
        for count in (1, 7, 9):
            a, b = gaussians.random_point((count,), generator), gaussians.random_point((count,), generator)
            solution = gaussians.solve(a, b)
            assert (solution.lower <= solution.dist).all()
            assert (solution.dist <= solution.upper).all()
    print(isa, "clean")
