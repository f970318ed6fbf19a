"""Diagnoses in sentences: the numbers behind an answer, what attention says, and whether the two agree."""

from __future__ import annotations

import math
from collections.abc import Iterable

from measures.diagnosis import INSUFFICIENT, NONE, RELEVANT_SHARE, UNDECIDED, Reading
from sql.diagnosis_tables import CUTS, NULL_WORDS, Row

QUESTIONS = {
    "prompt": "Does the prompt control the actions?",
    "camera": "Which camera do the actions depend on most?",
    "object": "Which object do the actions depend on most?",
    "actions_to_object": "By the action tokens' own attention, which object do the actions depend on most?",
    "words_to_object": "By the words' attention, which object do the actions depend on most?",
}
WHOSE = dict.fromkeys(QUESTIONS, "the action tokens'") | {"words_to_object": "the words'"}
"""Whose attention is asked beside the actions."""
MARGIN = f"the noise's margin ({RELEVANT_SHARE:.0%} of the variance that it and another noise make)"
LEADING = (
    "the answer is the largest cause and those not shown to be smaller within episodes (sign flips, Holm)"
)
RULES = {
    "prompt": f"yes: changed prompts move the actions more than paraphrases and than {MARGIN} (larger p of the two < "
    "alpha); no: the 95 % interval lies below one of them",
    "camera": f"a cause: covering all that a camera shows moves the actions more than {MARGIN} (p < alpha, Holm "
    f"over cameras); {LEADING}; none: the 95 % interval lies below the margin for every camera",
    "object": f"a cause: covering the object moves the actions more than covering as much elsewhere and than {MARGIN} "
    f"(larger p of the two < alpha, Holm over objects); {LEADING}; none: the 95 % interval lies below one of them for every object",
} | {
    question: f"a cause: cutting {WHOSE[question]} attention on the object in all layers moves the actions more than cutting "
    f"as many patches elsewhere and than {MARGIN} (larger p of the two < alpha, Holm over objects); {LEADING}; none: the 95 % "
    "interval lies below one of them for every object"
    for question in CUTS
}
NOT_ASKED = {
    "prompt": "the study has no changed prompts (conditions.prompts)",
    "camera": "the study covers no whole picture of a camera (conditions.occlusion.regions: box [0, 0, 1, 1])",
    "object": "the study covers no object (conditions.occlusion.regions)",
} | {
    question: f"the study cuts {WHOSE[question]} attention on no object in all layers (conditions.knockout: queries {query}, "
    "keys object:...)"
    for question, query in zip(CUTS, ("action", "instruction"), strict=True)
}
NO_CANDIDATE = "no such change was run"
READINGS = {
    Reading.CAUSE: "a cause",
    Reading.NO_CAUSE: "no cause",
    Reading.UNDECIDED: "undecided",
    Reading.INSUFFICIENT: "not decided",
}


def because(question: str, tests: list[Row]) -> str:
    """The numbers of every candidate, the strongest first."""
    ordered = sorted(
        tests,
        key=lambda row: (-(-math.inf if row["estimate"] is None else row["estimate"]), row["candidate"]),
    )
    return "; ".join(one_candidate(question, row) for row in ordered)


def one_candidate(question: str, row: Row) -> str:
    what = "changed prompts" if question == "prompt" else change(question, row["candidate"])
    reading = READINGS[Reading(row["reading"])]
    if row["p_behind"] is not None:
        reading += f", compared with the largest p = {row['p_behind']:.2g}"
    if row["estimate"] is None:
        return f"{what}: {reading}, {row['reason']}"
    return (
        f"{what}: error {row['mean_error']:.3g}{share(row)}, {excess(question, row)}: {reading}"
        + f" ({row['reason']})" * bool(row["reason"])
    )


def change(question: str, candidate: str) -> str:
    return (
        f"cutting {WHOSE[question]} attention on {candidate}" if question in CUTS else f"covering {candidate}"
    )


def excess(question: str, row: Row) -> str:
    """The number of a candidate, with its interval and what it is above."""
    interval = "" if row["low"] is None else f" [{row['low']:.3g}, {row['high']:.3g}]"
    p = "" if row["p_holm"] is None else f", p = {row['p_holm']:.2g}"
    null = NULL_WORDS[question, row["stricter_null"]]
    return f"{row['estimate']:.3g}{interval} above {null}{p}, n = {row['n_episodes']}"


def share(row: Row) -> str:
    part = row["share_of_variance"]
    return "" if part is None or math.isnan(part) else f" ({part:.0%} of it and the noise's)"


def lifts(question: str, tests: list[Row]) -> str:
    """What the action tokens, or the words, attend to, against what even attention would give."""
    known = [row for row in tests if row["attention_log_lift"] is not None]
    if not known:
        return f"none of {WHOSE[question]} attention on them was kept"
    known.sort(key=lambda row: -row["attention_log_lift"])
    return f"lift of {WHOSE[question]} attention: " + ", ".join(one_lift(row) for row in known)


def one_lift(row: Row) -> str:
    interval = (
        ""
        if row["attention_low"] is None
        else f" [{math.exp(row['attention_low']):.3g}, {math.exp(row['attention_high']):.3g}]"
    )
    return f"{row['candidate']} {math.exp(row['attention_log_lift']):.3g}{interval}"


def told(question: str, answer: str, attention: str, is_other: bool | None, candidates: Iterable[str]) -> str:
    """One sentence on answer and attention together; of objects, it says among which: those that were not covered may
    draw as much attention."""
    if is_other is None:
        silent = (
            "the actions give" if answer in (UNDECIDED, INSUFFICIENT, "not applicable") else "attention gives"
        )
        return f"Not compared: {silent} no answer."
    if question == "prompt":
        return PROMPTS[answer, is_other]
    if question in CUTS:
        return told_of_cut(WHOSE[question], answer, attention, is_other, candidates)
    if not is_other and answer == NONE:
        return f"Attention and actions agree: no {question} stands out."
    among = f"Of {listed(candidates)}, attention" if question == "object" else "Attention"
    if not is_other:
        return f"{among} singles out {attention}, and the actions depend most on {answer}."
    singled = f"no {question}" if attention == NONE else attention
    depend = f"on none of the {question}s that were covered" if answer == NONE else f"most on {answer}"
    return f"{among} singles out {singled}, but the actions depend {depend}."


def told_of_cut(whose: str, answer: str, attention: str, is_other: bool, candidates: Iterable[str]) -> str:
    singled = "no object" if attention == NONE else attention
    begins = (
        f"Of {listed(candidates)}, {whose} attention singles out {singled}, {'but' if is_other else 'and'}"
    )
    if answer == NONE:
        return f"{begins} cutting it moves the actions no more than what should not matter."
    return f"{begins} cutting it from {answer} moves the actions{' most' if is_other else ''}."


def paths(covered: Iterable[Row], cuts: dict[str, list[Row]]) -> str:
    """Whether attention carries what covering an object does: a sentence for each covered object that the study also cuts
    attention from and of which either is a cause. ``cuts``: question -> its tests.
    """
    found = {(question, row["candidate"]): row for question, rows in cuts.items() for row in rows}
    told = (
        path_of(row, {question: found.get((question, row["candidate"])) for question in CUTS})
        for row in covered
    )
    return " ".join(one for one in told if one)


def path_of(covered: Row, cuts: dict[str, Row | None]) -> str:
    """No link that is cut alone and does nothing is needed; what another, uncut path brings may still be the same."""
    name = covered["candidate"]
    read = {question: row["reading"] for question, row in cuts.items() if row is not None}
    numbers = {question: shown(question, row) for question, row in cuts.items() if row is not None}
    if covered["reading"] == Reading.CAUSE:
        return " ".join(
            CARRIED[read[cut]].format(WHOSE[cut], name, numbers[cut]) for cut in CUTS if cut in read
        )
    return " ".join(
        f"Covering {name} is {READINGS[Reading(covered['reading'])]}, yet cutting {WHOSE[cut]} attention on it moves the actions "
        f"({numbers[cut]}): a cut also hands its share of the attention to other keys."
        for cut in CUTS
        if read.get(cut) == Reading.CAUSE
    )


def shown(question: str, row: Row) -> str:
    return row["reason"] if row["estimate"] is None else excess(question, row)


CARRIED = {
    Reading.CAUSE: "Cutting {0} attention on {1} moves the actions too ({2}): this link carries what {1} shows.",
    Reading.NO_CAUSE: "Cutting {0} attention on {1} moves the actions no more than what should not matter ({2}): what {1} shows reaches them "
    "by another path.",
    Reading.UNDECIDED: "Whether {0} attention on {1} carries it is undecided ({2}).",
    Reading.INSUFFICIENT: "Whether {0} attention on {1} carries it is not decided ({2}).",
}
"""Of an object that is a cause when it is covered: what cutting attention from it adds."""


def listed(names: Iterable[str]) -> str:
    """'a alone', 'a and b', 'a, b and c', in the order of the alphabet."""
    *first, last = sorted(set(names))
    return f"{', '.join(first)} and {last}" if first else f"{last} alone"


PROMPTS = {
    ("yes", False): "The words' attention moves with the prompt, and so do the actions.",
    ("no", False): "Neither the words' attention nor the actions move with the prompt.",
    (
        "yes",
        True,
    ): "The words' attention is not shown to move with the prompt, but the actions are controlled by it.",
    ("no", True): "The words' attention moves with the prompt, but the prompt does not control the actions.",
}
