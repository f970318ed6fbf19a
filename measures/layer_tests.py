"""One test a layer, in the form the verdicts read: which layers can speak, which passes, which decides."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from measures.arrays import AnyArray, Bools, Floats
from measures.corrections import family_size
from measures.samples import Values
from measures.verdict import Verdict, insufficient, outcome


class LayerTests:
    """Estimates, p-values, episodes and intervals over layers, or over layers x columns (kept flattened).

    columns: what the second axis is, in words that follow a layer's name; prompts, unless said otherwise. Raises
    ValueError when there is not one entry a test.
    """

    def __init__(
        self,
        estimate: Values,
        p: Values,
        n: AnyArray | int,
        low: Values | None,
        high: Values | None,
        columns: Sequence[str] | None = None,
    ) -> None:
        self.columns = columns
        self.shape = floats(estimate).shape
        self.estimate, self.p = floats(estimate).ravel(), floats(p).ravel()
        blank = np.full(self.estimate.shape, np.nan)
        self.low = blank if low is None else floats(low).ravel()
        self.high = blank if high is None else floats(high).ravel()
        if {len(self.p), len(self.low), len(self.high)} != {len(self.estimate)}:
            raise ValueError("estimates, p-values and intervals must have one entry a test")
        self.n = np.broadcast_to(np.asarray(n), self.shape).ravel()
        self.family = family_size(self.p)

    def usable(self, min_episodes: int) -> Bools:
        """Tests with a result over enough episodes."""
        finite: Bools = np.isfinite(self.estimate) & np.isfinite(self.p)
        enough: Bools = np.greater_equal(self.n, min_episodes)
        return finite & enough

    def nth_best(self, nth: int, usable: Bools, significant: Bools) -> int:
        """Significant ones first, then by estimate."""
        order = np.lexsort((-self.estimate, ~significant, ~usable))
        return int(order[nth - 1])

    def clearest(self, usable: Bools) -> int:
        """The smallest p; among equal ones (Holm makes many 1s) the largest effect."""
        return int(np.lexsort((-np.abs(self.estimate), self.p, ~usable))[0])

    def named(self, index: int) -> str:
        """L7, or L7 under prompt 2 (prompts count from 1), or L7 and the words of the column."""
        if len(self.shape) == 2:
            layer, column = divmod(index, self.shape[1])
            return f"L{layer} {self.columns[column] if self.columns else f'under prompt {column + 1}'}"
        return f"L{index}"

    def words(self, index: int, estimand: str) -> str:
        """The numbers of one test, for a sentence."""
        interval = ""
        if np.isfinite([self.low[index], self.high[index]]).all():
            interval = f" [{self.low[index]:.3g}, {self.high[index]:.3g}]"
        numbers = (
            f"{estimand} {self.estimate[index]:.3g}{interval}, p = {self.p[index]:.3g}, n = {self.n[index]}"
        )
        return f"{self.named(index)}, has {numbers}"

    def verdict(self, met: bool, index: int, because: str) -> Verdict:
        """The verdict with the numbers of the test that decides."""
        columns = (self.estimate, self.low, self.high, self.p)
        estimate, low, high, p = (float(column[index]) for column in columns)
        return Verdict(outcome(met), estimate, low, high, int(self.n[index]), self.family, because, p)

    def insufficient(self, usable: Bools, min_episodes: int, wanted: int, where: str = "layers") -> Verdict:
        """Not enough tests over enough episodes."""
        most = int(self.n.max(initial=0))
        because = (
            f"{count(usable)} {where} have a test over at least {min_episodes} episodes, {wanted} needed; "
            f"the most episodes in a test are {most}"
        )
        return insufficient(most, self.family, because)


def floats(values: Values) -> Floats:
    return np.asarray(values, dtype=np.float64)


def count(flags: AnyArray) -> int:
    return int(np.count_nonzero(flags))


def listed(flags: AnyArray) -> str:
    """' (L3, L7)', or nothing when no layer is meant."""
    found = ", ".join(f"L{layer}" for layer in np.flatnonzero(flags))
    return f" ({found})" if found else ""


def span(layers: Sequence[int]) -> str:
    """Consecutive layers by their first and last: 'L5 to L10', or 'L2' for one alone."""
    return f"L{layers[0]}" if len(layers) == 1 else f"L{layers[0]} to L{layers[-1]}"
