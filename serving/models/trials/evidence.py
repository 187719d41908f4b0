"""Whether a rate has passed a bound, asked after every call. Pure.

A test made for one look fails when it is looked at again and again: it would in the end refuse every version, however
good. So the evidence is a likelihood ratio of the counts, of higher rates against the bound (Wald 1945, Sequential
Tests of Statistical Hypotheses), averaged over a few such rates (Robbins 1970, Statistical Methods Related to the Law
of the Iterated Logarithm). For a version whose every call goes wrong with at most the bound's probability, whatever
came before, that is a supermartingale; by Ville's inequality (1939) it ever reaches 1/p with a probability of at most
p. The fewest calls that can pass a bound follow from that: of one of 1 %, three that all go wrong.
"""

import math
from dataclasses import dataclass

FALSE_ALARM = 0.01
"""A version within its bound is ever held to have passed it with at most this probability."""

_ODDS = (1.25, 2.0, 4.0, 16.0)
"""How many times the bound's odds the higher rates have."""


@dataclass
class Count:
    """Calls, and how many of them went wrong."""

    calls: int = 0
    wrong: int = 0

    @property
    def rate(self) -> float:
        """From 0 to 1; 0 where there were none."""
        return self.wrong / self.calls if self.calls else 0.0

    def add(self, wrong: bool) -> None:
        """One call more."""
        self.calls += 1
        self.wrong += wrong

    def passes(self, bound: float) -> bool:
        """Whether the rate is above `bound`, from 0 to 1, beyond doubt."""
        return self._log_evidence(bound) >= -math.log(FALSE_ALARM)

    def _log_evidence(self, bound: float) -> float:
        """Of rates with so many times the odds: (odds ** wrong) / (1 + (odds - 1) * bound) ** calls, on average."""
        ratios = [self.wrong * math.log(odds) - self.calls * math.log1p((odds - 1) * bound) for odds in _ODDS]
        largest = max(ratios)
        return largest + math.log(sum(math.exp(ratio - largest) for ratio in ratios) / len(ratios))
