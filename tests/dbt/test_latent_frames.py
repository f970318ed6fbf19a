"""The balance of a policy that reads latent frames in one softmax and words in another, against its own rows."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import numpy as np
import polars as pl
import pytest

from tests.dbt.frames import assert_same_rows
from tests.dbt.synthetic import LATENT, ROOT, tables
from tests.dbt.synthetic_latents import ROWS_OF_A_FRAME

KEYS = ["episode_id", "frame_index", "denoise_step", "layer"]
WRIST, STATE = 2, 1  # of OPTIONS: the seed's frames of vision and of text
VISUAL, STATES, ACTION, OTHER = [2, 3, 6, 7], [1, 5], [4], [0, 8]


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    """Masses [n] with what they are of, of the inferences that count."""
    out = tables(replace(LATENT, rng=np.random.default_rng(LATENT.seed)))
    counted = {
        row["inference_id"]: (row["episode_id"], row["frame_index"])
        for row in out["inferences"]
        if row["status"] == "ok" and row["noise_index"] == 0
    }
    return pl.DataFrame(
        [
            dict(zip(KEYS[:2], counted[row["inference_id"]], strict=True))
            | {name: row[name] for name in ("denoise_step", "layer", "pass", "query_index", "masses")}
            for row in out["attention_masses"]
            if row["inference_id"] in counted
        ]
    )


def mass(regions: list[int]) -> pl.Expr:
    return sum((pl.col("masses").list.get(region).cast(pl.Float64) for region in regions), pl.lit(0.0)).mean()


def found(warehouse: duckdb.DuckDBPyConnection, mart: str, *columns: str) -> pl.DataFrame:
    return warehouse.table(f"marts.{mart}").pl().filter(pl.col("run_id") == LATENT.run_id).select(*columns)


def test_masses_of_frames_and_of_words_stand_apart(
    warehouse: duckdb.DuckDBPyConnection, rows: pl.DataFrame
) -> None:
    of_action = rows.filter(pl.col("query_index") == 0)
    frames = of_action.filter(pl.col("pass") == "denoise").group_by(KEYS).agg(
        visual_mass=mass(VISUAL), state_mass=mass(STATES), action_mass=mass(ACTION), other_mass=mass(OTHER)
    )  # fmt: skip
    words = of_action.filter(pl.col("pass") == "cross").group_by(KEYS).agg(
        cross_text_mass=mass([0, 1]), cross_pad_mass=mass([2])
    )  # fmt: skip
    expected = frames.join(words, on=KEYS)
    steps = found(warehouse, "modality_balance_by_step", *expected.columns).filter(pl.col("layer") >= 0)
    assert len(steps) == 7 * 2 * 2 * 2
    assert_same_rows(steps, expected)


def test_no_share_of_one_softmax_is_set_against_one_of_the_other(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    undefined = ("linguistic_mass", "visual_fraction", "linguistic_fraction", "ratio", "log_ratio")
    steps = found(warehouse, "modality_balance_by_step", *undefined, "total_mass", "density_lift_linguistic")
    assert steps.select(*undefined, "density_lift_linguistic").null_count().row(0) == (len(steps),) * 6
    assert steps["total_mass"].to_numpy() == pytest.approx(1, abs=1e-5)
    rows = warehouse.table("marts.hypothesis_verdicts").pl().filter(pl.col("run_id") == LATENT.run_id)
    (ours,) = rows.filter((pl.col("hypothesis") == "M") & (pl.col("criteria") == "ours")).to_dicts()
    assert ours["verdict"] == "not applicable"
    assert "cross-attention of its own" in ours["because"]


def test_the_seeds_ratio_is_between_the_frames_of_the_study(
    warehouse: duckdb.DuckDBPyConnection, rows: pl.DataFrame
) -> None:
    """Sums over the rows of the query frame, here that of the last current picture."""
    of_query = rows.filter((pl.col("pass") == "denoise") & (pl.col("query_index") == 2))
    per_layer = of_query.group_by(KEYS).agg(
        visual=mass([WRIST]) * ROWS_OF_A_FRAME, text=mass([STATE]) * ROWS_OF_A_FRAME
    )
    expected = per_layer.select(*KEYS, ratio_seed=pl.col("visual") / pl.col("text"))
    steps = found(warehouse, "modality_balance_by_step", *expected.columns)
    assert_same_rows(steps.filter(pl.col("layer") >= 0), expected)
    averaged = expected.group_by("episode_id", "frame_index", "denoise_step").agg(pl.col("ratio_seed").mean())
    assert_same_rows(steps.filter(pl.col("layer") == -1).drop("layer"), averaged)


def test_the_seeds_query_tells_the_same_masses(
    warehouse: duckdb.DuckDBPyConnection, rows: pl.DataFrame
) -> None:
    told = warehouse.sql((ROOT / "sql" / "queries" / "frame_ratio_seed.sql").read_text()).pl()
    of_query = rows.filter((pl.col("pass") == "denoise") & (pl.col("query_index") == 2))
    expected = of_query.group_by(KEYS).agg(
        visual_mass=mass([WRIST]) * ROWS_OF_A_FRAME, text_mass=mass([STATE]) * ROWS_OF_A_FRAME
    )
    assert_same_rows(told.select(expected.columns), expected)
    fractions = told["visual_fraction_seed"] + told["linguistic_fraction_seed"]
    assert fractions.to_numpy() == pytest.approx(1)
