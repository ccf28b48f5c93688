import pytest

from geolatent.studies._claims import NOT_TESTED, Claim, tally, verdict_table


def claim(yes, no, testable=True):
    return Claim("c", "p", "the answer is yes", [True] * yes + [False] * no, testable)


@pytest.mark.parametrize(
    ("yes", "no", "verdict"),
    [(8, 2, "agrees"), (7, 3, "partly"), (5, 5, "partly"), (4, 6, "disagrees"), (0, 0, NOT_TESTED)],
)
def test_the_share_of_yes_decides(yes, no, verdict):
    row = verdict_table([claim(yes, no)]).iloc[0]
    assert list(row[["claim", "paper", "verdict"]]) == ["c", "p", verdict]
    assert row["ours"].startswith(f"the answer is yes: in {yes} of {yes + no} cases")


def test_what_may_not_be_asked_is_not_judged():
    assert verdict_table([claim(1, 0, testable=False)])["verdict"].tolist() == [NOT_TESTED]


def test_the_tally_counts_every_verdict():
    verdicts = verdict_table([claim(1, 0), claim(1, 0), claim(2, 1), claim(0, 1), claim(0, 0)])
    expected = (
        "Of 5 claims of the paper, our numbers agree with 2, in part with 1, disagree with 1 and leave 1 untested"
    )
    assert tally(verdicts) == expected
