"""The seed's paired t-test of its fidelity, high arm against low arm, layer by layer: `measures.paired.paired_t`."""

from typing import Any

import polars as pl

from measures.paired import paired_t

KEYS = ["run_id", "layer", "camera", "fill"]
SCHEMA = {
    **{"run_id": pl.String, "layer": pl.Int32, "camera": pl.String, "fill": pl.String},
    **{"n": pl.Int64, "t_seed": pl.Float64, "p_seed": pl.Float64},
}


def model(dbt: Any, session: Any) -> pl.DataFrame:
    dbt.config(materialized="table")
    episodes = dbt.ref("int_occlusions_compared").pl().drop_nulls("fidelity_seed").sort(*KEYS, "episode_id")
    rows = []
    for key, group in episodes.group_by(KEYS, maintain_order=True):
        test = paired_t(group["fidelity_seed"].to_list())
        rows.append((*key, test.n, test.statistic, test.p_value))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row").with_columns(pl.col(pl.Float64).fill_nan(None))
