"""Numbers and sentences as people read them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

MINUS, DASH = "\N{MINUS SIGN}", "\N{EN DASH}"
NONE = "n/a"


def number(value: Any, digits: int = 3) -> str:
    """A number with some significant digits; 'n/a' for what is missing."""
    if value is None or isinstance(value, str):
        return value or NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}".replace("-", MINUS)
    if not math.isfinite(value):
        return NONE
    if value == 0:
        return "0"
    decimals = min(6, max(0, digits - 1 - math.floor(math.log10(abs(value)))))
    text = f"{value:,.{decimals}f}"
    if abs(value) < 1e-4:
        text = f"{value:.{digits - 1}e}"
    return text.replace("-", MINUS)


def percent(value: float | None, digits: int = 2) -> str:
    """A share 0..1 in per cent."""
    return NONE if value is None or not math.isfinite(value) else f"{number(100 * value, digits)} %"


def p_value(p: float | None) -> str:
    """A p-value without its leading zero, never 'p = 0'."""
    if p is None or not math.isfinite(p):
        return NONE
    if p < 0.001:
        return "< .001"
    return "1.00" if p > 0.995 else f"{p:.3f}"[1:] if p < 0.1 else f"{p:.2f}"[1:]


def interval(low: float | None, high: float | None) -> str:
    """'1.2 to 3.4', or why there is none."""
    return "no interval" if low is None or high is None else f"{number(low)} to {number(high)}"


def evidence(low: float | None, high: float | None, n: int) -> str:
    """'95 % interval 1.2 to 3.4; n = 20', or that there is no interval."""
    known = (
        "no interval, too few episodes"
        if low is None or high is None
        else f"95 % interval {interval(low, high)}"
    )
    return f"{known}; n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{number(int(n))}"


def too_few(rows: Sequence[Any], fewest: int) -> str:
    """The sentence that takes back a claim made from fewer episodes than the study asks for."""
    return (
        f" With fewer than {fewest} episodes this decides nothing."
        if any(r["is_small_n"] for r in rows)
        else ""
    )


def plural(n: int, one: str, many: str | None = None) -> str:
    """'1 episode', '3 episodes'."""
    return f"{number(int(n))} {one if n == 1 else many or one + 's'}"


def extent(numbers: Sequence[float]) -> str:
    """'26', or '24 to 26' where they differ."""
    low, high = number(min(numbers)), number(max(numbers))
    return low if low == high else f"{low} to {high}"


def outcome_counts(rows: Sequence[Any]) -> str:
    """'26 successes and 24 to 26 failures': the episodes behind a chart's points, over its layers."""
    names = {"success": ("success", "successes"), "failure": ("failure", "failures")}
    found = []
    for series in dict.fromkeys(r["series"] for r in rows):
        n = [int(r["n"]) for r in rows if r["series"] == series]
        one, many = names.get(series, ("episode", "episodes"))
        found.append(f"{extent(n)} {one if max(n) == 1 else many}")
    return listed(found)


def cut(text: str, length: int) -> str:
    """A text no longer than `length`; what is left off shows as an ellipsis."""
    return text if len(text) <= length else text[: length - 1] + "\N{HORIZONTAL ELLIPSIS}"


def printable(text: str) -> str:
    """One line in which control characters and direction marks are escapes: a name must not move a terminal's cursor."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def short_names(names: Sequence[str], length: int) -> list[str]:
    """Names cut to a length, a number behind those that would be the same: an axis merges equal labels."""
    found: list[str] = []
    for name in names:
        label, again = cut(name, length), 2
        while label in found:
            label, again = f"{cut(name, length)} ({again})", again + 1
        found.append(label)
    return found


def listed(items: Sequence[Any], conjunction: str = "and") -> str:
    """'a, b and c'."""
    texts = [str(item) for item in items]
    if len(texts) < 2:
        return "".join(texts)
    return f"{', '.join(texts[:-1])} {conjunction} {texts[-1]}"


def ranges(numbers: Sequence[int]) -> str:
    """Layers 0, 1, 2, 5 as '0-2 and 5'."""
    runs: list[list[int]] = []
    for n in sorted(set(numbers)):
        if runs and n == runs[-1][-1] + 1:
            runs[-1].append(n)
        else:
            runs.append([n])
    return listed([str(r[0]) if len(r) == 1 else f"{r[0]}{DASH}{r[-1]}" for r in runs])


def layers_named(layers: Sequence[int]) -> str:
    """'layer 3' or 'layers 0-6'."""
    return f"layer{'s' if len(set(layers)) != 1 else ''} {ranges(layers)}"


def brief(value: Any) -> str:
    """As `number`, without zeros at the end: for large print."""
    text = number(value)
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


def sentence(text: str | None) -> str:
    """With a capital at the start and a full stop at the end."""
    text = (text or "").strip()
    return (text[:1].upper() + text[1:] + ("" if text[-1:] in ".!?" else ".")) if text else ""


def view_name(pass_: str, step: int, steps: Sequence[int] = ()) -> str:
    """What looks: the instruction's words (prefix) or the action tokens at a denoising step (suffix)."""
    if pass_ == "prefix":
        return "Words to image"
    known = sorted(s for s in steps if s >= 0)
    where = (
        " (first)"
        if len(known) > 1 and step == known[0]
        else " (last)"
        if known and step == known[-1]
        else ""
    )
    looks = "Actions to image" if pass_ == "suffix" else f"{pass_} to image"
    return looks if step < 0 else f"{looks}, denoising step {step}{where}"


def view_short(pass_: str, step: int) -> str:
    """The same in a word or two, for legends and buttons."""
    looks = {"prefix": "words", "suffix": "actions"}.get(pass_, pass_)
    return looks if step < 0 else f"{looks}, step {step}"
