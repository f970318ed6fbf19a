"""The rule of every hypothesis in words, and the terms that the pages use. Thresholds are those that `measures` applies."""

from __future__ import annotations

from dataclasses import dataclass

from measures import verdicts, verdicts_causal, verdicts_heads, verdicts_seed
from measures.modality import LINGUISTIC_BELOW, VISUAL_ABOVE

MAIN_CAMERA = "the one with the target in view in the most episodes (ties by name)"
NO_OTHER = "none"
PERMUTATION = "paired by episode, one-sided sign-flip permutation"


@dataclass(frozen=True)
class Rule:
    """One hypothesis: what is estimated, against what, how it is tested, and when it counts as supported."""

    hypothesis: str
    question: str
    estimand: str
    null: str
    test: str
    family: str
    camera: str
    ours: str
    original: str


def rules(alpha: float, fewest: int) -> list[Rule]:
    """Every hypothesis, at this study's level and number of episodes."""
    return [
        *_objects(alpha, fewest),
        _prompts(alpha, fewest),
        *_causes(alpha, fewest),
        *_time_and_heads(alpha, fewest),
        _modality(fewest),
    ]


def _objects(alpha: float, fewest: int) -> list[Rule]:
    return [
        Rule(
            "H1.1", "Does the attention of the instruction's words rest on the object they name?",
            "lift of the target, words to image, mean over heads, by layer; tested is the difference of log lift to the null",
            "the same maps against the target masks of other episodes (centre bias)",
            PERMUTATION, "the layers of the camera, without the last prefix layer; Holm", MAIN_CAMERA,
            f"corrected p < {alpha:g} and mean lift of at least {verdicts.LIFT_NEEDED:g}, together in at least "
            f"{verdicts.LAYERS_NEEDED} layers with {fewest} episodes or more; the number shown is that of the third best layer",
            f"overlap above {verdicts_seed.OVERLAP_NEEDED:g} in at least {verdicts_seed.LAYERS_NEEDED} layers, concentration above "
            f"{verdicts_seed.CONCENTRATION_NEEDED:g} in every middle layer, and Student's p < {alpha:g} (uncorrected, overlap) between "
            "success and failure in some layer",
        ),
        Rule(
            "H1.1b", "Does attention on the target differ between successful and failed episodes?",
            "difference of the target's log lift, success minus failure, by layer; shown as Hedges g", "no difference",
            "Welch's t and a permutation test of episode means (within tasks, where tasks hold both outcomes), both two-sided",
            "the layers of the camera, without the last prefix layer; Holm, each test by itself", MAIN_CAMERA,
            f"both corrected p < {alpha:g} in at least one layer, {fewest} episodes of each outcome; the number shown is that of the layer "
            "where the larger of the two p is smallest",
            f"Student's p < {alpha:g} (uncorrected, overlap) in some layer",
        ),
    ]  # fmt: skip


def _prompts(alpha: float, fewest: int) -> Rule:
    return Rule(
        "H2.1", "Does a changed prompt move attention more than a paraphrase does?",
        "JSD to the baseline's map minus the mean JSD of the paraphrases of the same episode, by layer and prompt; beside it the mass "
        "gained by the newly named object where it is in view",
        "paraphrases: the same object in other words; one with the baseline's own tokens counts as 0", PERMUTATION,
        "the layers and prompts of the camera, without the last prefix layer; Holm", MAIN_CAMERA,
        f"corrected p < {alpha:g} in a middle layer under some prompt, {fewest} episodes or more. Whether the actions move more than under a "
        "paraphrase (same noise) is told beside and changes nothing",
        f"in every middle layer, prompts averaged: L2 above {verdicts_seed.L2_NEEDED:g}, correlation below "
        f"{verdicts_seed.CORRELATION_BELOW:g}, centroid shift above {verdicts_seed.CENTROID_PX_NEEDED:g} px; unreachable where the square "
        "root of twice the number of text rows is not above the L2 that is asked",
    )  # fmt: skip


def _modality(fewest: int) -> Rule:
    low, high = f"{LINGUISTIC_BELOW:g}", f"{VISUAL_ABOVE:g}"
    return Rule(
        "M", "Do the actions attend more to the pictures or to the words?",
        "log of mean visual mass / mean linguistic mass of the action tokens' attention, masses averaged over layers, last denoising step kept",
        f"none: bands, visual above {high}, linguistic below {low}, balanced between", "95 % BCa bootstrap interval over episodes",
        "no test, no correction", "all cameras together",
        f"the whole interval lies in the visual or in the linguistic band, {fewest} episodes or more; inside the balanced band neither leads",
        f"the mean of the ratios is above {high} or below {low}; no interval",
    )  # fmt: skip


def _causes(alpha: float, fewest: int) -> list[Rule]:
    enough = f"corrected p < {alpha:g}, and the difference exceeds the noise floor, in some test with {fewest} episodes or more"
    floor = "as much covered or cut elsewhere; the noise floor is the error between two noises on the same picture"
    return [
        Rule(
            "H2.2", "Can the model say what it sees?", "accuracy of its answers minus that of always giving the most frequent right answer",
            "no difference", "95 % BCa interval over episodes", "no correction", NO_OTHER, f"the interval lies above 0, {fewest} episodes or more", NO_OTHER,
        ),
        Rule(
            "H1", "Do the pixels with the most attention matter more to the actions than others?",
            "standardised squared error of the actions with the most attended patches covered, minus that with the same shape covered elsewhere, same noise",
            floor, PERMUTATION, "the layers and fills of a choice of cameras; Holm", "all together, or each by itself", enough,
            f"fidelity (MSE of high minus MSE of low pixels) above 0 with a one-sided paired p < {alpha:g}, uncorrected, in some layer; strong above {verdicts_causal.STRONG_SEED:g}",
        ),
        Rule(
            "H1k", "Does the path from the words to the target carry the actions?",
            "standardised squared error of the actions with attention to some keys cut, minus that with attention to as many patches elsewhere cut",
            floor, PERMUTATION, "the cuts and layers; Holm", "all", enough, NO_OTHER,
        ),
    ]  # fmt: skip


def _time_and_heads(alpha: float, fewest: int) -> list[Rule]:
    return [
        Rule(
            "H3", "Does attention move in the course of an episode?",
            "mass share of the target, by layer: of the words, last third minus first third of the episode; of the actions at the last denoising step kept, "
            "its slope over the action tokens", "no change",
            "paired by episode, two-sided sign-flip permutation", "the layers and both estimands together; Holm", MAIN_CAMERA,
            f"corrected p < {alpha:g} in some layer by either, {fewest} episodes or more; what is left with the target's area allowed for is told beside and changes nothing", NO_OTHER,
        ),
        Rule(
            "H4", "Do heads specialise?",
            "share of the variance of the target's lift that lies between heads; rank correlation of the heads in two halves of the episodes",
            "head labels exchanged within a layer and an episode", "permutation", "no correction", MAIN_CAMERA,
            f"the permutation's p < {alpha:g} and a rank correlation of at least {verdicts_heads.CORRELATION_NEEDED:g}, {fewest} episodes or more", NO_OTHER,
        ),
    ]  # fmt: skip


GLOSSARY = (
    ("BCa", "Bias-corrected and accelerated bootstrap: an interval from episodes drawn again and again with replacement, corrected for bias and skew."),
    ("Decoy", "A look-alike in the demo's scenes: a toy's shape in the named toy's colour, or the named toy's shape in another colour."),
    ("Hedges g", "Difference of two means in pooled standard deviations, without the bias of small samples; its interval comes from the noncentral t."),
    ("Holm", "A correction for many tests: within a family, the chance of even one false positive stays below alpha."),
    ("JSD", "Jensen-Shannon divergence of two maps, in nats: 0 for equal maps, 0.69 (ln 2) for maps that share nothing."),
    ("Letterbox", "The black bars that make a wide picture square. Patches on them are image tokens without a picture: they count as visual mass, and lift leaves them out."),
    ("Lift", "Share of a camera's attention on an object divided by the share of the picture that it covers: 1 is no preference, 2 twice its area."),
    ("Log lift", "Natural logarithm of the lift: 0 is no preference, 0.69 twice, minus 0.69 half. Differences and tests use it, since ratios are skewed."),
    ("Sink", "A key, often the first token, that takes the attention no other key wants; its mass says nothing about what is looked at."),
    ("Unreachable", "A criterion that no model could meet at this geometry, such as an L2 distance above what so many rows of attention can give."),
    ("Vacuous", "A changed prompt that puts the same tokens into the model as the baseline: stored and never run. A prompt is then left out; a paraphrase counts as a shift of 0."),
)  # fmt: skip
