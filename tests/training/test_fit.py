import math

import pytest
import torch
from torch import nn

from geolatent import training
from geolatent.models import LinearAutoencoder, MLPAutoencoder


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def data(n=50, features=6, seed=0):
    return torch.rand(n, features, generator=seeded(seed))


def autoencoder(seed=0):
    return MLPAutoencoder(6, 2, (5,), generator=seeded(seed))


class NoisyAutoencoder(MLPAutoencoder):
    """With dropout and batch normalisation: draws from torch's default generator, and has buffers."""

    def __init__(self):
        super().__init__(6, 2, (5,), generator=seeded())
        self.encoder = nn.Sequential(self.encoder, nn.BatchNorm1d(2), nn.Dropout(0.3))


def same_weights(model, other):
    pairs = zip(model.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(ours, theirs) for ours, theirs in pairs)


def test_takes_the_steps_of_adam():
    x, model, plain = data(), autoencoder(), autoencoder()
    history = training.fit(model, x, epochs=3, batch_size=16, lr=0.01, weight_decay=0.1, generator=seeded(1))
    optimizer = torch.optim.Adam(plain.parameters(), lr=0.01, weight_decay=0.1, foreach=False)
    generator, losses = seeded(1), []
    for _ in range(3):
        order, total = torch.randperm(50, generator=generator), 0.0
        torch.randint(2**63 - 1, (), generator=generator)
        for batch in order.split(16):
            loss = plain.loss(x[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        losses.append(total / 50)
    for ours, theirs in zip(model.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)
    assert history.loss == pytest.approx(losses, rel=1e-5)
    assert (history.epochs, history.validation_loss, history.stopped_early) == (3, [], False)
    assert history.best_epoch is None
    assert history.seconds > 0


def test_reaches_the_loss_of_pca():
    x = data(200).double() * torch.tensor([1.0, 0.8, 0.1, 0.1, 0.1, 0.1])
    model = LinearAutoencoder(6, 2, generator=seeded()).double()
    training.fit(model, x, epochs=600, batch_size=200, lr=0.01, generator=seeded())
    best = float(LinearAutoencoder.from_pca(x, 2).loss(x).detach())
    assert best <= float(model.loss(x).detach()) < 1.1 * best


def test_images_train_as_flat_samples():
    flat, images = autoencoder(), autoencoder()
    training.fit(flat, data(), epochs=2, generator=seeded())
    training.fit(images, data().reshape(50, 2, 3), epochs=2, generator=seeded())
    assert same_weights(flat, images)


@pytest.mark.parametrize("model_class", [autoencoder, NoisyAutoencoder])
def test_generator_decides_the_run_alone(model_class):
    before = torch.get_rng_state()
    models = [model_class() for _ in range(3)]
    histories = [
        training.fit(model, data(), epochs=3, batch_size=16, generator=seeded(seed), validation=data(seed=1))
        for model, seed in zip(models, (1, 1, 2), strict=True)
    ]
    assert torch.equal(torch.get_rng_state(), before)
    assert same_weights(models[0], models[1])
    assert histories[0] == histories[1]
    assert not same_weights(models[0], models[2])


def test_without_generator_the_default_one_is_asked_once():
    models = [autoencoder(), autoencoder()]
    with torch.random.fork_rng():
        for model in models:
            torch.manual_seed(5)
            training.fit(model, data(), epochs=2, batch_size=16)
    assert same_weights(*models)


def test_zero_epochs_change_nothing():
    model = autoencoder()
    history = training.fit(model, data(), epochs=0)
    assert history == training.History()
    assert same_weights(model, autoencoder())


def test_frozen_parameters_stay():
    model = autoencoder()
    model.decoder.requires_grad_(False)
    training.fit(model, data(), epochs=2, generator=seeded())
    assert same_weights(model.decoder, autoencoder().decoder)
    assert not same_weights(model.encoder, autoencoder().encoder)


@pytest.mark.parametrize("mode", [True, False])
def test_mode_is_given_back(mode):
    model = autoencoder().train(mode)
    training.fit(model, data(), epochs=1, validation=data())
    assert model.training is mode


def test_validation_is_measured_in_evaluation_mode_over_all_samples():
    model, validation = NoisyAutoencoder(), data(37, seed=1)
    history = training.fit(model, data(), epochs=2, batch_size=16, generator=seeded(), validation=validation)
    expected = float(model.eval().loss(validation).detach())
    assert history.validation_loss[-1] == pytest.approx(expected, rel=1e-5)
    assert len(history.validation_loss) == 2


class ScriptedValidation(nn.Module):
    """Loss falls by one an epoch in training; in validation it follows a script, by the number of steps."""

    def __init__(self, script):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        self.script = script

    def loss(self, batch):
        if self.training:
            self.steps += 1
            return self.weight * 1.0
        return torch.tensor(self.script[int(self.steps) - 1])


@pytest.mark.parametrize(
    ("script", "patience", "epochs", "best"),
    [
        ([3.0, 2.0, 1.0, 2.0, 2.0, 0.0], 2, 5, 3),
        ([3.0, 2.0, 1.0, 2.0, 2.0, 0.0], 3, 6, 6),
        ([1.0, 1.0, 1.0, 1.0], 1, 2, 1),
        ([4.0, 3.0, 2.0, 1.0], 1, 4, 4),
        ([1.0, 3.0, 2.0], 5, 3, 1),
    ],
)
def test_early_stopping_keeps_the_best_weights(script, patience, epochs, best):
    model = ScriptedValidation(script)
    history = training.fit(
        model, data(4), epochs=len(script), batch_size=4, lr=1.0, validation=data(4), patience=patience
    )
    assert history.epochs == epochs
    assert history.best_epoch == best
    assert history.stopped_early is (epochs - best >= patience)
    assert int(model.steps) == best
    assert float(model.weight.detach()) == pytest.approx(-best, rel=1e-5)


def test_validation_without_patience_never_stops():
    model = ScriptedValidation([1.0, 2.0, 3.0, 4.0])
    history = training.fit(model, data(4), epochs=4, validation=data(4))
    assert (history.epochs, int(model.steps), history.stopped_early) == (4, 4, False)


def test_device_moves_model_and_data():
    model = autoencoder()
    training.fit(model, data(), epochs=1, device="cpu", validation=data())
    assert next(model.parameters()).device.type == "cpu"


@pytest.mark.parametrize("model", [autoencoder(), LinearAutoencoder(6, 2, generator=seeded())])
def test_divergence_names_the_epoch_and_the_remedy(model):
    with pytest.raises(FloatingPointError, match=r"diverged in epoch \d+: .*lower lr \(now 1e\+30\)"):
        training.fit(model, 1e20 * data(), epochs=50, lr=1e30, generator=seeded())


def test_weights_that_end_not_finite_are_found_although_the_loss_is():
    class InfiniteSlope(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(()))

        def loss(self, batch):
            return self.weight.sqrt()

    with pytest.raises(FloatingPointError, match="epoch 1"):
        training.fit(InfiniteSlope(), data(4), epochs=1)


def test_validation_loss_must_be_finite():
    with pytest.raises(FloatingPointError, match="validation loss is nan after epoch 2"):
        training.fit(ScriptedValidation([1.0, math.nan]), data(4), epochs=2, validation=data(4))


def test_progress_bar_shows_epochs_and_loss(capfd):
    training.fit(autoencoder(), data(), epochs=3, progress=True)
    shown = capfd.readouterr().err
    assert "3/3" in shown
    assert "loss=" in shown
    training.fit(autoencoder(), data(), epochs=3)
    assert capfd.readouterr().err == ""
