"""The app: its subcommands, and errors as one line with an exit code."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import Annotated, ParamSpec

import duckdb
import typer

from ingest.cli import check, load, measure, publish, run, sql, status
from ingest.errors import GazehouseError, UserError
from ingest.issues import printable

P = ParamSpec("P")
EXIT_PARTIAL, EXIT_USER = 1, 2
_EXIT_INTERRUPTED, _EXIT_PIPE_CLOSED = 130, 141

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Runs a policy with hooks and keeps its attention in a lake and a DuckDB warehouse. "
    "Without a subcommand: run, then load; its options are those of `python -m ingest run --help`, and may follow "
    "`python -m ingest` at once. Exit codes: 0 done, 1 partial (rows in issues), 2 the user's mistake, 130 interrupted.",
)


def explained(command: Callable[P, int | None]) -> Callable[P, None]:
    """Turns a command's result into the exit code, and errors into one line."""

    @wraps(command)
    def inner(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            _refuse_paths_without_text(kwargs.values())
            code = command(*args, **kwargs) or 0
            sys.stdout.flush()
        except (KeyboardInterrupt, Exception) as error:
            code = told(error)
        raise typer.Exit(code)

    return inner


def told(error: BaseException) -> int:
    """One line about an error; the exit code. Raises the error again where it is a fault of ours."""
    if _is_interrupt(error):
        print("\ninterrupted: finished units are kept; the same command goes on from there", file=sys.stderr)
        return _EXIT_INTERRUPTED
    if isinstance(error, GazehouseError):
        print(f"error: {printable(str(error))}", file=sys.stderr)
        for line in getattr(error, "details", ()):
            print(f"  {printable(line)}", file=sys.stderr)
        return EXIT_USER if isinstance(error, UserError) else EXIT_PARTIAL
    if isinstance(error, BrokenPipeError):
        # As a command that `head` has read enough of: silently, with the code of SIGPIPE.
        _silence_output()
        return _EXIT_PIPE_CLOSED
    if not isinstance(error, OSError):
        raise error
    if error.filename is None and not _can_print():
        why = error.strerror
        print(
            f"error: standard output cannot be written ({why}); what was done before is done", file=sys.stderr
        )
        _silence_output()
    else:
        print(f"error: {printable(str(error))}; free space or mend the path, then run again", file=sys.stderr)
    return EXIT_PARTIAL


def _is_interrupt(error: BaseException | None) -> bool:
    """Ctrl-C, or what DuckDB makes of it while it works on a query: a RuntimeError or one of its own."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt | duckdb.InterruptException) or (
            isinstance(error, RuntimeError) and str(error) == "Query interrupted"
        ):
            return True
        error = error.__cause__
    return False


def _can_print() -> bool:
    """Whether what was printed, and perhaps nothing, could be written."""
    try:
        sys.stdout.flush()
        os.write(sys.stdout.fileno(), b"")
    except io.UnsupportedOperation:  # no file at all
        return True
    except OSError:
        return False
    return True


def _silence_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _refuse_paths_without_text(options: Iterable[object]) -> None:
    """Raises UserError for a path that is not UTF-8: neither Parquet's reader nor DuckDB takes one."""
    for path in options:
        if isinstance(path, Path):
            whole = os.path.abspath(path)
            try:
                whole.encode()
            except UnicodeEncodeError as error:
                raise UserError(f"{whole}: the path is not UTF-8; rename it, or name another") from error


def _version(is_asked: bool) -> None:
    if is_asked:
        from importlib import metadata

        print(f"gazehouse {metadata.version('gazehouse')}")
        raise typer.Exit


@app.callback()
def _global(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Options of the whole program."""


_COMMANDS: dict[str, Callable[..., int]] = {
    "run": run.command,
    "check": check.command,
    "measure": measure.command,
    "load": load.command,
    "publish": publish.command,
    "status": status.command,
    "sql": sql.command,
}
for name, command in _COMMANDS.items():
    app.command(name, context_settings=sql.CONTEXT if name == "sql" else None)(explained(command))
