"""Cosmos Policy through NVIDIA's cosmos-policy: its loader, its preprocessing and its `get_action`, as in its evaluations.

``policy: {family: cosmos, checkpoint: nvidia/Cosmos-Policy-LIBERO-Predict2-2B, config: libero, dtype: bfloat16,
options: {dataset_statistics: ..., text_embeddings: ...}}``, run inside cosmos-policy's own environment. Its loader needs
a CUDA device. It would unpickle whatever it is given: unless the study sets ``trust_pickles``, the checkpoint is read as
tensors alone, and text embeddings from safetensors.

`get_action` runs twice an inference: up to the sampler, to make the model's inputs and the indices of its latent
frames, and from there on, to read the actions. The sampler between runs once for the batch, from the study's noise.
Without a route through the T5 tokenizer (``options.tokenizer``) the prompt's words cannot be told from each other.

Verified here with small random weights on a CPU, the VAE and the text encoder faked; no trained checkpoint was at hand.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from pickle import UnpicklingError
from types import ModuleType, SimpleNamespace
from typing import Any

import cosmos_policy  # noqa: F401 - so that its absence is known before anything is loaded
import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn

from ingest.attention.compute_attention import compute_attention_edits, compute_attention_taps
from ingest.attention.edit import Knockout
from ingest.attention.layout import Layout, Token
from ingest.attention.taps import TapPoint, WeightSink
from ingest.episodes.base import Observation
from ingest.episodes.preprocess import Letterbox
from ingest.errors import CheckpointError, UserError
from ingest.identity import hash_file, hash_files
from ingest.policies.base import Geometry, Prepared, Seen
from ingest.policies.cosmos_layout import (
    PATCH,
    CosmosOptions,
    Text,
    checked_options,
    cosmos_layout,
    cut_warning,
    frames_from_indices,
    kept_side,
    state_of,
    suite_of,
    text_tokens,
    the_square,
)
from ingest.policies.cosmos_parts import Pieces, read_embeddings, t5_pieces
from ingest.policies.cosmos_sampler import n_calls
from ingest.policies.finite import refuse_not_finite
from ingest.policies.pickles import no_pickles, refuse_pickle
from ingest.study import PolicySection, options_of, resolve_path

# cosmos-policy's names of the pictures, in `*_latent_idx`, and ours.
CAMERAS = {
    "libero": {"wrist_image": "wrist", "image": "primary"},
    "robocasa": {"wrist_image": "wrist", "image": "primary", "image2": "secondary"},
    "aloha": {"wrist_image": "left_wrist", "wrist_image2": "right_wrist", "image": "primary"},
}
_ALOHA = "foldshirt15_candiesinbowl45_candyinbag45_eggplantchickenonplate80"
EXPERIMENTS = {
    "libero": "cosmos_predict2_2b_480p_libero__inference_only",
    "robocasa": "cosmos_predict2_2b_480p_robocasa_50_demos_per_task__inference",
    "aloha": f"cosmos_predict2_2b_480p_aloha_185_demos_4_tasks_mixture_{_ALOHA}__inference_only",
}
_SAFE = ".safetensors"
_log = logging.getLogger(__name__)


class Options(CosmosOptions):
    """Files of the checkpoint, as paths or as `owner/name/file` of the hub, and what its loader is told."""

    dataset_statistics: str | None = None
    text_embeddings: str | None = None
    tokenizer: str | None = None
    experiment: str | None = None
    config_file: str = "cosmos_policy/config/config.py"
    trust_pickles: bool = Field(
        False, description="Let cosmos-policy unpickle its files, which can run any code that is in them."
    )


def load(section: PolicySection, device: str) -> CosmosAdapter:
    """Loads a checkpoint with cosmos-policy's own loader.

    Raises UserError for a device that is not CUDA, another dtype, or missing files, CheckpointError for a checkpoint
    that its loader refuses, or that it would have to unpickle.
    """
    options, suite = options_of(section, Options), suite_of(section.config)
    name = str(section.config)
    _refuse_pickled_embeddings(options)
    if not device.startswith("cuda"):
        raise UserError(f"compute.device: cosmos-policy runs on CUDA alone, found {device!r}")
    if options.dataset_statistics is None:
        raise UserError("policy.options.dataset_statistics: name the checkpoint's JSON of minima and maxima")
    utils = imported_for(name)
    if suite.chunk[1] != utils.ACTION_DIM:
        raise UserError(
            f"cosmos_policy is set to actions of {utils.ACTION_DIM} numbers, {name} has {suite.chunk[1]}"
        )
    try:
        path = _path_of(utils, section.checkpoint)
        cfg = eval_config(name, chunk_size=suite.chunk[0])
        cfg.config, cfg.config_file = options.experiment or EXPERIMENTS[name], options.config_file
        cfg.ckpt_path = str(path)
        with nullcontext() if options.trust_pickles else no_pickles():
            model, _ = utils.get_model(cfg)
        statistics = utils.load_dataset_stats(options.dataset_statistics)
        fill_embeddings(utils, options.text_embeddings, device)
    except UnpicklingError:
        refuse_pickle("policy.checkpoint", section.checkpoint, "convert it to a file of tensors alone")
    except (OSError, ValueError, KeyError, RuntimeError, AssertionError) as error:
        reason = " ".join(str(error).split())[:300]
        raise CheckpointError(f"{section.checkpoint}: cosmos-policy cannot load it ({reason})") from error
    adapter = CosmosAdapter(
        model,
        utils,
        cfg,
        statistics,
        options=options,
        checkpoint=section.checkpoint,
        checkpoint_hash=hash_file(path)
        if path.is_file()
        else hash_files(path, [file for file in path.rglob("*") if file.is_file()]),
        device=device,
        pieces=None if options.tokenizer is None else t5_pieces(resolve_path(options.tokenizer)),
    )
    if adapter.dtype != section.dtype:
        raise UserError(f"policy.dtype: the checkpoint runs in {adapter.dtype}, found {section.dtype!r}")
    return adapter


def _refuse_pickled_embeddings(options: Options) -> None:
    named = options.text_embeddings
    if named is not None and not named.endswith(_SAFE) and not options.trust_pickles:
        instead = "convert it to .safetensors (docs/cosmos.md), or leave it out to have prompts encoded anew"
        refuse_pickle("policy.options.text_embeddings", named, instead)


def fill_embeddings(utils: ModuleType, named: str | None, device: str) -> None:
    """Puts known prompts into cosmos-policy's cache of embeddings; prompts that are not there it encodes itself."""
    if named is None or not named.endswith(_SAFE):
        utils.init_t5_text_embeddings_cache(named)
        return
    here = resolve_path(named)
    path = here if here.exists() else Path(utils.resolve_path(named))
    found = {prompt: values.to(device) for prompt, values in read_embeddings(path).items()}
    utils.t5_text_embeddings_cache.update(found)


def imported_for(suite: str) -> ModuleType:
    """cosmos-policy's `cosmos_utils`, whose constants come from the words of the command line."""
    words, sys.argv = sys.argv, ["gazehouse", suite]
    try:
        from cosmos_policy.experiments.robot import cosmos_utils
    finally:
        sys.argv = words
    module: ModuleType = cosmos_utils
    return module


def eval_config(suite: str, *, chunk_size: int) -> SimpleNamespace:
    """What `get_action` asks of its configuration, with the values of the evaluations."""
    cameras = CAMERAS[suite]
    return SimpleNamespace(
        suite=suite,
        chunk_size=chunk_size,
        use_third_person_image=True,
        num_third_person_images=2 if "image2" in cameras else 1,
        use_wrist_image=True,
        num_wrist_images=2 if "wrist_image2" in cameras else 1,
        use_proprio=True,
        normalize_proprio=True,
        unnormalize_actions=True,
        use_jpeg_compression=True,
        trained_with_image_aug=True,
        use_variance_scale=False,
    )


@dataclass(frozen=True)
class _Sampling:
    """What `get_action` calls the sampler with."""

    data_batch: Mapping[str, Any]
    options: Mapping[str, Any]

    def indices(self) -> dict[str, int]:
        """Latent frames by cosmos-policy's names."""
        return {n: int(v[0]) for n, v in self.data_batch.items() if n.endswith("_latent_idx")}

    def text(self) -> Text:
        return Text.from_embedding(self.data_batch["t5_text_embeddings"][0].float().cpu().numpy())


class _Sampled(Exception):  # noqa: N818 - it carries inputs, no error
    def __init__(self, sampling: _Sampling) -> None:
        super().__init__()
        self.sampling = sampling


class CosmosAdapter:
    """``model`` is a `CosmosPolicyVideo2WorldModel`, ``utils`` cosmos-policy's module, ``cfg`` as :func:`eval_config`.

    Raises CheckpointError where weights of the network are not finite.
    """

    family = "cosmos"

    def __init__(
        self,
        model: nn.Module,
        utils: ModuleType,
        cfg: SimpleNamespace,
        statistics: Mapping[str, NDArray[np.float64]],
        *,
        checkpoint: str = "random weights",
        checkpoint_hash: str = "0" * 16,
        device: str = "cpu",
        options: CosmosOptions | None = None,
        pieces: Pieces | None = None,
    ) -> None:
        refuse_not_finite(model.net.state_dict(), checkpoint)
        self.model, self.checkpoint, self.checkpoint_hash = model, checkpoint, checkpoint_hash
        self.device, self.dtype = device, str(model.precision).removeprefix("torch.")
        self.attention_impl = str(model.net.atten_backend)
        self._utils, self._cfg, self._statistics, self._pieces = utils, cfg, statistics, pieces
        # `see` prepares the pictures once; what it gives is not to be compressed and cropped again.
        self._cfg_of_prepared = SimpleNamespace(
            **{**vars(cfg), "use_jpeg_compression": False, "trained_with_image_aug": False}
        )
        self.suite = replace(suite_of(cfg.suite), chunk=(cfg.chunk_size, utils.ACTION_DIM))
        self.options = checked_options(options or CosmosOptions(), self.suite.frames)
        size = utils.COSMOS_IMAGE_SIZE
        self._kept = kept_side(size) / size if cfg.trained_with_image_aug else 1.0
        side = size // model.tokenizer.spatial_compression_factor
        self._latent = (model.config.state_ch, side, side)
        calls = n_calls(self.options.denoising_steps)
        self.geometry = Geometry(
            n_layers=len(model.net.blocks),
            n_heads=model.net.num_heads,
            head_dim=model.net.model_channels // model.net.num_heads,
            passes={"denoise": calls, "cross": calls},
            noise_shape=(model.config.state_ch, model.config.state_t, side, side),
            cameras=dict.fromkeys(self.suite.cameras, side // PATCH),
        )

    def see(self, observation: Observation) -> Seen:
        size, names = self._utils.COSMOS_IMAGE_SIZE, self.suite.cameras
        raw = [the_square(observation, name) for name in names]
        prepared = [self._utils.prepare_images_for_model([image], self._cfg)[0] for image in raw]
        boxes = [Letterbox.from_size(len(image), len(image), size) for image in raw]
        wanted = len(self._statistics["proprio_min"])
        return Seen(
            dict(zip(names, prepared, strict=True)),
            dict(zip(names, boxes, strict=True)),
            state_of(observation, self.suite, wanted),
            kept=dict.fromkeys(names, self._kept),
        )

    def prepare(self, seen: Seen, prompt: str, queries: Sequence[str]) -> Prepared:
        question: dict[str, Any] = {f"{name}_image": picture for name, picture in seen.pictures.items()}
        question["proprio"] = seen.state
        sampling = self._up_to_the_sampler(question, prompt)
        text = sampling.text()
        if self._pieces is not None:
            ids, pieces, is_cut = self._pieces(prompt, len(text.embedding))
            text = replace(text, token_ids=ids, pieces=pieces, is_cut=is_cut)
        frames = frames_from_indices(sampling.indices(), CAMERAS[self._cfg.suite])
        return Prepared(
            inputs={"question": question, "prompt": prompt, "sampling": sampling},
            token_ids=text.token_ids,
            layout=self._layout(frames, text_tokens(prompt, text), tuple(queries)),
            warnings=cut_warning(prompt, text),
        )

    def infer(self, batch: Sequence[Prepared], noise: NDArray[np.float32]) -> NDArray[np.float32]:
        samplings = [item.inputs["sampling"] for item in batch]
        joined = {name: _joined([s.data_batch[name] for s in samplings]) for name in samplings[0].data_batch}
        with torch.inference_mode():
            latents, clean = self.model.generate_samples_from_batch(
                joined,
                **{**samplings[0].options, "n_sample": len(batch)},
                x_sigma_max=torch.from_numpy(noise).to(self.device) * self.model.sde.sigma_max,
            )
        chunks = [
            self._from_the_sampler_on(item, latents[i : i + 1], clean[i : i + 1])
            for i, item in enumerate(batch)
        ]
        return np.stack(chunks).astype(np.float32)

    def points(self) -> list[TapPoint]:
        """The attention modules of every block: self-attention, then cross-attention."""
        blocks = list(enumerate(self.model.net.blocks))
        own = [TapPoint("denoise", layer, block.self_attn, True) for layer, block in blocks]
        return [*own, *(TapPoint("cross", layer, block.cross_attn, True) for layer, block in blocks)]

    def tapped(self, sink: WeightSink) -> AbstractContextManager[Any]:
        return compute_attention_taps(self.points(), sink)

    def edited(self, batch: Sequence[Sequence[Knockout]]) -> AbstractContextManager[Any]:
        return compute_attention_edits(self.points(), batch)

    def _get_action(self, question: Mapping[str, Any], prompt: str) -> Mapping[str, Any]:
        result: Mapping[str, Any] = self._utils.get_action(
            self._cfg_of_prepared,
            self.model,
            self._statistics,
            question,
            prompt,
            num_denoising_steps_action=self.options.denoising_steps,
            generate_future_state_and_value_in_parallel=False,  # the pictures need not be decoded
        )
        return result

    def _up_to_the_sampler(self, question: Mapping[str, Any], prompt: str) -> _Sampling:
        def stop(data_batch: Mapping[str, Any], **options: Any) -> None:
            raise _Sampled(_Sampling(data_batch, options))

        try:
            with _in_place_of_the_sampler(self.model, stop):
                self._get_action(question, prompt)
        except _Sampled as reached:
            return reached.sampling
        raise RuntimeError("get_action came back without asking for a sample")

    def _from_the_sampler_on(self, item: Prepared, latents: Tensor, clean: Tensor) -> NDArray[np.float32]:
        with _in_place_of_the_sampler(self.model, lambda *_args, **_options: (latents, clean)):
            result = self._get_action(item.inputs["question"], item.inputs["prompt"])
        return np.stack(result["actions"])

    @lru_cache(maxsize=256)  # noqa: B019 - one adapter a process, and layouts are shared by its whole life
    def _layout(self, frames: tuple[str, ...], text: tuple[Token, ...], queries: tuple[str, ...]) -> Layout:
        return cosmos_layout(
            self.family,
            frames,
            self._latent,
            text,
            queries,
            self.suite.chunk,
            self.options.query_frame,
            self._kept,
        )


@contextmanager
def _in_place_of_the_sampler(model: nn.Module, function: Callable[..., Any]) -> Iterator[None]:
    model.generate_samples_from_batch = function
    try:
        yield
    finally:
        del model.generate_samples_from_batch


def _joined(values: Sequence[Any]) -> Any:
    """One entry of the data batches, which the sampler changes: tensors joined along the batch, the rest as it is."""
    return torch.cat(list(values)) if isinstance(values[0], Tensor) else values[0]


def _path_of(utils: ModuleType, checkpoint: str) -> Path:
    path = resolve_path(checkpoint)
    if path.exists() or not utils.is_hf_checkpoint_path(checkpoint):
        return path
    return Path(utils.download_hf_checkpoint(checkpoint))
