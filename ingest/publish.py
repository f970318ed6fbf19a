"""Load and dbt build in a file beside the warehouse, renamed into place when every test has passed."""

from __future__ import annotations

import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ingest.append import append, hash_of_models, new_units, sign, was_built_by
from ingest.dbt_build import AFTER_APPENDING, Dbt, dbt_beside, project_folder
from ingest.errors import GazehouseError
from ingest.identity import digest
from ingest.loadable import loadable
from ingest.warehouse import build
from ingest.warehouse_file import (
    check_replaceable,
    copy,
    only_builder,
    put_in_place,
    remove_database,
    remove_leftover,
)


class BuildError(GazehouseError):
    """dbt could not build a model, or a test of the data failed; ``details`` are lines about it."""

    def __init__(self, message: str, details: tuple[str, ...]) -> None:
        super().__init__(message)
        self.details = details


def publish(lake: Path, warehouse: Path, *, fresh: bool = False) -> None:
    """Readers see the old warehouse until the new one is whole.

    Units that are new to the lake are added to a copy of the warehouse, whose marts are then brought up to date; where
    that is not enough, or with ``fresh``, everything is built anew. Both ways give the same rows.

    Raises what `load` does, and BuildError when a model or a data test fails; the old warehouse then stays, and the
    failed build is kept beside it for a look.
    """
    project = project_folder()
    check_replaceable(warehouse)
    building = place_to_build(warehouse)
    with only_builder(warehouse):
        remove_leftover(building)
        try:
            with dbt_beside(project, building) as dbt:
                models = hash_of_models(project)
                may_grow = not fresh and was_built_by(warehouse, models)
                with ThreadPoolExecutor(1) as beside:  # of two seconds each at a hundred million numbers
                    reading = beside.submit(loadable, lake)
                    if may_grow:
                        copy(warehouse, building)
                content = reading.result()
                units = new_units(building, content) if may_grow else None
                if units is None:
                    remove_database(building)
                    print(f"publish: loading {lake}", file=sys.stderr, flush=True)
                    build(content, building)
                else:
                    print(f"publish: adding {len(units)} new units of {lake}", file=sys.stderr, flush=True)
                    append(content, building, units)
                _build_marts(dbt, building, warehouse, () if units is None else AFTER_APPENDING)
            sign(building, models)
            put_in_place(building, warehouse)
        except BuildError:
            raise
        except BaseException:
            remove_database(building)
            raise


def place_to_build(warehouse: Path) -> Path:
    """Where `publish` builds a warehouse, in the same folder, before it is renamed.

    Its stem holds letters, digits and underscores alone, for dbt-duckdb quotes no name of a database, and older versions
    call one with a dot by different names. What of the warehouse's name is lost so, a hash tells apart.
    """
    stem = re.sub(r"\W", "_", warehouse.stem)
    if stem != warehouse.stem:
        stem += "_" + digest(os.fsencode(warehouse.name)).hex()[:8]
    return warehouse.with_name(f"{stem}__being_built{warehouse.suffix}")


def _build_marts(dbt: Dbt, building: Path, warehouse: Path, options: tuple[str, ...]) -> None:
    print("publish: dbt build", file=sys.stderr, flush=True)
    output = dbt.build(*options)
    if output is not None:
        raise BuildError(
            f"dbt build failed; {building} is kept for a look, {warehouse} was not touched", tuple(output)
        )
