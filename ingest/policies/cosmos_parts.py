"""What stands around Cosmos Policy's transformer, from folders as diffusers and transformers write them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from ingest.errors import CheckpointError
from ingest.policies.cosmos_layout import Text
from ingest.policies.text import Piece

N_SLOTS = 512  # of T5's output, as cosmos-policy pads it
_STATISTICS = ("actions_min", "actions_max", "proprio_min", "proprio_max")


def from_folder(kind: Any, folder: Path) -> nn.Module:
    """A model of diffusers with the weights of its folder, in float32 on the CPU.

    Not `from_pretrained`: for this transformer it needs accelerate. Raises OSError without a configuration, ValueError
    without weights, RuntimeError for weights of another shape, SafetensorError for damaged ones.
    """
    model: nn.Module = kind.from_config(kind.load_config(folder))
    files = [
        file for file in sorted(folder.glob("*.safetensors")) if "." not in file.stem
    ]  # no fp16 variants
    if not files:
        raise ValueError(f"no .safetensors in {folder}")
    weights: dict[str, torch.Tensor] = {}
    for file in files:
        weights |= load_file(file)
    model.load_state_dict(weights)
    return model.float().eval()


def vae_encoder(
    folder: Path, device: str, dtype: torch.dtype
) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
    """Pictures [T, H, W, 3] -> the mean of the VAE's latents [C, 1 + (T - 1) / 4, H / 8, W / 8], normalised."""
    from diffusers import AutoencoderKLWan

    vae = from_folder(AutoencoderKLWan, folder).to(device, dtype)
    mean, std = (
        torch.tensor(values, device=device).view(-1, 1, 1, 1)
        for values in (vae.config.latents_mean, vae.config.latents_std)
    )

    def encode(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        video = torch.from_numpy(pictures).to(device).permute(3, 0, 1, 2)[None].float() / 127.5 - 1
        with torch.no_grad():
            latents = vae.encode(video.to(dtype)).latent_dist.mode()[0].float()
        result: NDArray[np.float32] = ((latents - mean) / std).cpu().numpy()
        return result

    return encode


Pieces = Callable[[str, int], tuple[tuple[int, ...], tuple[Piece, ...], bool]]
"""(prompt, slots) -> T5's token ids, its pieces with their characters in the prompt, and whether the end was cut."""


def t5_pieces(tokenizer: Path) -> Pieces:
    """How the tokenizer in a folder cuts a prompt."""
    from transformers import AutoTokenizer

    cut = AutoTokenizer.from_pretrained(tokenizer)

    def pieces_of(prompt: str, n_slots: int) -> tuple[tuple[int, ...], tuple[Piece, ...], bool]:
        kept = cut(prompt, truncation=True, max_length=n_slots, return_offsets_mapping=True)
        texts = cut.convert_ids_to_tokens(kept["input_ids"])
        pieces = [Piece(text, *span) for text, span in zip(texts, kept["offset_mapping"], strict=True)]
        return tuple(kept["input_ids"]), tuple(pieces), len(cut(prompt)["input_ids"]) > n_slots

    return pieces_of


def t5_embedder(encoder: Path, tokenizer: Path, device: str, dtype: torch.dtype) -> Callable[[str], Text]:
    """Prompt -> T5's last hidden states [512, dim], zero behind the prompt's end, with the pieces of the prompt."""
    from transformers import T5EncoderModel

    model = T5EncoderModel.from_pretrained(encoder, use_safetensors=True).to(device, dtype).eval()
    pieces_of = t5_pieces(tokenizer)

    def embed(prompt: str) -> Text:
        ids, pieces, is_cut = pieces_of(prompt, N_SLOTS)
        with torch.no_grad():
            states = model(torch.tensor([ids], device=device)).last_hidden_state[0]
        embedding = np.zeros((N_SLOTS, states.shape[1]), dtype=np.float32)
        embedding[: len(ids)] = states.float().cpu().numpy()
        return Text(embedding, ids, pieces, is_cut)

    return embed


def read_embeddings(path: Path) -> dict[str, torch.Tensor]:
    """Prompt -> T5's output [1, slots, dim], from a file of safetensors with a tensor [1, slots, dim] a prompt.

    Raises CheckpointError for a file that is missing, damaged or holds something else.
    """
    try:
        found = load_file(path)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"policy.options.text_embeddings: {path} cannot be read as safetensors "
            f"({' '.join(str(error).split())[:200]})"
        ) from error
    for prompt, values in found.items():
        if values.dim() != 3 or len(values) != 1 or not torch.isfinite(values).all():
            raise CheckpointError(
                f"policy.options.text_embeddings: {path} holds {list(values.shape)} for {prompt!r}; "
                "expected finite numbers [1, slots, dim]"
            )
    return found


def read_statistics(path: Path) -> Mapping[str, NDArray[np.float64]]:
    """The dataset statistics of a checkpoint. Raises CheckpointError for a file that is missing or lacks a number."""
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return {name: np.asarray(found[name], dtype=np.float64) for name in _STATISTICS}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{path}: expected JSON with lists {', '.join(_STATISTICS)} ({' '.join(str(error).split())[:200]})"
        ) from error
