import json
from pathlib import Path

import pytest
import torch
from torch import nn

from geolatent.models import LinearAutoencoder, MLPAutoencoder
from geolatent.training import CheckpointError, load, save


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


MODELS = [
    LinearAutoencoder(6, 2, bias=False, generator=seeded()),
    MLPAutoencoder(6, 2, (5, 4), "gelu", None, "tanh", generator=seeded()),
    MLPAutoencoder(6, 2, (), generator=seeded()).double(),
]


def same_weights(model, other):
    pairs = zip(model.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(ours, theirs) and ours.dtype == theirs.dtype for ours, theirs in pairs)


@pytest.mark.parametrize("model", MODELS)
def test_class_is_rebuilt(tmp_path, model):
    assert save(model, tmp_path / "a" / "b") == tmp_path / "a" / "b"
    loaded = load(type(model), tmp_path / "a" / "b")
    assert str(loaded) == str(model)
    assert loaded.config == model.config
    assert same_weights(loaded, model)


@pytest.mark.parametrize("model", [*MODELS, nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))])
def test_weights_are_loaded_into_a_model(tmp_path, model):
    save(model, tmp_path)
    other = (
        load(type(model), tmp_path) if hasattr(model, "config") else nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    )
    with torch.no_grad():
        next(other.parameters()).zero_()
    assert load(other, tmp_path) is other
    assert same_weights(other, model)


def test_tied_weights_are_saved(tmp_path):
    model = LinearAutoencoder(4, 4)
    model.decoder.weight = model.encoder.weight
    save(model, tmp_path)
    other = LinearAutoencoder(4, 4)
    other.decoder.weight = other.encoder.weight
    assert same_weights(load(other, tmp_path), model)


def test_saving_again_leaves_one_model(tmp_path):
    (tmp_path / "model-00001-of-00002.safetensors").write_text("of somebody else")
    for seed in (1, 2):
        model = MLPAutoencoder(6, seed, generator=seeded(seed))
        save(model, tmp_path)
    assert same_weights(load(MLPAutoencoder, tmp_path), model)
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("write", [0, 1])
def test_kill_while_saving_leaves_the_old_model(tmp_path, monkeypatch, write):
    old, new = (MLPAutoencoder(6, d, generator=seeded()) for d in (2, 3))
    save(old, tmp_path)
    calls = []
    replace = Path.replace

    def dying_replace(path, target):
        calls.append(path)
        if len(calls) > write:
            raise KeyboardInterrupt
        return replace(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", dying_replace)
        with pytest.raises(KeyboardInterrupt):
            save(new, tmp_path)
    assert same_weights(load(MLPAutoencoder, tmp_path), old)


def test_json_says_what_the_model_is(tmp_path):
    save(MODELS[1], tmp_path)
    description = json.loads((tmp_path / "model.json").read_text())
    assert description["class"] == "MLPAutoencoder"
    assert description["config"] == MODELS[1].config


def test_empty_folder_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match=r"holds no model\.json: give the folder that save wrote"):
        load(MLPAutoencoder, tmp_path / "none")


def test_other_class_is_refused(tmp_path):
    save(MODELS[0], tmp_path)
    with pytest.raises(CheckpointError, match="holds a LinearAutoencoder, not a MLPAutoencoder"):
        load(MLPAutoencoder, tmp_path)


def test_other_layers_are_refused(tmp_path):
    save(MODELS[1], tmp_path)
    with pytest.raises(CheckpointError, match=r"other layers: .* such as .*: build the model as saved"):
        load(MLPAutoencoder(6, 3, (5, 4), "gelu"), tmp_path)


def test_own_activation_needs_the_model(tmp_path):
    model = MLPAutoencoder(6, 2, (5,), nn.SiLU)
    save(model, tmp_path)
    with pytest.raises(CheckpointError, match=r"cannot be rebuilt .*call load\(model, folder\)"):
        load(MLPAutoencoder, tmp_path)
    assert same_weights(load(MLPAutoencoder(6, 2, (5,), nn.SiLU), tmp_path), model)


@pytest.mark.parametrize("length", [0, 10, 500])
def test_truncated_weights_are_named(tmp_path, length):
    save(MODELS[1], tmp_path)
    (path,) = tmp_path.glob("model-*.safetensors")
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(CheckpointError, match=f"{path.name} is damaged"):
        load(MLPAutoencoder, tmp_path)


def test_unwritable_folder_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match=r"file cannot be written .*: give a writable folder"):
        save(MODELS[0], tmp_path / "file")
