"""Jinja with autoescaping on, and JSON that cannot end its own script block."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

import jinja2
from markupsafe import Markup, escape

from reports import words
from reports.html import packing
from reports.marts.warehouse import Result

ESCAPES = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def plain(value: Any) -> Any:
    """What JSON can hold: missing and infinite numbers become null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return value


def script_json(value: Any) -> Markup:
    """JSON for a `<script>` block: nothing in it can look like markup."""
    text = json.dumps(plain(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.translate(ESCAPES))


def page_id(*parts: str, size: int = 8) -> str:
    """Hex blake2b of some texts: a file name that no name can spoil."""
    return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=size).hexdigest()


def episode_stem(run_id: str, episode_id: str) -> str:
    """File name of an episode's page without its suffix, which is also the name of its folder: a hash, whatever its name."""
    return page_id(run_id, episode_id)


def literal(value: Any) -> str:
    """A bound value as SQL shows it; for reading only, nothing runs it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value) if isinstance(value, (int, float)) else "'" + str(value).replace("'", "''") + "'"


def shown_sql(result: Result) -> str:
    """The query as it was run, after the variables that were bound for it; it runs as it stands."""
    variables = [f"set variable {name} = {literal(value)};" for name, value in result.parameters.items()]
    return "\n".join([f"-- reports/queries/{result.name}.sql", *variables, result.sql])


def cut(value: Any, length: int) -> str:
    """A text no longer than `length`; what is left off shows as an ellipsis."""
    return words.cut("" if value is None else str(value), length)


def with_code(text: str) -> Markup:
    """Escaped text in which `backticks` become code."""
    parts = [
        Markup("<code>{}</code>").format(part) if i % 2 else escape(part)
        for i, part in enumerate(text.split("`"))
    ]
    return Markup("").join(parts)


def block_kind(block: Any) -> str:
    """Class name of a block, for the template to choose by."""
    return type(block).__name__


@cache
def environment() -> jinja2.Environment:
    """The templates with the words' functions as filters; one, because compiling them takes as long as filling them."""
    env = jinja2.Environment(
        loader=jinja2.PackageLoader("reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters.update(
        number=words.number,
        percent=words.percent,
        brief=words.brief,
        sentence=words.sentence,
        plural=words.plural,
        interval=words.interval,
        script_json=script_json,
        packed=packing.packed,
        packed_spec=packing.packed_spec,
        packed_variants=packing.packed_variants,
        short=packing.rounded,
        cut=cut,
        code=with_code,
        kind=block_kind,
        sql=shown_sql,
        page_id=page_id,
    )
    return env
