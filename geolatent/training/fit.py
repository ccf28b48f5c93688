"""Training of one model."""

import copy
import time
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.optim import Adam
from tqdm import tqdm

from geolatent.training.arguments import Settings, require_samples, require_trainable
from geolatent.training.checkpoint import Checkpoint, TrainingState, fingerprint
from geolatent.training.epochs import evaluate, train_epoch
from geolatent.training.history import History


def fit(
    model: nn.Module,
    data: Tensor,
    *,
    epochs: int,
    batch_size: int = 256,
    lr: float = 1e-3,
    weight_decay: float = 0.0,
    generator: Generator | None = None,
    validation: Tensor | None = None,
    patience: int | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_every: int = 1,
    resume: bool = True,
    progress: bool = False,
    device: torch.device | str | None = None,
) -> History:
    r"""Minimise a model's loss over data by Adam.

    .. math:: \min_\theta \frac{1}{N} \sum_{i=1}^{N} \ell_\theta(x_i)

    The run is a function of the model's weights, the data and the generator: torch's default generator, from
    which dropout and sampled codes draw, is seeded from ``generator`` for each epoch and given back as found.

    Args:
        model: module with a method ``loss(batch)`` that returns the mean loss of a batch; trained in place.
        data: samples, shape (N, ...), floating point, of the model's dtype; kept in memory as one tensor.
        epochs: passes over the data in all, those of a resumed checkpoint included.
        batch_size: samples a step; the last batch of an epoch may be smaller.
        lr: Adam's step size.
        weight_decay: factor of the squared norm's gradient that is added to the loss's.
        generator: source of all randomness; None seeds one from torch's default generator.
        validation: samples on which the loss is measured after each epoch.
        patience: stop after this many epochs without a new lowest validation loss; the model then, and also
            after the last epoch, has the weights of the best epoch. None: never stop early, keep the last.
        checkpoint: folder for the state of the run: tensors in safetensors, history and configuration in
            JSON. A run that was killed goes on from it, and ends with the very weights and history of one
            that was not. A finished run returns at once, and may be prolonged by more epochs.
        checkpoint_every: epochs between checkpoints; the last epoch always writes one.
        resume: False discards the checkpoint found in the folder and starts anew.
        progress: show a progress bar.
        device: where to move model and data; None leaves them where they are.

    Returns:
        Losses by epoch, and the time taken.

    Raises:
        TypeError, ValueError: if an argument is out of range, the data is empty, not finite, of another dtype
            than the model or on another device; names the argument and the remedy.
        FloatingPointError: if the loss or a weight is not finite after an epoch.
        CheckpointError: if the checkpoint is damaged, belongs to another run or cannot be written.

    Source:
        [kingma2015adam], algorithm 1, with torch's default moments (0.9, 0.999).
    """
    settings = Settings(epochs, batch_size, lr, weight_decay, patience, checkpoint_every)
    require_trainable(model)
    if device is not None:
        model, data = model.to(device), data.to(device)
        validation = validation.to(device) if validation is not None else None
    _require_data(model, data, validation, settings)
    optimizer = _adam(model, settings)
    state = TrainingState(model, optimizer, _seeded() if generator is None else generator)
    store = None
    if checkpoint is not None:
        configuration = _configuration(model, settings, generator, data, validation)
        store = Checkpoint(checkpoint, configuration)
        if resume:
            store.restore(state, epochs)
        else:
            store.remove()
    was_training = model.training
    try:
        _run(state, settings, data, validation, store, progress)
    finally:
        model.train(was_training)
    if state.best:
        model.load_state_dict(state.best)
    return state.history


def _run(
    state: TrainingState,
    settings: Settings,
    data: Tensor,
    validation: Tensor | None,
    store: Checkpoint | None,
    progress: bool,
) -> None:
    """Train until the last epoch or until the validation loss has not fallen for long enough."""
    history = state.history
    with tqdm(total=settings.epochs, initial=history.epochs, unit="epoch", disable=not progress) as bar:
        while history.epochs < settings.epochs and not history.stopped_early:
            start = time.perf_counter()
            history.loss.append(train_epoch(state, data, settings.batch_size))
            if validation is not None:
                _validate(state, settings, validation)
            history.seconds += time.perf_counter() - start
            ended = history.stopped_early or history.epochs == settings.epochs
            if store is not None and (ended or history.epochs % settings.checkpoint_every == 0):
                store.write(state)
            bar.set_postfix(loss=f"{history.loss[-1]:.4g}", refresh=False)
            bar.update()


def _validate(state: TrainingState, settings: Settings, validation: Tensor) -> None:
    """Record the validation loss; with patience, keep the best weights and decide whether to stop."""
    history = state.history
    history.validation_loss.append(evaluate(state, validation, settings.batch_size))
    if settings.patience is None:
        return
    if history.best_epoch == history.epochs:
        state.best = copy.deepcopy(state.model.state_dict())
    history.stopped_early = history.epochs - (history.best_epoch or 0) >= settings.patience


def _require_data(model: nn.Module, data: Tensor, validation: Tensor | None, settings: Settings) -> None:
    parameter = next(model.parameters())
    require_samples("data", data, parameter)
    if validation is not None:
        require_samples("validation", validation, parameter)
    elif settings.patience is not None:
        raise ValueError(f"patience must come with validation data; got {settings.patience}: pass validation=")


def _adam(model: nn.Module, settings: Settings) -> Adam:
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    fused = True if parameters[0].device.type in ("cpu", "cuda") else None
    return Adam(parameters, settings.lr, weight_decay=settings.weight_decay, fused=fused)


def _seeded() -> Generator:
    return Generator().manual_seed(int(torch.randint(2**63 - 1, ())))


def _configuration(
    model: nn.Module, settings: Settings, generator: Generator | None, data: Tensor, validation: Tensor | None
) -> dict[str, Any]:
    """What determines the run, apart from the first weights and the number of epochs, which may grow."""
    return {
        "model": str(model).splitlines(),
        "batch_size": settings.batch_size,
        "lr": settings.lr,
        "weight_decay": settings.weight_decay,
        "patience": settings.patience,
        "generator": None if generator is None else f"seed {generator.initial_seed()} on {generator.device.type}",
        "data": fingerprint(data),
        "validation": fingerprint(validation),
    }
