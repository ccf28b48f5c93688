"""What a training run leaves behind beside the weights."""

from dataclasses import dataclass, field


@dataclass
class History:
    """Course of a training run, one entry an epoch; runs compare equal whatever time they took."""

    loss: list[float] = field(default_factory=list)
    """Mean training loss over each epoch, taken while the weights moved."""
    validation_loss: list[float] = field(default_factory=list)
    """Mean loss on the validation data after each epoch; empty without such data."""
    stopped_early: bool = False
    """Whether the validation loss ended the run before its last epoch."""
    seconds: float = field(default=0.0, compare=False)
    """Time spent in epochs, those before a resume included."""

    @property
    def epochs(self) -> int:
        """Number of epochs trained."""
        return len(self.loss)

    @property
    def best_epoch(self) -> int | None:
        """Epoch with the lowest validation loss, counted from 1; None without validation."""
        if not self.validation_loss:
            return None
        return 1 + min(range(len(self.validation_loss)), key=self.validation_loss.__getitem__)
