"""One verdict a run, hypothesis and criteria. The rules are `measures.verdicts` (ours) and `measures.verdicts_seed`;
here their numbers are gathered from the other marts, and each verdict names the query that shows them."""

import math
from importlib import resources
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa

from measures import verdicts, verdicts_causal, verdicts_seed
from measures.verdict import Outcome, Verdict, insufficient, not_applicable

QUESTIONS = {
    "H1.1": "Does the attention of the instruction's words rest on the object they name?",
    "H1.1b": "Does attention on the target differ between successful and failed episodes?",
    "H2.1": "Does a changed prompt move attention more than a paraphrase does?",
    "H2.2": "Can the model say what it sees?",
    "H1": "Do the pixels with the most attention matter more to the actions than others?",
    "H1k": "Does the path from the words to the target carry the actions?",
    "H3": "Does attention move in the course of an episode?",
    "H4": "Do heads specialise?",
    "M": "Do the actions attend more to the pictures or to the words?",
}
NOT_TESTED = "these models do not test it yet"
# Hypothesis -> kind of condition it needs, and what to say of a study without one.
NEEDS = {
    "H3": (None, NOT_TESTED),
    "H4": (None, NOT_TESTED),
}
UNITS = {
    ("H1.1", "ours"): "lift",
    ("H1.1", "seed"): "overlap ratio",
    ("H1.1b", "ours"): "Hedges g of the log lift",
    ("H1.1b", "seed"): "Cohen's d of the overlap ratio",
    ("H2.1", "ours"): "JSD, nats",
    ("H2.1", "seed"): "L2 distance of raw maps",
    ("H2.2", "ours"): "accuracy above the most frequent answer's",
    ("H1", "ours"): "standardised squared error of the actions",
    ("H1", "seed"): "MSE of the actions, squared action units",
    ("H1k", "ours"): "standardised squared error of the actions",
    ("M", "ours"): "visual / linguistic ratio",
    ("M", "seed"): "visual / linguistic ratio",
}
OF_WORDS = (pl.col("pass") == "prefix") & (pl.col("query") == "instruction")
NO_NUMBERS = "verdict_without_numbers"
NOTHING_DONE = "no inference was completed"
SCHEMA = {
    **dict.fromkeys(["run_id", "hypothesis", "criteria", "verdict", "question"], pl.String),
    **dict.fromkeys(["estimate", "low", "high"], pl.Float64),
    "estimate_unit": pl.String, "n": pl.Int64, "family_size": pl.Int64, "camera": pl.String, "because": pl.String,
    "query": pl.String,
}  # fmt: skip


class Marts(NamedTuple):
    """The marts' rows of one run that a verdict may need."""

    objects: pl.DataFrame
    tests: pl.DataFrame
    paired: pl.DataFrame
    shifts: pl.DataFrame
    balance: pl.DataFrame
    occlusions: pl.DataFrame
    experiments: pl.DataFrame
    answers: pl.DataFrame
    queries: pl.DataFrame
    episodes: pl.DataFrame
    conditions: pl.DataFrame
    coverage: pl.DataFrame


def model(dbt: Any, session: Any) -> pa.Table:
    dbt.config(materialized="table")
    marts = Marts(
        objects=dbt.ref("object_attention_by_layer").pl().filter(
            OF_WORDS & (pl.col("outcome") == "all") & (pl.col("role") == "target") & (pl.col("against") == "own")
        ),
        tests=dbt.ref("outcome_tests").pl().filter(OF_WORDS),
        paired=dbt.ref("paired_tests").pl().filter(OF_WORDS | pl.col("pass").is_null()),
        shifts=dbt.ref("prompt_shift_by_episode").pl().filter(OF_WORDS),
        balance=dbt.ref("modality_balance_by_layer").pl().filter(pl.col("outcome") == "all"),
        occlusions=dbt.ref("int_occlusions_compared").pl(),
        experiments=dbt.ref("effects_by_condition").pl(),
        answers=dbt.ref("answers_by_question").pl(),
        queries=dbt.ref("stg_raw__queries").pl().filter((pl.col("pass") == "prefix") & (pl.col("name") == "instruction")),
        episodes=dbt.ref("episodes").pl(),
        conditions=dbt.ref("conditions").pl(),
        coverage=dbt.ref("coverage").pl(),
    )  # fmt: skip
    rows = []
    for run in dbt.ref("runs").order("run_id").pl().iter_rows(named=True):
        of_run = Marts(*(frame.filter(pl.col("run_id") == run["run_id"]) for frame in marts))
        rows += verdict_rows(run, of_run)
    return pl.DataFrame(rows, schema=SCHEMA).with_columns(pl.col(pl.Float64).fill_nan(None)).to_arrow()


def verdict_rows(run: dict[str, Any], marts: Marts) -> list[dict[str, Any]]:
    camera = main_camera(marts)
    found = {
        ("H1.1", "ours"): h1_1(run, marts, camera),
        ("H1.1", "seed"): h1_1_seed(run, marts, camera),
        ("H1.1b", "ours"): h1_1b(run, marts, camera),
        ("H1.1b", "seed"): h1_1b_seed(run, marts, camera),
        ("H2.1", "ours"): h2_1(run, marts, camera),
        ("H2.1", "seed"): h2_1_seed(run, marts, camera),
        ("H2.2", "ours"): h2_2(run, marts),
        ("H1", "ours"): causal(run, marts, "H1", "error_high_minus_control", "occlusion"),
        ("H1", "seed"): h1_seed(run, marts),
        ("H1k", "ours"): causal(run, marts, "H1k", "error_cut_minus_control", "knockout"),
        ("M", "ours"): modality(run, marts),
        ("M", "seed"): modality_seed(run, marts),
    }
    kinds = set(marts.conditions["kind"])
    for hypothesis, (kind, lacking) in NEEDS.items():
        because = NOT_TESTED if kind in kinds else lacking
        found[hypothesis, "ours"] = not_applicable(because)
    return [
        {
            "run_id": run["run_id"],
            "hypothesis": hypothesis,
            "criteria": criteria,
            "question": QUESTIONS[hypothesis],
            "estimate_unit": UNITS.get((hypothesis, criteria)),
            "camera": camera if hypothesis in ("H1.1", "H1.1b", "H2.1") else None,
            "query": query_text(hypothesis, criteria, run["run_id"], camera),
            **verdict._asdict(),
            "verdict": str(verdict.verdict),
        }
        for (hypothesis, criteria), verdict in found.items()
    ]


def h1_1(run: dict[str, Any], marts: Marts, camera: str | None) -> Verdict:
    missing = objects_missing(marts)
    if missing:
        return missing
    of_camera = marts.paired.filter(pl.col("camera") == camera)
    lift = of_camera.filter(pl.col("estimand") == "target_lift")
    tested = of_camera.filter(pl.col("estimand") == "target_log_lift_minus_other_episode")
    if tested.is_empty():
        return not_applicable("there are no masks of other episodes to compare the target's with")
    n_layers = run["n_layers"]
    verdict = verdicts.h1_1(
        over_layers(lift, "estimate", n_layers),
        over_layers(tested, "p_holm", n_layers),
        np.nan_to_num(over_layers(tested, "n_episodes", n_layers)).astype(int),
        over_layers(lift, "low", n_layers),
        over_layers(lift, "high", n_layers),
        min_episodes=run["min_episodes"],
        alpha=run["alpha"],
    )
    return seen_by(camera, verdict)


def h1_1_seed(run: dict[str, Any], marts: Marts, camera: str | None) -> Verdict:
    missing = objects_missing(marts) or outcomes_missing(marts)
    if missing:
        return missing
    counted = ~pl.col("is_last_prefix_layer") & (pl.col("rows") == "max") & (pl.col("camera") == camera)
    layers = marts.objects.filter(counted)
    tests = outcome_tests(marts, camera, "overlap_ratio_seed")
    n_layers = run["n_layers"]
    verdict = verdicts_seed.h1_1(
        over_layers(layers, "mean_overlap_ratio_seed", n_layers),
        over_layers(layers, "mean_attention_concentration_seed", n_layers),
        over_layers(tests, "p_student_seed", n_layers),
        *outcome_counts(tests),
        min_episodes=run["min_episodes"],
        alpha=run["alpha"],
    )
    return seen_by(camera, verdict)


def h1_1b(run: dict[str, Any], marts: Marts, camera: str | None) -> Verdict:
    missing = objects_missing(marts) or outcomes_missing(marts)
    if missing:
        return missing
    tests = outcome_tests(marts, camera, "log_lift")
    columns = ["hedges_g", "p_welch_holm", "p_permutation_holm", "g_low", "g_high"]
    g, p_welch, p_permutation, low, high = (over_layers(tests, name, run["n_layers"]) for name in columns)
    n_success, n_failure = outcome_counts(tests)
    verdict = verdicts.h1_1b(
        g, p_welch, p_permutation, n_success, n_failure, low, high, run["min_episodes"], run["alpha"]
    )
    return seen_by(camera, verdict)


def h1_1b_seed(run: dict[str, Any], marts: Marts, camera: str | None) -> Verdict:
    missing = objects_missing(marts) or outcomes_missing(marts)
    if missing:
        return missing
    tests = outcome_tests(marts, camera, "overlap_ratio_seed")
    verdict = verdicts_seed.h1_1b(
        over_layers(tests, "cohens_d_seed", run["n_layers"]),
        over_layers(tests, "p_student_seed", run["n_layers"]),
        *outcome_counts(tests),
        min_episodes=run["min_episodes"],
        alpha=run["alpha"],
    )
    return seen_by(camera, verdict)


def h2_1(run: dict[str, Any], marts: Marts, camera: str | None) -> Verdict:
    missing = prompts_missing(marts, needs_paraphrases=True)
    if missing:
        return missing
    tested = marts.paired.filter((pl.col("hypothesis") == "H2.1") & (pl.col("camera") == camera))
    actions = marts.paired.filter(pl.col("estimand") == "action_mse_minus_paraphrase")["p_holm"].drop_nulls()
    verdict = prompt_verdict(
        run,
        tested.filter(pl.col("estimand") == "jsd_minus_paraphrase"),
        "JSD above paraphrases (nats)",
        float(actions.min()) if len(actions) else None,  # type: ignore[arg-type]
    )
    gained = tested.filter(pl.col("estimand") == "mass_gain_named")
    gain = prompt_verdict(run, gained, "mass gained by the newly named object")
    if gain.verdict is not Outcome.INSUFFICIENT:
        verdict = verdict._replace(because=f"{verdict.because}. Of the newly named object: {gain.because}")
    return seen_by(camera, verdict)


def prompt_verdict(
    run: dict[str, Any], tested: pl.DataFrame, estimand: str, actions_p: float | None = None
) -> Verdict:
    """The rule over layers x prompts, with the prompts called by their names."""
    prompts = tested["condition_id"].unique().sort().to_list()
    columns = {
        name: np.stack(
            [
                over_layers(tested.filter(pl.col("condition_id") == prompt), name, run["n_layers"])
                for prompt in prompts
            ],
            axis=1,
        )
        if prompts
        else np.full((run["n_layers"], 1), np.nan)
        for name in ("estimate", "p_holm", "n_episodes", "low", "high")
    }
    verdict = verdicts.h2_1(
        columns["estimate"],
        columns["p_holm"],
        np.nan_to_num(columns["n_episodes"]).astype(int),
        columns["low"],
        columns["high"],
        run["min_episodes"],
        run["alpha"],
        estimand,
        actions_p,
    )
    because = verdict.because
    for number, prompt in reversed(list(enumerate(prompts, start=1))):
        because = because.replace(f"under prompt {number}", f"under {prompt}")
    return verdict._replace(because=because)


def h2_1_seed(run: dict[str, Any], marts: Marts, camera: str | None) -> Verdict:
    missing = prompts_missing(marts, needs_paraphrases=False)
    if missing:
        return missing
    shifts = counterfactuals(marts).filter(
        ~pl.col("is_last_prefix_layer") & (pl.col("rows") == "max") & (pl.col("camera") == camera)
    )
    measured = ["l2_distance", "correlation", "centroid_shift_px"]
    # Prompts first, then episodes: the episode is the unit.
    layers = shifts.group_by("layer", "episode_id").agg(pl.col(measured).mean())
    layers = layers.group_by("layer").agg(pl.col(measured).mean())
    l2, correlation, centroid_px = (over_layers(layers, name, run["n_layers"]) for name in measured)
    n_rows = int(marts.queries["n_rows"].max() or 0)  # type: ignore[arg-type]
    n_episodes = shifts["episode_id"].n_unique()
    verdict = verdicts_seed.h2_1(l2, correlation, centroid_px, n_episodes, n_rows, run["min_episodes"])
    return seen_by(camera, verdict)


def causal(run: dict[str, Any], marts: Marts, hypothesis: str, estimand: str, kind: str) -> Verdict:
    """H1 and H1k: every layer, camera and fill, or every cut, is a test of one family."""
    missing = experiment_missing(marts, kind)
    if missing:
        return missing
    tested = marts.paired.filter((pl.col("hypothesis") == hypothesis) & (pl.col("estimand") == estimand))
    if tested.is_empty():
        return nothing_done(marts) or insufficient(0, 0, f"no {kind} was run with a control to compare with")
    noise = marts.experiments.filter(pl.col("condition_kind") == "noise")[
        "mean_mse_standardised"
    ].drop_nulls()
    columns = ["estimate", "p_holm", "low", "high"]
    estimate, p, low, high = (
        tested[name].cast(pl.Float64).fill_null(math.nan).to_numpy() for name in columns
    )
    return verdicts_causal.causal(
        estimate,
        p,
        tested["n_episodes"].to_numpy(),
        [test_name(row) for row in tested.iter_rows(named=True)],
        float(noise.mean()) if len(noise) else None,  # type: ignore[arg-type]
        low,
        high,
        run["min_episodes"],
        run["alpha"],
    )


def test_name(row: dict[str, Any]) -> str:
    layer = "all layers" if row["layer"] is None else f"L{row['layer']}"
    camera = "" if row["camera"] is None else f", camera {row['camera']}"
    return f"{row['condition_id']} ({layer}{camera})"


def h1_seed(run: dict[str, Any], marts: Marts) -> Verdict:
    missing = experiment_missing(marts, "occlusion")
    if missing:
        return missing
    counted = marts.occlusions.filter(
        ~pl.col("is_last_prefix_layer") & (pl.col("fill") == "black") & pl.col("fidelity_seed").is_not_null()
    )
    if counted.is_empty():
        return nothing_done(marts) or not_applicable(
            "the study leaves out the seed's arms, or does not fill with black"
        )
    # Cameras that were covered one at a time count as one episode's mean.
    episodes = counted.group_by("layer", "episode_id").agg(pl.col("fidelity_seed").mean())
    by_layer = {
        layer: frame.sort("episode_id")["fidelity_seed"].to_list()
        for (layer,), frame in episodes.sort("layer").group_by("layer", maintain_order=True)
    }
    return verdicts_causal.fidelity_seed(
        list(by_layer), list(by_layer.values()), run["min_episodes"], run["alpha"]
    )


def h2_2(run: dict[str, Any], marts: Marts) -> Verdict:
    missing = experiment_missing(marts, "vqa")
    if missing:
        return missing
    if marts.answers.is_empty():
        return not_applicable("the model gave no answers that have a known right one")
    best = marts.answers.sort("low", "condition_id", nulls_last=True, descending=[True, False]).row(
        0, named=True
    )
    difference, low, high, accuracy, majority = (
        number(best[name])
        for name in ("mean_difference", "low", "high", "mean_accuracy", "mean_majority_accuracy")
    )
    verdict = verdicts_causal.answers(
        difference, low, high, accuracy, majority, best["n_episodes"], run["min_episodes"]
    )
    return verdict._replace(because=f"{best['condition_id']}: {verdict.because}")


def experiment_missing(marts: Marts, kind: str) -> Verdict | None:
    lacking = {
        "occlusion": "the study has no occlusion",
        "knockout": "the study has no knock-out",
        "vqa": "the study asks the model no questions (vqa)",
    }
    return None if kind in set(marts.conditions["kind"]) else not_applicable(lacking[kind])


def modality(run: dict[str, Any], marts: Marts) -> Verdict:
    average = layers_average(marts)
    if isinstance(average, Verdict):
        return average
    step, min_episodes = average["denoise_step"], run["min_episodes"]
    layers = marts.balance.filter((pl.col("denoise_step") == step) & (pl.col("layer") >= 0)).sort("layer")
    log_ratio, low, high = (number(average[name]) for name in ("log_ratio", "low", "high"))
    layer_low, layer_high = (
        layers[name].cast(pl.Float64).fill_null(math.nan).to_list() for name in ("low", "high")
    )
    verdict = verdicts.modality(
        log_ratio, low, high, average["n_episodes"], layer_low, layer_high, min_episodes
    )
    return at_step(average, verdict)


def modality_seed(run: dict[str, Any], marts: Marts) -> Verdict:
    average = layers_average(marts)
    if isinstance(average, Verdict):
        return average
    mean_ratio = number(average["mean_ratio_seed"])
    return at_step(average, verdicts_seed.modality(mean_ratio, average["n_episodes"], run["min_episodes"]))


def layers_average(marts: Marts) -> dict[str, Any] | Verdict:
    """The layers_avg row of the last denoising step captured: the one next to the actions that are carried out."""
    rows = marts.balance.filter(pl.col("layer") == -1).sort("denoise_step")
    if rows.is_empty():
        return nothing_done(marts) or not_applicable("attention of the action tokens was not captured")
    return rows.row(-1, named=True)


def at_step(average: dict[str, Any], verdict: Verdict) -> Verdict:
    return verdict._replace(
        because=f"at denoising step {average['denoise_step']}, mean over layers: {verdict.because}"
    )


def seen_by(camera: str | None, verdict: Verdict) -> Verdict:
    return verdict._replace(because=f"{camera} camera: {verdict.because}")


def main_camera(marts: Marts) -> str | None:
    """The camera with the target in view in the most episodes, else with the most prompt shifts; ties by name."""
    for frame, n in (
        (marts.objects, pl.col("n_episodes").max()),
        (marts.shifts, pl.col("episode_id").n_unique()),
    ):
        if not frame.is_empty():
            cameras = frame.group_by("camera").agg(n.alias("n")).sort("n", "camera", descending=[True, False])
            return str(cameras["camera"][0])
    return None


def counterfactuals(marts: Marts) -> pl.DataFrame:
    """Shifts under prompts that ask for something else than the baseline does."""
    return marts.shifts.filter((pl.col("condition_kind") == "prompt") & ~pl.col("is_same_object"))


def outcome_tests(marts: Marts, camera: str | None, metric: str) -> pl.DataFrame:
    return marts.tests.filter((pl.col("camera") == camera) & (pl.col("metric") == metric))


def outcome_counts(tests: pl.DataFrame) -> tuple[int, int]:
    """Successes and failures in the layer that has the fewest: a verdict over layers is only as good as that."""
    if tests.is_empty():
        return 0, 0
    fewest = tests.sort(pl.min_horizontal("n_success", "n_failure")).row(0, named=True)
    return int(fewest["n_success"]), int(fewest["n_failure"])


def nothing_done(marts: Marts) -> Verdict | None:
    return None if marts.coverage["n_ok"].sum() else insufficient(0, 0, NOTHING_DONE)


def objects_missing(marts: Marts) -> Verdict | None:
    if not marts.objects.is_empty():
        return None
    return nothing_done(marts) or not_applicable(
        "no masks of the instruction's object with attention of its words"
    )


def outcomes_missing(marts: Marts) -> Verdict | None:
    if marts.episodes["outcome"].is_null().all():
        return not_applicable("the data set does not say which episodes succeeded")
    return None


def prompts_missing(marts: Marts, needs_paraphrases: bool) -> Verdict | None:
    kinds = set(marts.conditions["kind"])
    if "prompt" not in kinds:
        return not_applicable("the study has no changed prompts")
    if needs_paraphrases and "paraphrase" not in kinds:
        return not_applicable("the study has no paraphrases to compare with")
    if counterfactuals(marts).is_empty():
        return nothing_done(marts) or insufficient(0, 0, "no changed prompt gave a map to compare")
    return None


def over_layers(frame: pl.DataFrame, column: str, n_layers: int) -> np.ndarray:
    """The column as [n_layers], NaN where a layer has no row or no number."""
    values = np.full(n_layers, np.nan)
    for layer, value in frame.select("layer", pl.col(column).cast(pl.Float64)).iter_rows():
        if 0 <= layer < n_layers:
            values[layer] = number(value)
    return values


def number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def query_text(hypothesis: str, criteria: str, run_id: str, camera: str | None) -> str:
    """The query of sql/queries that shows the numbers, after the variables it reads: for people to paste."""
    folder = resources.files("sql") / "queries"
    name = f"verdict_{hypothesis}_{criteria}".lower().replace(".", "_")
    if not (folder / f"{name}.sql").is_file():
        name = NO_NUMBERS
    text = (folder / f"{name}.sql").read_text(encoding="utf-8")
    variables = {"run_id": run_id, "camera": camera or ""}
    used = [key for key in variables if f"getvariable('{key}')" in text]
    settings = [f"set variable {key} = {literal(variables[key])};" for key in used]
    return "\n".join([*settings, text.strip()])


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
