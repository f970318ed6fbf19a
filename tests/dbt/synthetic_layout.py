"""The synthetic world's one token layout: its regions, queries and tokens."""

from __future__ import annotations

import json
from typing import Any

Row = dict[str, Any]
WORD_OF_TOKEN = [0, 1, 2, 2]
WORD_NAMES = ["word:find", "word:the", "word:duck", "word:duck"]

# (name, kind, keys) of the partition; the last one is of the suffix pass alone.
REGIONS = [
    ("image:base", "visual", 12),
    ("letterbox:base", "visual", 4),
    ("bos", "linguistic", 1),
    ("instruction", "linguistic", 4),
    ("state", "state", 2),
    ("pad", "pad", 3),
    ("action", "action", 2),
]


def layout_rows() -> tuple[list[Row], list[Row], list[Row], list[Row]]:
    layouts = [
        {
            "layout_id": "layout",
            "model_family": "tiny",
            "n_keys": json.dumps({"prefix": 26, "suffix": 28}),
            "cameras": json.dumps([{"name": "base", "rows": 4, "cols": 4}]),
        }
    ]
    regions: list[Row] = []
    tokens: list[Row] = []
    for name, n_regions in (("prefix", 6), ("suffix", 7)):
        for index, (region, kind, n_keys) in enumerate(REGIONS[:n_regions]):
            regions.append(
                {
                    "layout_id": "layout",
                    "pass": name,
                    "region_index": index,
                    "kind": kind,
                    "name": region,
                    "n_keys": n_keys,
                    "is_partition": True,
                }
            )
            for key in range(n_keys):
                tokens.append(
                    {
                        "layout_id": "layout",
                        "pass": name,
                        "token_index": sum(1 for token in tokens if token["pass"] == name),
                        "kind": {"visual": "patch", "linguistic": "text"}.get(kind, kind),
                        "role": {"image:base": "patch", "letterbox:base": "letterbox"}.get(region, region),
                        "is_valid": kind != "pad",
                        **({"camera": "base", "row": key // 4, "col": key % 4} if kind == "visual" else {}),
                    }
                )
        # A region that overlaps the partition: it has no place in `masses`.
        regions.append(
            {
                "layout_id": "layout",
                "pass": name,
                "region_index": 90,
                "kind": "visual",
                "name": "everything",
                "n_keys": 26,
                "is_partition": False,
            }
        )
    queries: list[Row] = [
        {"pass": "prefix", "query_index": 0, "kind": "group", "name": "instruction", "n_rows": 4}
    ]
    for index, (name, word) in enumerate(zip(WORD_NAMES, WORD_OF_TOKEN, strict=True)):
        queries.append(
            {
                "pass": "prefix",
                "query_index": index + 1,
                "kind": "token",
                "name": name,
                "n_rows": 1,
                "word_index": word,
            }
        )
    queries.append({"pass": "suffix", "query_index": 0, "kind": "group", "name": "action", "n_rows": 2})
    for index in range(2):
        queries.append(
            {
                "pass": "suffix",
                "query_index": index + 1,
                "kind": "token",
                "name": f"action:{index}",
                "n_rows": 1,
            }
        )
    for query in queries:
        query["layout_id"] = "layout"
    return layouts, regions, queries, tokens
