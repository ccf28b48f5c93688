import torch

from geolatent import datasets
from geolatent.studies.ood_jacobians.configuration import configure
from geolatent.studies.ood_jacobians.theorem import check_projectors


def test_orthogonal_and_oblique_projectors_have_the_eigenvalue_one():
    table = check_projectors(datasets.load("digits").images, configure("smoke", latent_dims=(1, 2, 20)))
    assert list(table["d"]) == [1, 1, 2, 2, 20, 20]
    assert set(table["projector"]) == {"orthogonal (PCA)", "oblique"}
    for column in ("max |lambda_I - 1|", "max |lambda_L - 1|"):
        assert (table[column] <= table["bound"]).all()
    assert (table["bound"] < 1e-10).all()


def test_a_map_that_is_no_projector_fails(monkeypatch):
    from geolatent.models import LinearAutoencoder

    exact = LinearAutoencoder.from_pca

    def stretched(data, latent_dim):
        model = exact(data, latent_dim)
        with torch.no_grad():
            model.decoder.weight *= 1.001
        return model

    monkeypatch.setattr(LinearAutoencoder, "from_pca", stretched)
    table = check_projectors(datasets.load("digits").images, configure("smoke"))
    orthogonal = table[table["projector"] == "orthogonal (PCA)"]
    assert (orthogonal["max |lambda_I - 1|"] > orthogonal["bound"]).all()
