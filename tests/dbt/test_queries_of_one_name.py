"""A word that is said twice has two queries of one name; with `profile: full` both have maps, and marts keep them apart."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from tests.ingest.world import cli, make_world


@pytest.mark.slow
def test_a_word_said_twice_can_be_published(tmp_path: Path) -> None:
    sections = {
        "capture": {"profile": "full", "passes": ["prefix"]},
        "conditions": {"prompts": {"twice": "pick the cube by the duck"}},
        "episodes": {"root": str(tmp_path / "episodes"), "keyframes": {"first": 1}},
    }
    world = make_world(tmp_path, sections, count=2, instructions=("put the duck by the cube",))
    assert world.run().is_complete

    ended = cli("publish", "--lake", world.lake, "--warehouse", tmp_path / "w.duckdb")

    assert ended.code == 0, ended.err
    with duckdb.connect(str(tmp_path / "w.duckdb"), read_only=True) as connection:
        for mart in ("frame_metrics", "frame_gallery"):
            found = connection.sql(
                f"select count(distinct query_index) from marts.{mart} where query = 'word:the'"
            ).fetchall()
            assert found == [(2,)], mart
