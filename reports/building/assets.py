"""What every page shares: styles, scripts, the colour table and the bundle of Vega, written once."""

from __future__ import annotations

import shutil
from functools import cache
from importlib import resources
from pathlib import Path

import vl_convert

from reports.images import drawing, pictures

# `file:` because some browsers do not count a file beside the page as 'self'. No eval: Vega runs its interpreter.
CSP = "; ".join([
    "default-src 'none'",
    "script-src 'self' file:",
    "style-src 'self' file:",
    "img-src 'self' file: data:",
    "media-src 'self' file:",
    "base-uri 'none'",
    "form-action 'none'",
])  # fmt: skip
NAMES = (
    *("style.css", "episode.css", "icon.svg", "site.js", "packed.js", "rows.js", "charts.js"),
    *("exports.js", "maps.js", "trace.js", "episode.js"),
)


def write(folder: Path, old: Path | None = None) -> None:
    """Write `assets/`; the bundle, which takes seconds to make, is taken from `old` where that holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    source = resources.files("reports") / "assets"
    for name in NAMES:
        (folder / name).write_text((source / name).read_text(encoding="utf-8"), encoding="utf-8")
    tables = {"COLOURS": drawing.colour_table(), "DIVERGING": drawing.diverging_table()}
    script = "".join(
        f'window.GAZEHOUSE_{name} = "{pictures.packed(table)}";\n' for name, table in tables.items()
    )
    (folder / "colours.js").write_text(script, encoding="utf-8")
    if old is not None and (old / "vega.js").is_file():
        shutil.copyfile(old / "vega.js", folder / "vega.js")
    else:
        (folder / "vega.js").write_text(bundle(), encoding="utf-8")


@cache
def bundle() -> str:
    """Vega, Vega-Lite and vega-embed in one script; making it takes seconds."""
    return str(vl_convert.javascript_bundle())  # type: ignore[call-arg]  # its stub makes an option mandatory
