"""How well a score tells out-of-distribution samples from in-distribution ones."""

import torch
from torch import Tensor


def auroc(scores_in: Tensor, scores_out: Tensor) -> float:
    r"""Area under the receiver operating characteristic of an out-of-distribution score.

    .. math:: P(s_\text{out} > s_\text{in}) + \tfrac12 P(s_\text{out} = s_\text{in})

    1 if every out-of-distribution sample scores above every in-distribution one, 1/2 for a score that tells
    nothing.

    Args:
        scores_in: scores of in-distribution samples, shape (n,).
        scores_out: scores of out-of-distribution samples, shape (m,).

    Returns:
        The area, between 0 and 1.

    Raises:
        ValueError: if a set is empty or a score is NaN.

    Source:
        [fawcett2006introduction], section 7; computed by :func:`sklearn.metrics.roc_auc_score`.

    Example:
        >>> auroc(torch.tensor([0.0, 1.0]), torch.tensor([1.0, 2.0]))
        0.875
    """
    from sklearn.metrics import roc_auc_score

    for name, scores in (("scores_in", scores_in), ("scores_out", scores_out)):
        if scores.numel() == 0:
            raise ValueError(f"{name} must hold at least one score; got none: pass the scores of both sets")
        if bool(scores.isnan().any()):
            count = int(scores.isnan().sum())
            raise ValueError(f"{name} must be free of NaN; got {count} NaN: drop the samples without a score")
    labels = torch.cat([torch.zeros(len(scores_in)), torch.ones(len(scores_out))])
    return float(roc_auc_score(labels.numpy(), torch.cat([scores_in, scores_out]).double().cpu().numpy()))
