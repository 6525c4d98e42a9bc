"""What became of the rows of a batch."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from intent_client.outputs import Outcome
from intent_client.results import Prediction


class Tally(msgspec.Struct, frozen=True):
    """Counts of rows."""

    answered: int = 0
    abstained: int = 0
    """Of the answered ones."""
    failed: dict[str, int] = {}
    """By the code of the error."""

    def plus(self, outcomes: Sequence[Outcome]) -> "Tally":
        """With these rows too."""
        answered = [outcome for outcome in outcomes if isinstance(outcome, Prediction)]
        failed = Counter(self.failed)
        failed.update(outcome.code for outcome in outcomes if not isinstance(outcome, Prediction))
        return Tally(
            self.answered + len(answered), self.abstained + sum(each.abstained for each in answered), dict(failed)
        )

    @property
    def failures(self) -> int:
        """Rows without a result."""
        return sum(self.failed.values())

    @property
    def rows(self) -> int:
        """All of them."""
        return self.answered + self.failures

    def __str__(self) -> str:
        parts = [f"{self.answered:,} answered"]
        if self.abstained:
            parts.append(f"{self.abstained:,} of them abstained")
        if self.failed:
            codes = ", ".join(f"{count:,} {code}" for code, count in sorted(self.failed.items()))
            parts.append(f"{self.failures:,} failed ({codes})")
        return ", ".join(parts)
