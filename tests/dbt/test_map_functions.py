"""The functions on maps that lie in the warehouse say what `measures`, numpy and scipy say, in every client."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from scipy.spatial.distance import cosine
from scipy.stats import pearsonr

from ingest.publish import place_to_build
from measures.maps import centroid
from measures.shift import map_shift
from tests.dbt.conftest import Build, Places, dbt

GRIDS = (16, 14, 8, 2)
PAIRS = ("map_l2", "map_correlation", "map_cosine")
NAN, INFINITY = float("nan"), float("inf")


def asked(connection: duckdb.DuckDBPyConnection, function: str, *lists: object) -> Any:
    given = ", ".join("?" for _ in lists)
    ((found,),) = connection.execute(f"select marts.{function}({given})", list(lists)).fetchall()
    return found


def random_maps(grid: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    maps = rng.random((2, 30, grid * grid)) ** 6 * 10.0 ** rng.integers(-20, 1, (2, 30, 1))
    return maps[0].astype(np.float32), maps[1].astype(np.float32)


@pytest.mark.parametrize("grid", GRIDS)
def test_random_maps_have_the_numbers_of_the_measures(
    grid: int, warehouse: duckdb.DuckDBPyConnection
) -> None:
    here, there = random_maps(grid, seed=grid)
    expected = map_shift(here, there, grid)
    centres = centroid(here, grid, grid, 224 // grid)
    rows = warehouse.execute(
        """
        select
            marts.map_l2(here, there),
            marts.map_correlation(here, there),
            marts.map_cosine(here, there),
            marts.map_l2(marts.map_centroid(here), marts.map_centroid(there)),
            marts.map_centroid(here)
        from (select unnest($here::float[][]) as here, unnest($there::float[][]) as there)
        """,
        {"here": here.tolist(), "there": there.tolist()},
    ).fetchall()
    l2, correlation, likeness, shift, centre = zip(*rows, strict=True)
    # approx of an absolute 0: the smallest maps are of 1e-20.
    assert l2 == pytest.approx(expected.l2_distance, rel=1e-9, abs=0)
    assert correlation == pytest.approx(expected.correlation, rel=1e-9, abs=1e-12)
    assert shift == pytest.approx(expected.centroid_shift_px, rel=1e-9, abs=1e-10)
    np.testing.assert_allclose(centre, centres, rtol=1e-12)
    for one, other, r, cos in zip(
        here.astype(float), there.astype(float), correlation, likeness, strict=True
    ):
        assert r == pytest.approx(pearsonr(one / one.max(), other / other.max()).statistic, abs=1e-9)
        assert cos == pytest.approx(1 - cosine(one / one.max(), other / other.max()), abs=1e-12)


def test_worked_examples(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert asked(warehouse, "map_l2", [3, 0], [0, 4]) == 5
    assert asked(warehouse, "map_cosine", [1, 0], [1, 1]) == pytest.approx(np.sqrt(0.5))
    assert asked(warehouse, "map_cosine", [1.0, 0.0], [-2.0, 0.0]) == -1
    assert asked(warehouse, "map_correlation", [1, 2, 3], [9, 8, 7]) == pytest.approx(-1)
    assert asked(warehouse, "map_correlation", [1, 2, 3, 4], [1, -1, -1, 1]) == pytest.approx(0)


@pytest.mark.parametrize("patch", [0, 15, 16, 100, 240, 255])
def test_a_single_hot_patch_is_its_own_centre(patch: int, warehouse: duckdb.DuckDBPyConnection) -> None:
    one_hot = np.zeros(256)
    one_hot[patch] = 0.3
    column, row = patch % 16, patch // 16
    assert asked(warehouse, "map_centroid", one_hot.tolist()) == pytest.approx(
        [14 * column + 6.5, 14 * row + 6.5]
    )
    assert asked(warehouse, "map_cosine", one_hot.tolist(), one_hot.tolist()) == 1
    assert asked(warehouse, "map_correlation", one_hot.tolist(), one_hot.tolist()) == pytest.approx(1)
    assert asked(warehouse, "map_l2", one_hot.tolist(), np.roll(one_hot, 1).tolist()) == pytest.approx(
        0.3 * np.sqrt(2)
    )


def test_constant_and_zero_maps(warehouse: duckdb.DuckDBPyConnection) -> None:
    flat, zero, some = [0.1] * 4, [0.0] * 4, [0.1, 0.2, 0.3, 0.4]
    assert asked(warehouse, "map_centroid", flat) == pytest.approx([111.5, 111.5])
    assert asked(warehouse, "map_cosine", flat, flat) == pytest.approx(1)
    assert asked(warehouse, "map_l2", flat, flat) == 0
    assert asked(warehouse, "map_l2", zero, some) == pytest.approx(np.linalg.norm(some))
    for constant in (flat, zero):
        assert asked(warehouse, "map_correlation", constant, some) is None
        assert asked(warehouse, "map_correlation", some, constant) is None
    assert asked(warehouse, "map_cosine", zero, some) is None
    assert asked(warehouse, "map_cosine", some, zero) is None
    assert asked(warehouse, "map_centroid", zero) is None


@pytest.mark.parametrize(
    "no_map",
    [None, [], [0.1], [0.1, 0.2, 0.3], [0.1, None, 0.3, 0.4], [NAN, 0.2, 0.3, 0.4], [0.1] * 3 + [INFINITY]],
)
@pytest.mark.parametrize("function", PAIRS)
def test_what_does_not_fit_has_no_number(
    function: str, no_map: list[float] | None, warehouse: duckdb.DuckDBPyConnection
) -> None:
    some = [0.1, 0.2, 0.3, 0.4]
    assert asked(warehouse, function, some, no_map) is None
    assert asked(warehouse, function, no_map, some) is None


@pytest.mark.parametrize(
    "no_map", [None, [], [0.1] * 6, [0.1, None, 0.1, 0.1], [NAN, 1, 1, 1], [-1, 2, 2, 2]]
)
def test_what_is_no_square_map_of_attention_has_no_centroid(
    no_map: list[float] | None, warehouse: duckdb.DuckDBPyConnection
) -> None:
    assert asked(warehouse, "map_centroid", no_map) is None


def test_one_row_without_a_number_leaves_the_others_theirs(warehouse: duckdb.DuckDBPyConnection) -> None:
    for function in PAIRS:
        found = warehouse.execute(
            f"select marts.{function}(a, b) from (values ([1, 2], [2, 1]), ([1, 2], [2]), (null, [2]), ([0, 3], [3, 0])) as t(a, b)"
        ).fetchall()
        assert [value is None for (value,) in found] == [False, True, True, False], function


def test_columns_may_be_called_as_they_like(warehouse: duckdb.DuckDBPyConnection) -> None:
    """A macro's text stands where it is called: a lambda's parameter of the same name would hide the column."""
    for name in ("whole", "patch", "i", "a", "b", "map", "mean", "mass", "side", "peak"):
        found = warehouse.execute(
            f"select marts.map_correlation({name}, other), marts.map_cosine({name}, other), marts.map_centroid({name}) "
            f"from (select [1.0, 2, 3, 4] as {name}, [4.0, 3, 2, 0] as other)"
        ).fetchone()
        assert found is not None
        assert found[0] == pytest.approx(np.corrcoef([1, 2, 3, 4], [4, 3, 2, 0])[0, 1]), name
        assert found[1] == pytest.approx(1 - cosine([1, 2, 3, 4], [4, 3, 2, 0])), name
        assert found[2] == pytest.approx(centroid([1, 2, 3, 4], 2, 2, 112)), name


def test_they_follow_the_file_through_names_and_copies(build: Build, tmp_path: Path) -> None:
    renamed = shutil.copy(build.warehouse, tmp_path / "another.duckdb")
    with duckdb.connect(str(renamed), read_only=True) as connection:
        assert asked(connection, "map_l2", [3, 0], [0, 4]) == 5
        comments = connection.execute(
            "select function_name, comment from duckdb_functions() where schema_name = 'marts' order by all"
        ).fetchall()
    assert [name for name, _ in comments] == ["map_centroid", "map_correlation", "map_cosine", "map_l2"]
    assert all(comment for _, comment in comments)
    with duckdb.connect() as connection:
        connection.execute(f"attach '{renamed}' as lent (read_only)")
        found = connection.execute(
            "select lent.marts.map_l2(lent.marts.map_centroid([1, 0, 0, 0]), lent.marts.map_centroid([0, 1, 0, 0])), "
            "lent.marts.map_cosine([1, 2], [2, 4]), lent.marts.map_correlation([1, 2], [2, 4])"
        ).fetchone()
    assert found == pytest.approx((112, 1, 1))


def test_any_dbt_run_makes_them_where_they_are_missing(build: Build, places: Places) -> None:
    """As in a warehouse of an older version."""
    older = Build(place_to_build(places.own / "w.duckdb"), places.own / "target")
    shutil.copy(build.warehouse, older.warehouse)
    with duckdb.connect(str(older.warehouse)) as connection:
        connection.execute("drop macro marts.map_cosine")
        connection.execute("create or replace macro marts.map_l2(a, b) as -1")
    dbt(older, "--select", "conditions")
    with duckdb.connect(str(older.warehouse)) as connection:
        assert asked(connection, "map_cosine", [1, 0], [2, 0]) == 1
        assert asked(connection, "map_l2", [3, 0], [0, 4]) == 5
    older.warehouse.unlink()
