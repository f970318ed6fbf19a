"""Marts of many episodes, made from those of a few: rows an episode are copied, frames are not."""

from __future__ import annotations

from pathlib import Path

import duckdb

COPIED = ("episodes", "object_attention_by_episode", "modality_balance_by_episode")


def multiply(warehouse: Path, copies: int) -> None:
    """Add `copies` - 1 of every episode; lifts rise with the number of the copy, tasks and ids carry it."""
    with duckdb.connect(str(warehouse)) as con:
        con.execute("create table copies as select unnest(range(1, $n)) as copy", {"n": copies})
        for mart in COPIED:
            columns = {
                row[0]
                for row in con.execute(
                    "select column_name from information_schema.columns where table_name = $mart",
                    {"mart": mart},
                ).fetchall()
            }
            changed = ["format('{}/{:05d}', episode_id, copies.copy) as episode_id"]
            if "log_lift" in columns:
                changed += [
                    "log_lift + copies.copy / 5000 as log_lift",
                    "lift * exp(copies.copy / 5000) as lift",
                ]
            rows = "where role = 'target' and against = 'own'" if "against" in columns else ""
            con.execute(
                f"insert into marts.{mart} select rows.* replace ({', '.join(changed)}) from marts.{mart} as rows, copies {rows}"
            )
        con.execute("drop table copies")
