"""Head ablation: a head's output becomes zero, or its mean, before the output projection mixes the heads.

Michel et al. 2019 (arXiv:1905.10650) for zero; the mean keeps what a head adds whatever it reads (Wang et al. 2022,
arXiv:2211.00593, section 2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from ingest.attention.edit import EditError
from ingest.attention.taps import TapPoint

if TYPE_CHECKING:
    from torch import Tensor, nn

_PROJECTIONS = ("o_proj", "out_proj", "output_proj", "to_out.0", "to_out", "c_proj", "dense", "wo")
HeadMeans = Mapping[tuple[str, int], "Tensor"]
"""(pass, layer) -> [heads, head dimension], float32."""


@dataclass(frozen=True)
class HeadEdit:
    """Switches a head of one pass off, for one inference."""

    pass_name: str
    layer: int
    head: int
    mode: Literal["zero", "mean"]


def output_projection(point: TapPoint) -> nn.Module:
    """The linear map that takes the joined heads. Raises EditError where the module has none of the usual names."""
    import torch

    modules = dict(point.module.named_modules())
    for name in _PROJECTIONS:
        if isinstance(modules.get(name), torch.nn.Linear):
            return modules[name]
    raise EditError(
        f"{point.pass_name} layer {point.layer} ({type(point.module).__name__}) has no output projection called one "
        f"of {', '.join(_PROJECTIONS)}: its heads cannot be switched off"
    )


@contextmanager
def ablated_heads(
    points: Sequence[TapPoint],
    batch: Sequence[Sequence[HeadEdit]],
    n_heads: int,
    means: HeadMeans | None = None,
) -> Iterator[None]:
    """While open, each inference of the batch goes without its heads; undone at the end.

    Raises EditError where a head is to get a mean and ``means`` has none of its layer, and from inside the model where
    a module's input is no [batch, tokens, heads x dimension].
    """
    handles = []
    try:
        for point in points:
            edits = [
                [one for one in item if (one.pass_name, one.layer) == (point.pass_name, point.layer)]
                for item in batch
            ]
            if any(edits):
                fill = (means or {}).get((point.pass_name, point.layer))
                if fill is None and any(one.mode == "mean" for item in edits for one in item):
                    raise EditError(f"{point.pass_name} layer {point.layer}: no mean output is known")
                hook = _replacing(point, edits, n_heads, fill)
                handles.append(output_projection(point).register_forward_pre_hook(hook))
        yield
    finally:
        for handle in handles:
            handle.remove()


def _replacing(
    point: TapPoint, edits: Sequence[Sequence[HeadEdit]], n_heads: int, means: Tensor | None
) -> Callable[[nn.Module, tuple[Any, ...]], tuple[Any, ...]]:
    def hook(_module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        changed = by_head(args[0], n_heads, point, len(edits)).clone()
        for item, wanted in zip(changed, edits, strict=True):
            for one in wanted:
                item[:, one.head] = 0 if means is None or one.mode == "zero" else means[one.head].to(item)
        return (changed.reshape(args[0].shape), *args[1:])

    return hook


@contextmanager
def recorded_means(
    points: Sequence[TapPoint], n_heads: int, valid: Mapping[str, NDArray[np.bool_]]
) -> Iterator[dict[tuple[str, int], Tensor]]:
    """While open, averages every head's output over inferences, tokens and denoising steps.

    ``valid`` maps a pass to [batch, keys], the keys that are no padding; it is used where the pass's rows are its
    keys. The dictionary that is yielded is filled when the block ends.
    """
    import torch

    sums: dict[tuple[str, int], Tensor] = {}
    counts: dict[tuple[str, int], int] = {}
    found: dict[tuple[str, int], Tensor] = {}

    def hook_for(point: TapPoint) -> Callable[[nn.Module, tuple[Any, ...]], None]:
        key, known = (point.pass_name, point.layer), valid.get(point.pass_name)

        def hook(_module: nn.Module, args: tuple[Any, ...]) -> None:
            heads = by_head(args[0], n_heads, point, len(args[0])).detach()
            rows = heads.reshape(-1, *heads.shape[2:])
            if known is not None and known.shape == tuple(heads.shape[:2]):
                rows = rows[torch.from_numpy(known).to(rows.device).reshape(-1)]
            total = rows.double().sum(dim=0)
            sums[key] = sums[key] + total if key in sums else total
            counts[key] = counts.get(key, 0) + len(rows)

        return hook

    handles = []
    try:
        for point in points:
            handles.append(output_projection(point).register_forward_pre_hook(hook_for(point)))
        yield found
        found.update({key: (total / counts[key]).float() for key, total in sums.items()})
    finally:
        for handle in handles:
            handle.remove()


def by_head(joined: Tensor, n_heads: int, point: TapPoint, n_items: int) -> Tensor:
    """[batch, tokens, heads x dimension] -> [batch, tokens, heads, dimension]. Raises EditError for another shape."""
    if joined.dim() != 3 or joined.shape[0] != n_items or joined.shape[-1] % n_heads:
        raise EditError(
            f"{point.pass_name} layer {point.layer}: expected the joined heads as [{n_items}, tokens, {n_heads} x "
            f"dimension], found {list(joined.shape)}"
        )
    return joined.reshape(*joined.shape[:2], n_heads, -1)
