import math

import pytest
import torch
from torch import nn

from geolatent import training
from geolatent.models import MLPAutoencoder


def data(n=50, features=6):
    return torch.rand(n, features, generator=torch.Generator().manual_seed(0))


def autoencoder():
    return MLPAutoencoder(6, 2, (5,), generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"epochs": -1}, ValueError, "epochs must be at least 0; got -1"),
        ({"epochs": 1.5}, TypeError, "epochs must be an integer; got 1.5"),
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1; got 0"),
        ({"checkpoint_every": 0}, ValueError, "checkpoint_every must be at least 1"),
        ({"patience": 0, "validation": data()}, ValueError, "patience must be at least 1"),
        ({"patience": 3}, ValueError, "patience must come with validation data; got 3: pass validation="),
        ({"lr": 0.0}, ValueError, "lr must be finite and above 0"),
        ({"lr": math.nan}, ValueError, "lr must be finite and above 0"),
        ({"weight_decay": -0.1}, ValueError, "weight_decay must be finite and at least 0"),
        ({"data": data(0)}, ValueError, r"data must hold at least one sample; got shape \(0, 6\)"),
        ({"data": torch.tensor(1.0)}, ValueError, "data must hold at least one sample"),
        ({"data": [1.0]}, TypeError, "data must be a torch.Tensor; got list"),
        ({"data": torch.ones(5, 6, dtype=torch.uint8)}, TypeError, "data must be real floating point"),
        (
            {"data": data().double()},
            TypeError,
            r"model's dtype torch.float32; got torch.float64: call data\.to",
        ),
        ({"data": data().to("meta")}, ValueError, "data must be on the model's device cpu; got meta"),
        ({"validation": data(0)}, ValueError, "validation must hold at least one sample"),
        ({"model": nn.Linear(6, 6)}, TypeError, r"method loss\(batch\); got Linear"),
        ({"model": autoencoder().requires_grad_(False)}, ValueError, "got none with requires_grad"),
        ({"data": data(features=7)}, ValueError, r"x must have shape \(N, 6\)"),
    ],
)
def test_bad_arguments_are_refused(changes, error, message):
    arguments = {"model": autoencoder(), "data": data(), "epochs": 1} | changes
    with pytest.raises(error, match=message):
        training.fit(**arguments)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("name", ["data", "validation"])
def test_values_that_are_not_finite_are_counted_and_located(name, bad):
    broken = data()
    broken[7, 3] = broken[7, 1] = broken[30, 0] = bad
    with pytest.raises(ValueError, match=f"{name} must be finite; .* 2 of 50 samples, the first at index 7"):
        training.fit(autoencoder(), **({"data": data(), "epochs": 1} | {name: broken}))


def test_model_on_two_devices_is_refused():
    model = autoencoder()
    model.decoder = model.decoder.to("meta")
    with pytest.raises(ValueError, match="model must lie on one device; got parameters on cpu, meta"):
        training.fit(model, data(), epochs=1)
