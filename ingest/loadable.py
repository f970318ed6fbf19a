"""What of a lake is loaded: the units that a run planned, as far as their manifests vouch for their files."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.errors import DataError, UserError
from ingest.lake import RunFolder, run_ids
from ingest.manifest import hash_of
from ingest.schema import SCHEMA_VERSION, arrow_schema


@dataclass(frozen=True)
class LoadableRun:
    """One run: its own row, its planned units, and the manifests of those that are in the lake."""

    folder: RunFolder
    row: dict[str, Any]
    planned: tuple[dict[str, Any], ...]
    manifests: dict[str, dict[str, Any]]

    def files(self, table: str, units: Container[str] | None = None) -> list[Path]:
        """The table's file in every unit, or in these ``units``, whose manifest names it."""
        return [
            self.folder.unit_path(unit) / f"{table}.parquet"
            for unit, manifest in self.manifests.items()
            if table in manifest["tables"] and (units is None or unit in units)
        ]

    def unit_rows(self) -> Iterator[dict[str, Any]]:
        """Rows of raw.units: what was planned, and how it ended."""
        for row in self.planned:
            manifest = self.manifests.get(row["unit"])
            if manifest is not None:
                ended = {
                    name: manifest.get(name) for name in ("status", "reason", "n_inferences", "n_planned")
                }
                row = {**row, **ended, "manifest_hash": hash_of(manifest)}
            yield row

    def left_out(self) -> list[Path]:
        """Folders that look like units and are not loaded: not in the plan, or without a manifest of their own."""
        return [self.folder.unit_path(unit) for unit in self.folder.units() if unit not in self.manifests]


@dataclass(frozen=True)
class Loadable:
    """All of a lake that is loaded."""

    runs: tuple[LoadableRun, ...]
    without_plan: tuple[Path, ...]

    def files(self, table: str, units: Container[str] | None = None) -> list[Path]:
        return sorted(path for run in self.runs for path in run.files(table, units))

    def warnings(self) -> Iterator[str]:
        """One line a run of which something is not loaded."""
        for path in self.without_plan:
            yield f"{path} has no plan of its own and is not loaded; run its study again"
        for run in self.runs:
            left_out = run.left_out()
            if left_out:
                yield (
                    f"{len(left_out)} folders of run {run.folder.run_id} are not in its plan or have no manifest of "
                    f"their own, and are not loaded (first: {left_out[0]})"
                )


def loadable(lake: Path) -> Loadable:
    """Reads the plans and manifests of all runs.

    Raises UserError when the lake has no run, or one of a newer Gazehouse, and DataError when a file is missing, cut short or of another number
    of rows than its manifest says: a table that silently lost a unit would be worse than none.
    """
    runs, without_plan = [], []
    for run_id in run_ids(lake):
        run = _run(RunFolder(lake, run_id))
        if run is None:
            without_plan.append(lake / f"run_id={run_id}")
        else:
            runs.append(run)
    if not runs:
        raise UserError(
            f"{lake}: no run in the lake; run `python -m ingest` first, or name another with --lake"
        )
    return Loadable(tuple(runs), tuple(without_plan))


def _run(folder: RunFolder) -> LoadableRun | None:
    if folder.manifest(folder.run_unit) is None:
        return None
    _refuse_damage(folder, folder.run_unit)
    plan, runs = folder.read(folder.run_unit, "units"), folder.read(folder.run_unit, "runs")
    if plan is None or runs is None:
        return None
    row = runs.to_pylist()[0]
    _refuse_newer(folder, row)
    planned = tuple(_known("units", planned) for planned in plan.to_pylist())
    manifests = {}
    for unit in [folder.run_unit, *(row["unit"] for row in planned)]:
        manifest = folder.manifest(unit)
        if manifest is not None:
            _refuse_damage(folder, unit)
            manifests[unit] = manifest
    return LoadableRun(folder, _known("runs", row), planned, manifests)


def _known(table: str, row: dict[str, Any]) -> dict[str, Any]:
    """Without columns that another version has added."""
    return {name: value for name, value in row.items() if name in arrow_schema(table).names}


def _refuse_newer(folder: RunFolder, row: dict[str, Any]) -> None:
    version = row.get("schema_version")
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise UserError(
            f"{folder.path}: made by a newer Gazehouse (schema version {version}, this one knows {SCHEMA_VERSION}); "
            "update Gazehouse, or name another with --lake"
        )


def _refuse_damage(folder: RunFolder, unit: str) -> None:
    damaged = folder.damaged_files(unit, verify=False)
    if damaged:
        raise DataError(
            f"{damaged[0]} is missing or damaged; run the study again, which makes its unit anew, or delete the "
            "unit's folder to load without it",
            subject=damaged[0].relative_to(folder.path).as_posix(),
            reason="damaged_unit",
        )
