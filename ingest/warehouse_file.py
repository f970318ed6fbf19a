"""The warehouse as a file: what may be replaced, one writer at a time, and a rename only of what is wholly on disk."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from ingest.errors import UserError, WarehouseError, WarehouseLockedError

# Every warehouse has had these tables in schema raw, be they views or tables.
_OURS = ("inferences", "runs", "units")
# Its schemas (dbt_project.yml has those of the models): DuckDB calls a database after its file, and in one that bears a
# schema's name `raw.runs` could mean two things.
_SCHEMAS = ("raw", "staging", "intermediate", "marts", "truths")
_DISK_FULL = "disk full?"
_HEADER_BYTES = 3 * 4096  # of a DuckDB file; it is written in three pieces
_TRY_AGAIN = "free space and try again; the old warehouse is as it was"


def check_replaceable(warehouse: Path) -> None:
    """Raises UserError for what is no warehouse of Gazehouse, WarehouseLockedError for one that is being written.

    A database without any table, as DuckDB makes one on opening, may be replaced too.
    """
    if not warehouse.name or warehouse.is_dir():
        raise UserError(f"--warehouse {str(warehouse)!r}: expected a file such as warehouse.duckdb")
    database = warehouse.name.partition(".")[0].lower()
    if database in _SCHEMAS:
        raise UserError(
            f"--warehouse {str(warehouse)!r}: DuckDB would call the database {database!r}, as a schema in it is called; "
            "choose another name, such as warehouse.duckdb"
        )
    try:
        is_there = warehouse.exists()
    except (OSError, ValueError) as error:
        raise cannot_write(warehouse, error) from error
    if not is_there:
        return
    try:
        with duckdb.connect(str(warehouse), read_only=True) as connection:
            tables = set(
                connection.execute(
                    "select table_schema, table_name from information_schema.tables"
                ).fetchall()
            )
    except duckdb.Error as error:
        if "lock" in str(error).lower():
            raise WarehouseLockedError(
                f"{warehouse} is open for writing in another process; close it, or use another with --warehouse"
            ) from error
        raise _no_warehouse(warehouse) from error
    if tables and not tables >= {("raw", name) for name in _OURS}:
        raise _no_warehouse(warehouse)


def holds_marts(warehouse: Path) -> bool:
    """Whether dbt has built in a warehouse that :func:`check_replaceable` has let pass."""
    if not warehouse.exists():
        return False
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        found = connection.execute(
            "select 1 from information_schema.tables where table_schema = 'marts' limit 1"
        )
        return found.fetchone() is not None


@contextmanager
def only_builder(warehouse: Path) -> Iterator[None]:
    """Makes this process the only one that builds this warehouse. Raises WarehouseLockedError, UserError."""
    path = warehouse.with_name(f".{warehouse.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.open("w")
    except OSError as error:
        raise cannot_write(warehouse, error) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # A builder that ended in between has removed the file that was locked.
            is_held = path.exists() and os.path.samestat(path.stat(), os.fstat(lock.fileno()))
        except BlockingIOError:
            is_held = False
        if not is_held:
            raise WarehouseLockedError(
                f"another load or publish of {warehouse} is at work; wait for it, or use another with --warehouse"
            )
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def remove_leftover(building: Path) -> None:
    """Removes what a load or publish that was killed left behind.

    Raises UserError, WarehouseLockedError when it is not of their making or still in use.
    """
    if not _was_never_opened(building):
        check_replaceable(building)
    remove_database(building)


def _was_never_opened(database: Path) -> bool:
    """Whether DuckDB was killed while it wrote the file's first blocks, which it then cannot read again."""
    try:
        with database.open("rb") as file:
            head = file.read(_HEADER_BYTES)
    except OSError:
        return False
    return not head or (len(head) < _HEADER_BYTES and head[8:12] == b"DUCK")


def remove_database(path: Path) -> None:
    """Removes a database file and its write-ahead log."""
    for file in (path, log_of(path)):
        file.unlink(missing_ok=True)


def copy(warehouse: Path, building: Path) -> None:
    """Copies a database that nobody writes. Raises WarehouseError where that fails, as on a full disk."""
    try:
        shutil.copyfile(warehouse, building)
    except OSError as error:
        raise WarehouseError(f"{_DISK_FULL} {building} cannot be written ({error}); {_TRY_AGAIN}") from error


def settle(database: Path) -> None:
    """Brings all of a database into its file. Raises WarehouseError where that fails, as on a full disk.

    Closing a connection tries the same and says nothing when it cannot.
    """
    try:
        with duckdb.connect(str(database)) as connection:
            connection.execute("checkpoint")
    except duckdb.Error as error:
        raise not_built(database, error) from error
    refuse_log(database)


def refuse_log(database: Path) -> None:
    """Raises WarehouseError where a database that was closed after a checkpoint is not wholly in its file."""
    if log_of(database).exists():
        raise WarehouseError(
            f"{_DISK_FULL} {log_of(database)} could not be emptied into its database; {_TRY_AGAIN}"
        )


def put_in_place(building: Path, warehouse: Path) -> None:
    """Renames a finished database into its place. Raises WarehouseError when it is not wholly on disk.

    The write-ahead log of a killed writer goes first: it belongs to the old file, and the new one could not be opened
    beside it.
    """
    settle(building)
    log_of(warehouse).unlink(missing_ok=True)
    building.replace(warehouse)


def log_of(database: Path) -> Path:
    """DuckDB's write-ahead log of a database."""
    return database.with_name(database.name + ".wal")


def cannot_write(warehouse: Path, error: Exception) -> UserError:
    return UserError(f"{warehouse}: cannot be written ({error}); choose another with --warehouse")


def is_failed_write(error: duckdb.Error) -> bool:
    """Whether DuckDB could not write its own file. It has no class of errors for that."""
    return "could not write" in str(error).lower()


def not_built(database: Path, error: duckdb.Error) -> WarehouseError:
    """DuckDB's error as ours, in one line."""
    why = str(error).splitlines()[0]
    if is_failed_write(error):
        return WarehouseError(f"{_DISK_FULL} {database} cannot be written ({why}); {_TRY_AGAIN}")
    return WarehouseError(f"{database} cannot be built ({why}); the old warehouse is as it was")


def _no_warehouse(path: Path) -> UserError:
    return UserError(
        f"{path} is there and is no warehouse of Gazehouse, so it is not overwritten; move it, or choose another file "
        "with --warehouse"
    )
