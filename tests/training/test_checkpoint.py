"""Runs that are interrupted anywhere end as those that are not, bit for bit."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from torch import nn

from geolatent import training
from geolatent.models import MLPAutoencoder
from geolatent.training import CheckpointError

EPOCHS = 8


class Noisy(MLPAutoencoder):
    """Has buffers, and draws from torch's default generator."""

    pause = 0.0

    def __init__(self):
        super().__init__(6, 2, (5,), generator=torch.Generator().manual_seed(0))
        self.encoder = nn.Sequential(self.encoder, nn.BatchNorm1d(2), nn.Dropout(0.2))

    def loss(self, x):
        time.sleep(self.pause)
        return super().loss(x)


def run(folder, pause=0.0, seed=1, **changes):
    """The run that every test interrupts."""
    x = torch.rand(60, 6, generator=torch.Generator().manual_seed(2))
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    model = Noisy()
    model.pause = pause
    arguments = {
        "data": x[:40],
        "epochs": EPOCHS,
        "batch_size": 16,
        "lr": 0.01,
        "validation": x[40:],
        "patience": 30,
        "generator": generator,
        "checkpoint": folder,
    }
    history = training.fit(model, **(arguments | changes))
    return model, history, generator


class Killed(BaseException):
    """Ends a run as a kill would, where no handler may catch it."""


def assert_same(run_a, run_b):
    for ours, theirs in zip(run_a[0].state_dict().values(), run_b[0].state_dict().values(), strict=True):
        assert torch.equal(ours, theirs)
    assert run_a[1] == run_b[1]
    if run_a[2] is not None:
        assert torch.equal(run_a[2].get_state(), run_b[2].get_state())


def epochs_on_disk(folder):
    try:
        return len(json.loads((folder / "training.json").read_text())["history"]["loss"])
    except FileNotFoundError:
        return 0


@pytest.mark.parametrize("epochs_before_kill", [[2], [1, 4]])
def test_killed_process_resumes_exactly(tmp_path, epochs_before_kill):
    folder = tmp_path / "killed"
    for epochs in epochs_before_kill:
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        process = subprocess.Popen([sys.executable, __file__, folder], env=environment)
        while epochs_on_disk(folder) < epochs:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    assert epochs_before_kill[-1] <= epochs_on_disk(folder) < EPOCHS
    assert_same(run(folder), run(None))


@pytest.mark.parametrize("write", range(6))
def test_kill_at_any_moment_of_writing(tmp_path, monkeypatch, write):
    """Dies before the first rename, between that of the tensors and that of the description, and so on."""
    calls = []
    replace = Path.replace

    def dying_replace(path, target):
        calls.append(path)
        if len(calls) > write:
            raise Killed
        return replace(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", dying_replace)
        with pytest.raises(Killed):
            run(tmp_path)
    assert epochs_on_disk(tmp_path) == write // 2
    assert_same(run(tmp_path), run(None))
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("every", [1, 3, 100])
@pytest.mark.parametrize("dies_in_epoch", [1, 5])
@pytest.mark.parametrize("seed", [1, None])
def test_interrupt_within_an_epoch(tmp_path, monkeypatch, every, dies_in_epoch, seed):
    losses = []

    def dying_loss(self, x):
        losses.append(1)
        if len(losses) > 5 * (dies_in_epoch - 1) + 1:  # 3 batches to train, 2 to validate
            raise Killed
        return MLPAutoencoder.loss(self, x)

    with torch.random.fork_rng(), monkeypatch.context() as patch:
        torch.manual_seed(0)
        patch.setattr(Noisy, "loss", dying_loss)
        with pytest.raises(Killed):
            run(tmp_path, seed=seed, checkpoint_every=every)
    assert epochs_on_disk(tmp_path) == (dies_in_epoch - 1) // every * every
    with torch.random.fork_rng():
        torch.manual_seed(0)
        resumed = run(tmp_path, seed=seed, checkpoint_every=every)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        assert_same(resumed, run(None, seed=seed))


@pytest.mark.parametrize("every", [1, 3, 100])
def test_finished_run_returns_at_once(tmp_path, monkeypatch, every):
    first = run(tmp_path, checkpoint_every=every)
    monkeypatch.setattr(Noisy, "loss", lambda self, x: pytest.fail("trained again"))
    again = run(tmp_path, checkpoint_every=every)
    assert_same(again, first)
    assert again[1].seconds == first[1].seconds


def test_early_stopped_run_returns_at_once_with_the_best_weights(tmp_path, monkeypatch):
    changes = {"epochs": 200, "patience": 1, "lr": 0.1}
    first = run(tmp_path, **changes)
    assert first[1].stopped_early
    assert_same(first, run(None, **changes))
    monkeypatch.setattr(Noisy, "loss", lambda self, x: pytest.fail("trained again"))
    assert_same(run(tmp_path, **changes), first)


def test_more_epochs_prolong_a_run(tmp_path):
    run(tmp_path, epochs=3)
    assert_same(run(tmp_path), run(None))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"lr": 0.02}, r"lr \(0\.01 there, 0\.02 here\)"),
        ({"batch_size": 8}, "batch_size"),
        ({"weight_decay": 0.1}, "weight_decay"),
        ({"patience": 5}, "patience"),
        ({"seed": 2}, r"generator \(seed 1 on cpu there, seed 2 on cpu here\)"),
        ({"seed": None}, "generator"),
        ({"data": torch.rand(41, 6)}, "data"),
        ({"data": torch.zeros(40, 6)}, "data"),
        ({"validation": torch.zeros(20, 6)}, "validation"),
        ({"epochs": 7}, r"epochs \(8 already trained, 7 wanted\)"),
    ],
)
def test_checkpoint_of_another_run_is_refused(tmp_path, changes, named):
    first = run(tmp_path)
    with pytest.raises(CheckpointError, match=rf"different in {named}.*: pass resume=False .* another folder"):
        run(tmp_path, **changes)
    assert_same(run(tmp_path), first)


def test_checkpoint_of_another_model_is_refused(tmp_path):
    run(tmp_path)
    x = torch.rand(60, 6, generator=torch.Generator().manual_seed(2))
    model = MLPAutoencoder(6, 3, (5,))
    with pytest.raises(CheckpointError, match=r"different in .*model"):
        training.fit(model, x[:40], epochs=8, batch_size=16, lr=0.01, checkpoint=tmp_path)


def test_fresh_run_overwrites(tmp_path):
    run(tmp_path, lr=0.02)
    assert_same(run(tmp_path, resume=False), run(None))
    assert_same(run(tmp_path), run(None))
    assert len(list(tmp_path.iterdir())) == 2


def test_fresh_run_that_dies_at_once_does_not_leave_the_old_one(tmp_path, monkeypatch):
    run(tmp_path)

    def die(self, x):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Noisy, "loss", die)
        with pytest.raises(Killed):
            run(tmp_path, resume=False)
    assert epochs_on_disk(tmp_path) == 0


def test_divergence_leaves_the_last_good_checkpoint(tmp_path, monkeypatch):
    losses = []

    def diverging_loss(self, x):
        losses.append(1)
        return MLPAutoencoder.loss(self, x) * (float("nan") if len(losses) > 12 else 1.0)

    with monkeypatch.context() as patch:
        patch.setattr(Noisy, "loss", diverging_loss)
        with pytest.raises(FloatingPointError, match="epoch 3"):
            run(tmp_path)
    assert epochs_on_disk(tmp_path) == 2
    assert_same(run(tmp_path), run(None))


@pytest.mark.parametrize("damaged", ["training.json", "training-*.safetensors"])
def test_damaged_checkpoint_is_refused_until_overwritten(tmp_path, damaged):
    run(tmp_path)
    (path,) = tmp_path.glob(damaged)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match=f"{path.name} is damaged"):
        run(tmp_path)
    assert_same(run(tmp_path, resume=False), run(None))


def test_unwritable_folder_is_named_before_training(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(Noisy, "loss", lambda self, x: pytest.fail("trained"))
    with pytest.raises(CheckpointError, match=r"file cannot be written .*: give a writable folder"):
        run(tmp_path / "file")


if __name__ == "__main__":  # the process that is killed
    torch.set_num_threads(1)
    run(sys.argv[1], pause=0.05)
