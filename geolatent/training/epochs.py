"""One pass over the data, with or without steps."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import cast

import torch
from torch import Generator, Tensor

from geolatent.training.checkpoint import TrainingState


def train_epoch(state: TrainingState, data: Tensor, batch_size: int) -> float:
    """Take one optimiser step a minibatch, in an order drawn from the generator; return the mean loss.

    Raises:
        FloatingPointError: if the loss or a parameter is not finite any more.
    """
    model, optimizer, generator = state.model, state.optimizer, state.generator
    order = torch.randperm(len(data), generator=generator, device=generator.device).to(data.device)
    batches = order.split(batch_size)
    loss_of = cast(Callable[[Tensor], Tensor], model.loss)
    losses = []
    with drawing_from(generator, data.device):
        model.train()
        for batch in batches:
            loss = loss_of(data.index_select(0, batch))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
    mean = _mean(losses, batches)
    if not math.isfinite(mean) or not all(bool(torch.isfinite(value).all()) for value in model.parameters()):
        raise FloatingPointError(
            f"training diverged in epoch {state.history.epochs + 1}: the loss is {mean} or a weight is not "
            f"finite: lower lr (now {optimizer.param_groups[0]['lr']}), or scale the data"
        )
    return mean


def evaluate(state: TrainingState, data: Tensor, batch_size: int) -> float:
    """Mean loss over the data in evaluation mode, without gradients."""
    batches = data.split(batch_size)
    loss_of = cast(Callable[[Tensor], Tensor], state.model.loss)
    with drawing_from(state.generator, data.device), torch.no_grad():
        state.model.eval()
        mean = _mean([loss_of(batch) for batch in batches], batches)
    if not math.isfinite(mean):
        raise FloatingPointError(
            f"the validation loss is {mean} after epoch {state.history.epochs}: lower lr, or scale the data"
        )
    return mean


@contextmanager
def drawing_from(generator: Generator, device: torch.device) -> Iterator[None]:
    """Let what the model draws itself (dropout, sampled codes) follow from the generator too.

    Modules draw from torch's default generator: it is seeded from ``generator`` here and given back as found.
    """
    seed = int(torch.randint(2**63 - 1, (), generator=generator, device=generator.device))
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.default_generator.manual_seed(seed)
        if device.type == "cuda":
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield


def _mean(losses: Sequence[Tensor], batches: Sequence[Tensor]) -> float:
    """Mean over samples, in float64, read from the device once."""
    sizes = torch.tensor([len(batch) for batch in batches], dtype=torch.float64)
    return float(torch.stack(list(losses)).cpu().double() @ sizes / sizes.sum())
