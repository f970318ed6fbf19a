"""Words on objects: the mart against polars, from the raw lists."""

from __future__ import annotations

import duckdb
import polars as pl
import pytest

from tests.dbt.synthetic import CATEGORIES, PLANTED
from tests.dbt.test_episode_means import mart, raw


def test_lift_of_words_is_a_mean_of_frame_means(warehouse: duckdb.DuckDBPyConnection) -> None:
    """By hand: object 1 of query 2 (a piece of no name) and of queries 3 and 4 (the pieces of 'duck')."""
    baselines = raw(warehouse, "inferences").filter(
        (pl.col("condition_id") == "baseline:baseline") & (pl.col("noise_index") == 0)
    )
    episode = baselines["episode_id"][0]
    masses = (
        raw(warehouse, "attention_masses")
        .join(baselines.filter(pl.col("episode_id") == episode), on="inference_id")
        .filter((pl.col("pass") == "prefix") & (pl.col("layer") == 1))
    )
    roles = raw(warehouse, "objects").filter(pl.col("episode_id") == episode)
    for query_indices, word, named in (((2,), "the", False), ((3, 4), "duck", True)):
        for role in ("target", "distractor"):
            shares = []
            for frame in masses["frame_index"].unique():
                rows = masses.filter(
                    (pl.col("frame_index") == frame) & pl.col("query_index").is_in(query_indices)
                )
                members = roles.filter((pl.col("frame_index") == frame) & (pl.col("role") == role))
                image = sum(row[0] for row in rows["masses"]) / len(rows)
                each = [
                    sum(row[index] for row in rows["object_masses"]) / len(rows) / image
                    for index in members["object_index"]
                ]
                shares.append(sum(each) / len(each))
            expected = sum(shares) / len(shares)
            found = mart(warehouse, "word_object_attention").row(
                by_predicate=(pl.col("episode_id") == episode)
                & (pl.col("layer") == 1)
                & (pl.col("word") == word)
                & (pl.col("role") == role),
                named=True,
            )
            assert found["n_frames"] == PLANTED.n_frames
            assert found["mass_share"] == pytest.approx(expected, rel=1e-5)
            # Each object covers one of the camera's 12 patches with picture.
            assert found["lift"] == pytest.approx(expected * 12, rel=1e-5)
            is_ducks = CATEGORIES[0] == "duck" and episode.endswith("000")
            assert found["names_target"] is (named and is_ducks)


@pytest.mark.parametrize(
    ("word", "named", "expected"),
    [
        ("duck", "duck", True),
        ("Ducks,", "duck toy", True),
        ("duck", "ducks", True),
        ("toy", "duck toy", True),
        ("duckling", "duck", False),
        ("the", "duck", False),
        ("утку", "утку", True),
        ("duck", None, False),
        ("", "duck", False),
    ],
)
def test_words_that_name_an_object(word: str, named: str | None, expected: bool) -> None:
    from tests.dbt.macros import rendered

    query = rendered("names_object", "$word", "$named")
    with duckdb.connect() as connection:
        assert connection.execute(f"select {query}", {"word": word, "named": named}).fetchone() == (expected,)
