"""The lake: Parquet in atomic units. A unit is there wholly, with checksums, or not at all.

lake/run_id=<id>/unit=<hash>/<table>.parquet + unit.json      one unit
lake/run_id=<id>/unit=<hash of the run>/...                   the run itself: runs, conditions, planned units
lake/run_id=<id>/pictures/<hash>/...                          keyframes and masks, for pages
lake/run_id=<id>/.writing-<hash>                              a unit on its way; never read
lake/run_id=<id>/.replaced-<hash>                             a unit whose successor is being renamed into place
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ingest.errors import DataError, UserError
from ingest.identity import hash_file, unit_of
from ingest.manifest import MANIFEST, read_manifest
from ingest.schema import ids_of

_WRITING, _REPLACED, _UNIT = ".writing-", ".replaced-", "unit="
# The one table that is not the same each time, so its checksum is not part of the manifest.
_VARYING = frozenset({"timings"})


class RunFolder:
    """One run's folder in the lake."""

    def __init__(self, lake: Path, run_id: str) -> None:
        self.lake = lake
        self.run_id = run_id
        self.path = lake / f"run_id={run_id}"
        self.run_unit = unit_of(run_id, "", "run")

    @contextmanager
    def writer(self) -> Iterator[None]:
        """Makes this process the run's only writer and clears what a killed one left behind.

        Raises UserError when another process writes the run, or the folder cannot be made.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = (self.path / ".lock").open("w")
        except OSError as error:
            raise UserError(
                f"{self.path}: cannot be written ({error.strerror}); choose another with --lake"
            ) from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise UserError(
                    f"run {self.run_id} is being written by another process; wait for it to end"
                ) from error
            self._recover()
            yield

    def unit_path(self, unit: str) -> Path:
        return self.path / f"{_UNIT}{unit}"

    def units(self) -> list[str]:
        """Every finished unit, sorted, the run's own left out."""
        found = sorted(path.name.removeprefix(_UNIT) for path in self.path.glob(f"{_UNIT}*"))
        return [unit for unit in found if unit != self.run_unit]

    def manifest(self, unit: str) -> dict[str, Any] | None:
        """The unit's manifest, or None where the unit is not in the lake or has no manifest of its own."""
        return read_manifest(self.unit_path(unit), self.run_id, unit)

    def read(self, unit: str, table: str) -> pa.Table | None:
        """A unit's table, or None where the unit has no rows of it. Raises DataError for a damaged file."""
        path = self.unit_path(unit) / f"{table}.parquet"
        if not path.is_file():
            return None
        try:
            # One file, read as such: a dataset reader would add the folder's run_id and unit as columns.
            return pq.ParquetFile(path).read()
        except (pa.ArrowException, OSError) as error:
            raise DataError(
                f"{path} is damaged ({str(error).splitlines()[0]}); delete the unit's folder and run the study again",
                subject=path.relative_to(self.path).as_posix(),
                reason="damaged_unit",
            ) from error

    def damaged_files(self, unit: str, *, verify: bool) -> list[Path]:
        """Files of a unit that are missing, cut short, of another table or number of rows than the manifest says.

        Only the end of each file is read; ``verify`` compares checksums too.
        """
        manifest = self.manifest(unit)
        if manifest is None:
            return [self.unit_path(unit) / MANIFEST]
        damaged = []
        for table, facts in manifest["tables"].items():
            path = self.unit_path(unit) / f"{table}.parquet"
            is_checked = verify and facts["blake2b"] is not None
            if _rows_in(path, table) != facts["rows"] or (is_checked and hash_file(path) != facts["blake2b"]):
                damaged.append(path)
        return damaged

    def write(self, unit: str, tables: Mapping[str, pa.Table], facts: Mapping[str, Any]) -> None:
        """Writes a unit beside its place and renames it in; a unit that was there is replaced.

        ``facts`` (status, reason, counts) go into the manifest. Empty tables are left out.
        """
        building = self.path / f"{_WRITING}{unit}"
        _remove(building)
        building.mkdir(parents=True)
        written = {}
        for name in sorted(tables):
            if tables[name].num_rows:
                path = building / f"{name}.parquet"
                _write_parquet(tables[name], path)
                written[name] = {
                    "rows": tables[name].num_rows,
                    "blake2b": None if name in _VARYING else hash_file(path),
                }
        manifest = {"run_id": self.run_id, "unit": unit, **facts, "tables": written}
        write_atomically(building / MANIFEST, json.dumps(manifest, indent=1, sort_keys=True).encode() + b"\n")
        _sync(building)
        place = self.unit_path(unit)
        if place.exists():
            replaced = self.path / f"{_REPLACED}{unit}"
            _remove(replaced)
            place.rename(replaced)
            building.rename(place)
            _remove(replaced)
        else:
            building.rename(place)
        _sync(self.path)

    def drop(self) -> None:
        """Removes all of the run but its lock. Killed on the way, it leaves whole units with their pictures."""
        for unit in [*self.units(), self.run_unit]:
            if self.unit_path(unit).exists():
                dropped = self.path / f"{_WRITING}{unit}"
                _remove(dropped)
                self.unit_path(unit).rename(dropped)
                _remove(dropped)
        for entry in list(self.path.iterdir()):
            if entry.name != ".lock":
                _remove(entry)

    def _recover(self) -> None:
        for left in self.path.glob(f"{_REPLACED}*"):
            place = self.unit_path(left.name.removeprefix(_REPLACED))
            # Killed between the two renames: the old unit is whole, the new one is not in place yet.
            if not place.exists():
                left.rename(place)
            else:
                _remove(left)
        for left in self.path.glob(f"{_WRITING}*"):
            _remove(left)


def run_ids(lake: Path) -> list[str]:
    """Every run in the lake, sorted."""
    return sorted(path.name.removeprefix("run_id=") for path in lake.glob("run_id=*") if path.is_dir())


def write_atomically(path: Path, content: bytes) -> None:
    """Writes a file beside its place and renames it in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    building = path.with_name(f".{path.name}.writing")
    with building.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    building.replace(path)


def _rows_in(path: Path, table: str) -> int | None:
    """The number of rows that a Parquet file's footer states; None where it is missing, has no footer or lacks ids."""
    try:
        footer = pq.read_metadata(path)
    except (pa.ArrowException, OSError):
        return None
    return int(footer.num_rows) if ids_of(table) <= set(footer.schema.names) else None


def _write_parquet(table: pa.Table, path: Path) -> None:
    # A number of attention hardly ever comes twice: a dictionary of them is slow to make and larger than its column.
    # With all first bytes together, then all second ones, they compress better.
    numbers, others = _columns(table.schema)
    pq.write_table(
        table,
        path,
        compression="zstd",
        compression_level=3,
        use_dictionary=others,
        use_byte_stream_split=numbers,
        write_statistics=True,
        version="2.6",
    )
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def _columns(schema: pa.Schema) -> tuple[list[str], list[str]]:
    """Parquet's names of the columns of floating-point numbers, and of the others."""
    numbers: list[str] = []
    others: list[str] = []
    for field in schema:
        name, kind = field.name, field.type
        while pa.types.is_list(kind):
            name, kind = f"{name}.list.element", kind.value_type
        (numbers if pa.types.is_floating(kind) else others).append(name)
    return numbers, others


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif path.exists() or path.is_symlink():
        path.unlink()
