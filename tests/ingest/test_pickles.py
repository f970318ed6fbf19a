"""Nothing that a loader reads can run code, unless the study says that its files are trusted."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from ingest.errors import CheckpointError
from ingest.policies.cosmos_parts import read_embeddings
from ingest.policies.pickles import no_pickles, refuse_pickle


class Touch:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


def test_code_in_a_checkpoint_is_not_run(tmp_path: Path) -> None:
    torch.save({"weight": Touch(tmp_path / "ran")}, tmp_path / "model.pt")

    with no_pickles(), pytest.raises(pickle.UnpicklingError, match="Weights only"):
        torch.load(tmp_path / "model.pt", weights_only=False)

    assert not (tmp_path / "ran").exists()


def test_code_in_a_pickle_is_not_run(tmp_path: Path) -> None:
    (tmp_path / "embeddings.pkl").write_bytes(pickle.dumps(Touch(tmp_path / "ran")))

    with (
        no_pickles(),
        (tmp_path / "embeddings.pkl").open("rb") as file,
        pytest.raises(CheckpointError, match=r"embeddings\.pkl is a pickle.*trust_pickles: true"),
    ):
        pickle.load(file)

    assert not (tmp_path / "ran").exists()


def test_tensors_are_read_and_the_loaders_come_back(tmp_path: Path) -> None:
    before = torch.load, pickle.load
    torch.save({"weight": torch.arange(3)}, tmp_path / "model.pt")

    with no_pickles():
        assert torch.load(tmp_path / "model.pt", weights_only=False)["weight"].tolist() == [0, 1, 2]
    with pytest.raises(RuntimeError, match="on purpose"), no_pickles():
        raise RuntimeError("on purpose")

    assert (torch.load, pickle.load) == before


def test_a_refusal_says_why_and_what_to_do() -> None:
    with pytest.raises(CheckpointError) as caught:
        refuse_pickle("policy.options.text_embeddings", "a.pkl", "convert it")

    assert str(caught.value) == (
        "policy.options.text_embeddings: a.pkl is a pickle, which can run any code while it is read; convert it, "
        "or set policy.options.trust_pickles: true if you trust where it comes from"
    )


def test_embeddings_are_read_from_safetensors(tmp_path: Path) -> None:
    wanted = {"pick up the duck": torch.randn(1, 4, 3), "": torch.zeros(1, 4, 3)}
    save_file(wanted, tmp_path / "t5.safetensors")

    found = read_embeddings(tmp_path / "t5.safetensors")

    assert set(found) == set(wanted)
    assert all(torch.equal(found[prompt], values) for prompt, values in wanted.items())


@pytest.mark.parametrize(
    ("values", "told"), [(torch.ones(4, 3), r"\[4, 3\] for 'a'"), (torch.full((1, 4, 3), np.nan), "finite")]
)
def test_embeddings_of_another_shape_are_refused(tmp_path: Path, values: torch.Tensor, told: str) -> None:
    save_file({"a": values}, tmp_path / "t5.safetensors")

    with pytest.raises(CheckpointError, match=told):
        read_embeddings(tmp_path / "t5.safetensors")


def test_a_damaged_or_missing_file_of_embeddings_is_named(tmp_path: Path) -> None:
    (tmp_path / "t5.safetensors").write_bytes(b"no tensors")

    for name in ("t5.safetensors", "none.safetensors"):
        with pytest.raises(CheckpointError, match=f"text_embeddings: .*{name} cannot be read"):
            read_embeddings(tmp_path / name)
