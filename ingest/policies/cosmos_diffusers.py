"""Cosmos Policy without cosmos-policy: diffusers' `CosmosTransformer3DModel` and a small denoising loop.

``policy: {family: cosmos_diffusers, checkpoint: FOLDER, config: libero}``; FOLDER (or a repository of the hub) holds
``transformer/``, ``vae/`` (AutoencoderKLWan), ``text_encoder/`` and ``tokenizer/`` (T5), as diffusers writes them, and
``policy.options.dataset_statistics`` names the JSON of actions_min, actions_max, proprio_min and proprio_max.

Verified here, with random weights alone: the transformer and cosmos-policy's `MinimalV1LVGDiT` give the same output for
the same weights, the sampler equals `CosmosPolicySampler`, pictures are prepared to the same pixels, and taps and
knock-outs pass tests/conformance. NOT verified, because no trained weights were at hand: a checkpoint of cosmos-policy
converted to this format, the VAE's and the text encoder's numbers, and actions that solve a task. The route through
cosmos-policy itself is :mod:`ingest.policies.cosmos`.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import CosmosTransformer3DModel
from diffusers.utils import is_torchvision_available
from numpy.typing import NDArray
from PIL import Image
from safetensors import SafetensorError
from torch import Tensor, nn

from ingest.attention.edit import Knockout, masked_modules
from ingest.attention.layout import Layout, Token
from ingest.attention.processors import attention_processors
from ingest.attention.taps import TapPoint, WeightSink
from ingest.episodes.base import Observation
from ingest.episodes.preprocess import Letterbox
from ingest.errors import CheckpointError, UserError
from ingest.identity import hash_file, hash_files, hex_digest
from ingest.policies.base import Geometry, Prepared, Seen
from ingest.policies.cosmos_layout import (
    PATCH,
    CosmosOptions,
    Suite,
    Text,
    checked_options,
    cosmos_layout,
    cut_warning,
    frame_index,
    kept_side,
    state_of,
    suite_of,
    text_tokens,
    the_square,
)
from ingest.policies.cosmos_parts import from_folder, read_statistics, t5_embedder, vae_encoder
from ingest.policies.cosmos_sampler import n_calls, sample
from ingest.policies.finite import refuse_not_finite
from ingest.study import PolicySection, options_of, resolve_path

IMAGE_SIZE = 224
VAE_SIDE, VAE_FRAMES = 8, 4  # pixels a side, and pictures, of one latent pixel
_JPEG_QUALITY = 95  # of the evaluation: pictures were compressed in training

Encode = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""Pictures [1 + 4 (frames - 1), H, W, 3] -> latents [channels, frames, H / 8, W / 8], normalised as the model's."""
Embed = Callable[[str], Text]
Statistics = Mapping[str, NDArray[np.float64]]
_HASHED = (".json", ".safetensors")


class Options(CosmosOptions):
    """Folders of the parts, where the checkpoint does not hold them under these names."""

    vae: str | None = None
    text_encoder: str | None = None
    tokenizer: str | None = None
    dataset_statistics: str | None = None


def load(section: PolicySection, device: str) -> CosmosDiffusersAdapter:
    """Loads a folder, or a repository of the hub, with all parts of a policy.

    Raises UserError for a part that is not there or a device that cannot be used, CheckpointError for one that is no
    such part.
    """
    options, suite = options_of(section, Options), suite_of(section.config)
    root = _folder_of(section.checkpoint)
    parts = {name: _part(root, name, getattr(options, name)) for name in ("vae", "text_encoder", "tokenizer")}
    if options.dataset_statistics is None:
        raise UserError(
            "policy.options.dataset_statistics: name the checkpoint's JSON with the minima and maxima of its data"
        )
    statistics_path = resolve_path(options.dataset_statistics)
    statistics, dtype = read_statistics(statistics_path), getattr(torch, section.dtype)
    transformer = root / "transformer" if (root / "transformer").is_dir() else root
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:  # an unknown name; a torch that was built without it
        raise UserError(
            f"compute.device: {device!r} cannot be used ({str(error).splitlines()[0]})"
        ) from error
    try:
        model = from_folder(CosmosTransformer3DModel, transformer).to(device, dtype)
        encode = vae_encoder(parts["vae"], device, dtype)
        embed = t5_embedder(parts["text_encoder"], parts["tokenizer"], device, dtype)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:300]
        raise CheckpointError(
            f"{root}: not a checkpoint of Cosmos Policy for diffusers ({reason})"
        ) from error
    _refuse_unusable(model, transformer)
    hashes = [
        hash_files(part, [path for path in part.iterdir() if path.suffix in _HASHED])
        for part in (transformer, parts["vae"])
    ]
    return CosmosDiffusersAdapter(
        model,
        suite,
        encode,
        embed,
        checkpoint=section.checkpoint,
        checkpoint_hash=hex_digest(*hashes, hash_file(statistics_path), length=64),
        device=device,
        statistics=statistics,
        options=options,
    )


class CosmosDiffusersAdapter:
    """Pictures, state and prompt in; a chunk of actions out. ``encode`` and ``embed`` are the VAE and the text encoder.

    ``statistics`` holds minima and maxima of state and actions; without, both stay as they are.
    """

    family = "cosmos_diffusers"
    attention_impl = "sdpa"

    def __init__(
        self,
        model: nn.Module,
        suite: Suite,
        encode: Encode,
        embed: Embed,
        *,
        checkpoint: str = "random weights",
        checkpoint_hash: str = "0" * 16,
        device: str = "cpu",
        statistics: Statistics | None = None,
        options: CosmosOptions | None = None,
        image_size: int = IMAGE_SIZE,
    ) -> None:
        self.model, self.suite, self.device = model, suite, device
        self.checkpoint, self.checkpoint_hash = checkpoint, checkpoint_hash
        self.dtype = str(next(model.parameters()).dtype).removeprefix("torch.")
        self.options = checked_options(options or CosmosOptions(), suite.frames)
        self._encode, self._statistics, self._size = encode, statistics or {}, image_size
        self._embed = lru_cache(maxsize=256)(embed)
        self._last: tuple[Seen, Tensor] | None = None
        config, side = model.config, image_size // VAE_SIDE
        self._latent = (config.out_channels, side, side)
        calls = n_calls(self.options.denoising_steps)
        self.geometry = Geometry(
            n_layers=config.num_layers,
            n_heads=config.num_attention_heads,
            head_dim=config.attention_head_dim,
            passes={"denoise": calls, "cross": calls},
            noise_shape=(config.out_channels, len(suite.frames), side, side),
            cameras=dict.fromkeys(suite.cameras, side // PATCH),
        )

    def see(self, observation: Observation) -> Seen:
        pictures, letterboxes = {}, {}
        for name in self.suite.cameras:
            image = the_square(observation, name)
            pictures[name] = as_trained(image, self._size)
            letterboxes[name] = Letterbox.from_size(len(image), len(image), self._size)
        wanted = len(self._statistics["proprio_min"]) if "proprio_min" in self._statistics else None
        kept = dict.fromkeys(self.suite.cameras, kept_side(self._size) / self._size)
        return Seen(pictures, letterboxes, state_of(observation, self.suite, wanted), kept=kept)

    def prepare(self, seen: Seen, prompt: str, queries: Sequence[str]) -> Prepared:
        text = self._embed(prompt)
        return Prepared(
            inputs={"given": self._given(seen), "text": torch.from_numpy(text.embedding)},
            token_ids=text.token_ids,
            layout=self._layout(text_tokens(prompt, text), tuple(queries)),
            warnings=cut_warning(prompt, text),
        )

    def infer(self, batch: Sequence[Prepared], noise: NDArray[np.float32]) -> NDArray[np.float32]:
        weight = next(self.model.parameters())
        text = torch.stack([item.inputs["text"] for item in batch]).to(weight)
        given = torch.stack([item.inputs["given"] for item in batch]).to(self.device)
        is_given = torch.arange(len(self.suite.frames), device=self.device) < self.suite.n_given
        mask = is_given.to(weight).view(1, 1, -1, 1, 1).expand(len(batch), 1, -1, *given.shape[3:])
        padding = weight.new_zeros(1, 1, self._size, self._size)  # no pixel is padding

        def network(latents: Tensor, level: Tensor) -> Tensor:
            output: Tensor = self.model(
                hidden_states=latents.to(weight),
                timestep=level.to(weight),
                encoder_hidden_states=text,
                condition_mask=mask,
                padding_mask=padding,
                fps=None,  # the policy was trained without modulation by frame rate
                return_dict=False,
            )[0]
            return output.float()

        with torch.no_grad():
            latents = sample(
                network,
                torch.from_numpy(noise).to(self.device),
                given,
                is_given,
                self.options.denoising_steps,
            )
        return self._actions(latents[:, :, self.suite.n_given])

    def points(self) -> list[TapPoint]:
        """The attention modules of every block: self-attention, then cross-attention."""
        blocks = list(enumerate(self.model.transformer_blocks))
        own = [TapPoint("denoise", layer, block.attn1, True) for layer, block in blocks]
        return [*own, *(TapPoint("cross", layer, block.attn2, True) for layer, block in blocks)]

    def tapped(self, sink: WeightSink) -> AbstractContextManager[Any]:
        return attention_processors(self.points(), sink)

    def edited(self, batch: Sequence[Sequence[Knockout]]) -> AbstractContextManager[Any]:
        return masked_modules(self.points(), batch, _open_mask)

    def _given(self, seen: Seen) -> Tensor:
        """[C, T, h, w] latents of the sequence, the state written over its frame."""
        if self._last is None or self._last[0] is not seen:
            latents = torch.from_numpy(self._encode(self._video(seen))).float()
            state = seen.state
            if "proprio_min" in self._statistics:
                low, high = self._statistics["proprio_min"], self._statistics["proprio_max"]
                state = 2 * (state - low) / (high - low) - 1
            frame = latents[:, frame_index(self.suite.frames, "state")]
            frame[...] = torch.from_numpy(np.resize(state, frame.shape)).float()
            self._last = (seen, latents)
        return self._last[1]

    def _video(self, seen: Seen) -> NDArray[np.uint8]:
        """One picture for the first latent frame, four for every other; pictures to come start as the current ones."""
        black = np.zeros((self._size, self._size, 3), dtype=np.uint8)
        shown = [seen.pictures.get(name.removeprefix("future_"), black) for name in self.suite.frames]
        return np.stack([shown[0], *(picture for picture in shown[1:] for _ in range(VAE_FRAMES))])

    def _actions(self, frame: Tensor) -> NDArray[np.float32]:
        """[B, C, h, w] action frame -> [B, steps, dims]: the mean of its whole repeats of the chunk, unnormalised."""
        n_steps, n_dims = self.suite.chunk
        flat = frame.reshape(len(frame), -1)
        whole = flat.shape[1] // (n_steps * n_dims) * n_steps * n_dims
        actions = flat[:, :whole].reshape(len(frame), -1, n_steps, n_dims).mean(1).cpu().numpy()
        if "actions_min" in self._statistics:
            low, high = self._statistics["actions_min"], self._statistics["actions_max"]
            actions = 0.5 * (actions + 1) * (high - low) + low
        result: NDArray[np.float32] = actions.astype(np.float32)
        return result

    @lru_cache(maxsize=256)  # noqa: B019 - one adapter a process, and layouts are shared by its whole life
    def _layout(self, text: tuple[Token, ...], queries: tuple[str, ...]) -> Layout:
        return cosmos_layout(
            self.family,
            self.suite.frames,
            self._latent,
            text,
            queries,
            self.suite.chunk,
            self.options.query_frame,
            kept_side(self._size) / self._size,
        )


def _folder_of(checkpoint: str) -> Path:
    """A folder as it is; what is none is taken for a repository of the hub, and fetched."""
    folder = resolve_path(checkpoint)
    if folder.is_dir():
        return folder
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    patterns = ["*.json", "*.safetensors", "*.model"]
    try:
        return Path(snapshot_download(checkpoint, allow_patterns=patterns))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise CheckpointError(
            f"policy.checkpoint: no folder {folder}, and not on the hub ({reason})"
        ) from error


def _part(root: Path, name: str, given: str | None) -> Path:
    folder = root / name if given is None else resolve_path(given)
    if not folder.is_dir():
        raise UserError(
            f"{folder}: no such folder; cosmos_diffusers needs the {name} that the policy was trained with: "
            f"put it there or name it with policy.options.{name}"
        )
    return folder


def _refuse_unusable(model: nn.Module, folder: Path) -> None:
    config = model.config
    if config.in_channels != config.out_channels + 1:
        raise CheckpointError(
            f"{folder}: takes {config.in_channels} channels and gives {config.out_channels}; a video-to-world model, "
            "as Cosmos Policy is, takes one more than it gives"
        )
    if config.concat_padding_mask and not is_torchvision_available():
        raise UserError(
            f"{folder}: concat_padding_mask is set, for which diffusers needs the package 'torchvision'"
        )
    refuse_not_finite(model.state_dict(), folder)


def as_trained(image: NDArray[np.uint8], size: int = IMAGE_SIZE) -> NDArray[np.uint8]:
    """[S, S, 3] -> [size, size, 3], as the evaluations of cosmos-policy prepare it.

    JPEG at quality 95, resized (bicubic), the middle 90 % of the area, and resized again (bilinear with antialiasing).
    """
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="JPEG", quality=_JPEG_QUALITY)
    buffer.seek(0)
    decoded = Image.open(buffer)
    picture = np.asarray(decoded if decoded.size == (size, size) else decoded.resize((size, size)))
    kept = kept_side(size)
    start = round((size - kept) / 2)
    crop = torch.from_numpy(picture[start : start + kept, start : start + kept].copy()).permute(2, 0, 1)
    resized = nn.functional.interpolate(
        crop[None].float(), (size, size), mode="bilinear", align_corners=False, antialias=True
    )
    result: NDArray[np.uint8] = resized[0].round().permute(1, 2, 0).numpy().astype(np.uint8)
    return result


def _open_mask(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    """For a block's call of its attention: everything may be seen."""
    latents = args[0] if args else kwargs["hidden_states"]
    context = kwargs.get("encoder_hidden_states")
    n_keys = (latents if context is None else context).shape[1]
    return latents.new_ones(len(latents), 1, latents.shape[1], n_keys, dtype=torch.bool)
