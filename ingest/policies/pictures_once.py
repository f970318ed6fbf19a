"""A picture goes through the vision tower once, however many inferences of a unit show it.

Prompts of a frame, and noises, differ in text and noise alone. Where a model's vision tokens do not depend on the text,
the tower's answer for a picture can be kept and handed out again.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import Tensor

KEPT = 64  # pictures; Pi0's take 2 MB each in float32


@runtime_checkable
class SharesPictures(Protocol):
    """A policy whose vision tokens do not depend on the text."""

    def pictures_once(self) -> AbstractContextManager[Any]:
        """While open, a picture that several inferences show goes through the vision tower once."""
        ...


def pictures_once(policy: object) -> AbstractContextManager[Any]:
    """What the policy offers; nothing where it cannot share."""
    return policy.pictures_once() if isinstance(policy, SharesPictures) else nullcontext()


@contextmanager
def each_once(owner: Any, name: str = "forward", kept: int = KEPT) -> Iterator[None]:
    """While open, ``owner.name(...)`` computes only pictures that it has not seen; undone at the end.

    The function must treat pictures independently: its tensors, in and out, have the pictures as first dimension [B,
    ...]; it may return a tensor, a tuple, or a mapping such as transformers' ModelOutput. A picture is known again by
    a hash of its pixels and of all other arguments. Where all of a call are new, the call is the model's own, to the
    bit; otherwise it runs on fewer pictures, which moves its sums as another batch size does. The ``kept`` pictures
    seen last are remembered. Raises TypeError from inside the model where a tensor has another first dimension.
    """
    before = vars(owner).get(name)
    setattr(owner, name, _Once(getattr(owner, name), kept))
    try:
        yield
    finally:
        if before is None:
            delattr(owner, name)
        else:
            setattr(owner, name, before)


class _Once:
    """A function of pictures that remembers."""

    def __init__(self, function: Callable[..., Any], kept: int) -> None:
        self._function, self._kept = function, kept
        self._known: OrderedDict[bytes, Any] = OrderedDict()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        keys = _keys(args, kwargs)
        first = {key: row for row, key in reversed(list(enumerate(keys))) if key not in self._known}
        new = sorted(first.values())
        if len(new) == len(keys):
            output = self._function(*args, **kwargs)
        elif new:
            output = self._function(*_rows(args, new), **_rows(kwargs, new))
        for position, row in enumerate(new):
            self._known[keys[row]] = _row(output, position)
        for key in keys:
            self._known.move_to_end(key)
        if len(new) < len(keys):
            output = _stacked([self._known[key] for key in keys])
        while len(self._known) > self._kept:
            self._known.popitem(last=False)
        return output


def _keys(args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[bytes]:
    """One hash a picture: its row of every tensor, and whatever else the function is given."""
    import torch

    tensors = [value for value in (*args, *kwargs.values()) if isinstance(value, torch.Tensor)]
    sizes = {tuple(values.shape[:1]) for values in tensors}
    if len(sizes) != 1 or () in sizes:
        raise TypeError(
            f"pictures cannot be shared: the vision tower's tensors begin with {sorted(sizes)}, expected one number"
        )
    ((n_pictures,),) = sizes
    rest = [value for value in args if not isinstance(value, torch.Tensor)]
    named = sorted(
        (name, "tensor" if isinstance(value, torch.Tensor) else repr(value)) for name, value in kwargs.items()
    )
    stamp = repr((rest, named, [(values.dtype, values.shape[1:]) for values in tensors])).encode()
    return [
        hashlib.blake2b(stamp + b"".join(_bytes(values[row]) for values in tensors), digest_size=16).digest()
        for row in range(n_pictures)
    ]


def _bytes(values: Tensor) -> bytes:
    import torch

    flat = values.detach().contiguous().reshape(-1).view(torch.uint8)  # numpy has no bfloat16
    content: bytes = flat.cpu().numpy().tobytes()
    return content


def _rows(arguments: Any, rows: Sequence[int]) -> Any:
    return _map(arguments, lambda values: values[list(rows)])


def _row(output: Any, at: int) -> Any:
    return _map(output, lambda values: values[at].clone())


def _map(value: Any, function: Callable[[Tensor], Tensor]) -> Any:
    """The same structure with ``function`` of its tensors."""
    import torch

    if isinstance(value, torch.Tensor):
        return function(value)
    if isinstance(value, Mapping):
        changed = {name: _map(one, function) for name, one in value.items()}
        return (
            type(value)(**changed) if type(value) is not dict else changed
        )  # a ModelOutput is no plain mapping
    if isinstance(value, tuple | list):
        return type(value)(_map(one, function) for one in value)
    return value


def _stacked(rows: Sequence[Any]) -> Any:
    """Outputs of single pictures, as one output."""
    import torch

    one = rows[0]
    if isinstance(one, torch.Tensor):
        return torch.stack(list(rows))
    if isinstance(one, Mapping):
        joined = {name: _stacked([row[name] for row in rows]) for name in one}
        return type(one)(**joined) if type(one) is not dict else joined
    if isinstance(one, tuple | list):
        return type(one)(_stacked(members) for members in zip(*rows, strict=True))
    return one
