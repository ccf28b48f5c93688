"""Claims of a paper, and how numbers weigh them.

A claim is turned into a yes-or-no question that is asked in many cases. It "agrees" where the answer is yes in at least
80 % of the cases, "disagrees" below 50 %, and "partly" agrees in between. A claim that may not be asked of the run at
hand, or of which there is no case, is not tested.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

NOT_TESTED = "not tested at this scale"
#: Share of the pixels' variance that a model must reconstruct for claims about trained models to be tested.
LEARNED = 0.5
_AGREES, _DISAGREES = 0.8, 0.5


class Claim(NamedTuple):
    """What the paper says, the question asked of our numbers, its answer in every case, and whether it may be asked."""

    claim: str
    paper: str
    question: str
    answers: list[bool]
    testable: bool = True


def verdict_table(claims: list[Claim]) -> pd.DataFrame:
    """The "paper vs. ours" table: claim, paper, ours, verdict."""
    rows = [[one.claim, one.paper, _ours(one.question, one.answers), _verdict(one)] for one in claims]
    return pd.DataFrame(rows, columns=["claim", "paper", "ours", "verdict"])


def tally(verdicts: pd.DataFrame) -> str:
    """How many claims stand, the start of a sentence."""
    counts = verdicts["verdict"].value_counts()
    agree, partly, disagree, open_ = (counts.get(name, 0) for name in ("agrees", "partly", "disagrees", NOT_TESTED))
    return (
        f"Of {len(verdicts)} claims of the paper, our numbers agree with {agree}, in part with {partly}, disagree with "
        f"{disagree} and leave {open_} untested"
    )


def _share(answers: list[bool]) -> float:
    return float(np.mean(answers)) if answers else 0.0


def _ours(question: str, answers: list[bool]) -> str:
    return f"{question}: in {sum(answers)} of {len(answers)} cases ({_share(answers):.0%})"


def _verdict(claim: Claim) -> str:
    if not claim.testable or not claim.answers:
        return NOT_TESTED
    share = _share(claim.answers)
    if share >= _AGREES:
        return "agrees"
    return "disagrees" if share < _DISAGREES else "partly"
