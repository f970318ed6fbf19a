"""Do the heads of a layer differ, and do they keep their order: shares of variance, exchanges of heads, split halves."""

import json
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from measures import corrections
from measures.specialisation import Specialisation, specialisations
from measures.split_half import split_half

ALL_LAYERS = -1
KEYS = ["run_id", "measure", "pass", "denoise_step", "query", "camera"]
SCHEMA = {
    "layer": pl.Int64, "share_between_heads": pl.Float64, "low": pl.Float64, "high": pl.Float64, "p": pl.Float64,
    "p_holm": pl.Float64, "family_size": pl.Int64, "split_half_correlation": pl.Float64,
    "rank_correlation": pl.Float64, "n_episodes": pl.Int64, "n_heads": pl.Int64, "is_small_n": pl.Boolean,
    "reason": pl.String, "settings": pl.String,
}  # fmt: skip


class Group(NamedTuple):
    """A measure's heads: its keys, what the study says of it, values [episodes, layers, heads], layers, heads a layer."""

    keys: dict[str, Any]
    first: dict[str, Any]
    values: NDArray[np.float64]
    layers: list[int]
    n_heads: int


def model(dbt: Any, session: Any) -> pl.DataFrame:
    dbt.config(materialized="table")
    episodes = dbt.ref("int_head_values_listed").pl().sort(*KEYS, "episode_id")
    schema = {name: episodes.schema[name] for name in KEYS} | SCHEMA
    groups = [
        Group(dict(zip(KEYS, key, strict=True)), group.row(0, named=True), *heads_of(group))
        for key, group in episodes.group_by(KEYS, maintain_order=True)
    ]
    found_of = specialisations([group.values for group in groups], [group.first["seed"] for group in groups])
    rows = [
        group.keys | row
        for group, found in zip(groups, found_of, strict=True)
        for row in compare(group, found)
    ]
    found = pl.DataFrame(rows, schema=schema)
    return found.with_columns(pl.col(pl.Float64).fill_nan(None))


def compare(group: Group, found: Specialisation) -> list[dict[str, Any]]:
    """One row a layer, and one over all of them."""
    first, values, layers, n_heads = group[1:]
    # Heads of all layers in one ranking, as head_ranking has them.
    ranks = split_half(values.reshape(len(values), -1), seed=first["seed"])
    by_layer = found.p_value[:-1]
    settings = {
        "seed": found.seed,
        "n_permutations": found.n_permutations,
        "n_splits": ranks.n_splits,
        "alpha": first["alpha"],
        "min_episodes": first["min_episodes"],
    }
    shared = {
        "n_episodes": found.n_episodes,
        "n_heads": n_heads,
        "is_small_n": found.n_episodes < first["min_episodes"],
        "settings": json.dumps(settings, sort_keys=True),
    }
    rows = [
        {
            "layer": layer,
            "share_between_heads": found.share[index],
            "p": found.p_value[index],
            "p_holm": corrected,
            "family_size": corrections.family_size(by_layer),
            "reason": found.reason or (None if np.isfinite(found.share[index]) else "no variance"),
            **shared,
        }
        for index, (layer, corrected) in enumerate(zip(layers, corrections.holm(by_layer), strict=True))
    ]
    together = {
        "layer": ALL_LAYERS,
        "share_between_heads": found.share[-1],
        "low": found.low,
        "high": found.high,
        "p": found.p_value[-1],
        "p_holm": found.p_value[-1],
        "family_size": 1,
        "split_half_correlation": found.split_half,
        "rank_correlation": ranks.correlation,
        "reason": found.reason,
        **shared,
    }
    return [together, *rows]


def heads_of(group: pl.DataFrame) -> tuple[NDArray[np.float64], list[int], int]:
    """[episodes, layers, heads], NaN where an episode lacks a head; the layers, and how many heads each has."""
    cells = group.explode("layers", "heads", "head_values")
    layers, heads = (cells[name].unique().sort().to_list() for name in ("layers", "heads"))
    values = np.full((len(group), len(layers), len(heads)), np.nan)
    episode = cells.select(pl.col("episode_id").rle_id()).to_series().to_numpy()
    at = (
        episode,
        np.searchsorted(layers, cells["layers"].to_numpy()),
        np.searchsorted(heads, cells["heads"].to_numpy()),
    )
    values[at] = cells["head_values"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return values, layers, len(heads)
