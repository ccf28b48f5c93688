import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from geolatent.metrics import auroc

scores = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=12).map(torch.tensor)


@given(inside=scores, outside=scores)
def test_is_the_probability_that_the_outsider_scores_higher_with_ties_half(inside, outside):
    difference = outside[:, None] - inside[None, :]
    expected = ((difference > 0).double() + 0.5 * (difference == 0).double()).mean()
    assert auroc(inside, outside) == pytest.approx(float(expected), rel=1e-12)


@given(inside=scores, outside=scores)
def test_swapping_the_sets_gives_the_complement(inside, outside):
    assert auroc(inside, outside) == pytest.approx(1 - auroc(outside, inside), abs=1e-12)


def test_separated_sets():
    assert auroc(torch.zeros(3), torch.ones(4)) == 1.0


def test_refuses_empty_sets_and_nan():
    with pytest.raises(ValueError, match="scores_out must hold at least one score"):
        auroc(torch.zeros(3), torch.zeros(0))
    with pytest.raises(ValueError, match="scores_in must be free of NaN; got 1"):
        auroc(torch.tensor([0.0, torch.nan]), torch.zeros(2))
