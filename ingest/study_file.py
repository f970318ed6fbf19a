"""Reading a study file strictly: YAML of bounded size and depth, no key twice, nothing that is not text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from ingest.errors import UserError

_MOST_BYTES = 1 << 20
_DEEPEST = 40


def read_study_file(path: Path) -> dict[str, Any]:
    """The file's mapping. Raises UserError for a file that cannot be read or is no such YAML."""
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        text = data.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path}: the study file cannot be read ({error}); give one with --study FILE"
        ) from error
    if len(data) > _MOST_BYTES:
        raise UserError(f"{path}: larger than {_MOST_BYTES} bytes; this is no study file")
    try:
        raw = yaml.load(text, _StrictLoader)
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        # Values that YAML reads by its own rules raise ValueError: dates such as 2020-13-01, numbers of 5000 digits.
        raise UserError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(raw, dict):
        raise UserError(
            f"{path}: expected a mapping of sections (study, policy, episodes, ...), found {type(raw).__name__}"
        )
    return raw


class _StrictLoader(yaml.SafeLoader):
    """Refuses what YAML allows and a study has no use for."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise yaml.YAMLError(f"nested deeper than {_DEEPEST} levels")
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def compose_scalar_node(self, anchor: Any) -> yaml.ScalarNode:
        node = super().compose_scalar_node(anchor)
        try:
            node.value.encode()
        except UnicodeEncodeError as error:
            raise yaml.MarkedYAMLError(
                problem="half of a surrogate pair is no text", problem_mark=node.start_mark
            ) from error
        return node

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:
            name = (key.tag, key.value if isinstance(key, yaml.ScalarNode) else id(key))
            if name in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key.value!r} is given twice", problem_mark=key.start_mark
                )
            seen.add(name)
        return node
