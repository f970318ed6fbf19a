"""Whether tasks can be blocks."""

from __future__ import annotations

import pytest

from measures.blocks import can_block


@pytest.mark.parametrize(
    ("success", "failure", "expected"),
    [
        ("aabb", "aabb", True),
        ("aabbc", "aabbd", True),  # most episodes have partners
        ("aaaa", "aaaa", False),  # one task: nothing to block
        ("abcd", "efgh", False),  # no task has both outcomes: nothing could be exchanged
        ("abcc", "defc", False),  # half of the successes, a quarter of the failures
        ("aacc", "aadd", True),  # exactly half
        ("", "aab", False),
    ],
)
def test_blocks_need_partners(success: str, failure: str, expected: bool) -> None:
    assert can_block(list(success), list(failure)) is expected
