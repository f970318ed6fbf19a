"""LeRobot's pi0, pi05 and smolvla, each through its own processors (written for release 0.6).

Which slot of the prefix shows which camera, where a picture lies in it, and what the text that enters says is read from
what the policy's own functions return. LeRobot appends the slots of missing cameras last, centres pictures for pi0 and
pi05, and puts them into the lower right corner for smolvla. Raises ModuleNotFoundError where LeRobot is missing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, get_args

import numpy as np
import torch
from lerobot.processor import RelativeActionsProcessorStep, TokenizerProcessorStep, create_transition
from lerobot.utils.constants import OBS_LANGUAGE_ATTENTION_MASK, OBS_LANGUAGE_TOKENS, OBS_STATE
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ingest.attention.edit import Knockout, masked_modules
from ingest.attention.layout import Camera, Layout, LayoutError, Token
from ingest.attention.tapping import tap
from ingest.attention.taps import TapPoint, WeightSink
from ingest.episodes.base import Observation
from ingest.episodes.preprocess import PIXELS, Fit, Letterbox, Place
from ingest.errors import CheckpointError, DataError, UnknownNameError
from ingest.policies.base import Geometry, Prepared, Seen
from ingest.policies.lerobot_checkpoint import Checkpoint, read_checkpoint
from ingest.policies.lerobot_text import text_of
from ingest.policies.pi_layout import Slot, pi_layout
from ingest.policies.pictures_once import each_once
from ingest.policies.smolvla_tap import smolvla_edits, smolvla_tap
from ingest.study import PolicySection, refuse_unused

_PROBES = ((90, 160), (160, 90))  # height and width of pictures that leave bars either way


@dataclass(frozen=True)
class Frames(Seen):
    """``frames`` [H, W, 3] are the raw pictures: the policy resizes them itself."""

    frames: Mapping[str, NDArray[np.uint8]]


class _Place(NamedTuple):
    """One slot of the prefix."""

    camera: Camera
    is_masked: bool


def load(section: PolicySection, device: str) -> LeRobotAdapter:
    """Loads a hub id or a local folder.

    ``policy.config`` names the image features that the study's cameras fill, 'base=base_0_rgb, wrist=left_wrist_0_rgb';
    without it every feature is a camera of its own name. Features that no camera fills are missing cameras.
    Raises CheckpointError, and UnknownNameError for a feature that the policy does not have.
    """
    refuse_unused(section, "options")
    checkpoint = read_checkpoint(section, device)
    features = _features_of(section.config, list(checkpoint.policy.config.image_features))
    return LeRobotAdapter(checkpoint, features, section, device)


def _features_of(config: str | None, known: Sequence[str]) -> dict[str, str]:
    """Camera of the study -> image feature of the policy."""
    if config is None:
        return {_short(key): key for key in known if not _short(key).startswith("empty_camera_")}
    features = {}
    for pair in config.split(","):
        role, _, name = (part.strip() for part in pair.partition("="))
        found = [key for key in known if name in (key, _short(key))]
        if not found:
            raise UnknownNameError(
                f"policy.config: expected 'camera=feature, ...' with features of {[_short(key) for key in known]}, "
                f"found {pair.strip()!r}"
            )
        features[role] = found[0]
    return features


class LeRobotAdapter:
    """``model`` is LeRobot's policy; ``features`` maps each camera of the study to the image feature it fills."""

    family = "lerobot"
    attention_impl = "eager"  # all three force it themselves

    def __init__(
        self, checkpoint: Checkpoint, features: Mapping[str, str], section: PolicySection, device: str
    ) -> None:
        self.model, self._preprocessor, self._postprocessor, self.checkpoint_hash = checkpoint
        self.checkpoint, self.dtype, self.device = section.checkpoint, section.dtype, device
        config = self.model.config
        self._kind, self._features = config.type, dict(features)
        self._is_smolvla = self._kind == "smolvla"
        self._fitter = "prepare_images" if self._is_smolvla else "_preprocess_images"
        for point in self.points():
            point.module.config._attn_implementation = (
                "eager"  # as the policy itself sets it at its first inference
            )
        self._tokenizer = next(s for s in self._preprocessor.steps if isinstance(s, TokenizerProcessorStep))
        if not self._tokenizer.input_tokenizer.is_fast:
            raise CheckpointError(
                f"{self.checkpoint}: its tokenizer gives no character offsets, so words cannot be found"
            )
        self._fit = self._the_fit()
        self._places = self._slots()
        self._is_checked = False
        points = self.points()
        self.geometry = Geometry(
            n_layers=len(points) // 2,
            n_heads=points[0].module.config.num_attention_heads,
            head_dim=points[0].module.head_dim,
            passes={
                "prefix": 0,
                "suffix": config.num_steps if self._is_smolvla else config.num_inference_steps,
            },
            noise_shape=(config.chunk_size, config.max_action_dim),
            cameras={place.camera.name: place.camera.rows for place in self._places if not place.is_masked},
            fits=dict.fromkeys(self._features, self._fit),
        )

    def see(self, observation: Observation) -> Frames:
        missing = sorted(set(self._features) - set(observation.images))
        if missing:
            raise DataError(
                f"frame {observation.frame_index}: no picture of {', '.join(missing)}, "
                f"found {sorted(observation.images)}",
                subject=f"frame {observation.frame_index}",
                reason="missing_camera",
            )
        self._check_state(observation)
        frames = {camera: observation.images[camera] for camera in self._features}
        boxes = {camera: self._fitted(*frame.shape[:2]) for camera, frame in frames.items()}
        shown = self._images({self._features[c]: _as_input(frame)[None] for c, frame in frames.items()})[0]
        pictures = {
            place.camera.name: _as_picture(image) for place, image in zip(self._places, shown, strict=True)
        }
        return Frames(
            {camera: pictures[camera] for camera in frames},
            {camera: box.scaled(PIXELS) for camera, box in boxes.items()},
            observation.state,
            frames,
        )

    def prepare(self, seen: Seen, prompt: str, queries: Sequence[str]) -> Prepared:
        if not isinstance(seen, Frames):
            raise TypeError("LeRobot's policies resize the raw frames: pass what see() returned")
        state = torch.from_numpy(seen.state.astype(np.float32))
        raw = {self._features[camera]: _as_input(frame) for camera, frame in seen.frames.items()}
        batch = self._preprocessor({**raw, OBS_STATE: state, "task": prompt})
        text = text_of(self._kind, batch, self._tokenizer)
        sizes = tuple((camera, *frame.shape[:2]) for camera, frame in seen.frames.items())
        layout = self._layout(text.tokens, sizes, tuple(queries))
        inputs = {k: v for k, v in batch.items() if k.startswith("observation.") and isinstance(v, Tensor)}
        if not self._is_checked:
            self._check_layout(layout, inputs)
            self._is_checked = True
        return Prepared({**inputs, "state": state[None]}, text.ids, layout, text.warnings)

    def infer(self, batch: Sequence[Prepared], noise: NDArray[np.float32]) -> NDArray[np.float32]:
        items = [dict(item.inputs) for item in batch]
        with self._fitting_each(items):
            inputs = {name: torch.cat([item[name] for item in items]) for name in items[0]}
            state = inputs.pop("state")
            actions = self.model.predict_action_chunk(inputs, noise=torch.from_numpy(noise).to(self.device))
        for step in self._preprocessor.steps:
            if isinstance(step, RelativeActionsProcessorStep):
                step(
                    create_transition(observation={OBS_STATE: state})
                )  # what relative actions are relative to
        result: NDArray[np.float32] = self._postprocessor(actions).float().cpu().numpy()
        return result

    def points(self) -> list[TapPoint]:
        """The attention modules of both stacks; smolvla calls their projections only."""
        core = self.model.model
        if self._is_smolvla:
            vlm = core.vlm_with_expert
            prefix, suffix = vlm.get_vlm_model().text_model.layers, vlm.lm_expert.layers
        else:
            prefix = core.paligemma_with_expert.paligemma.model.language_model.layers
            suffix = core.paligemma_with_expert.gemma_expert.model.layers
        return [
            *(TapPoint("prefix", index, layer.self_attn, False) for index, layer in enumerate(prefix)),
            *(TapPoint("suffix", index, layer.self_attn, True) for index, layer in enumerate(suffix)),
        ]

    def pictures_once(self) -> AbstractContextManager[Any]:
        return each_once(self._embedder(), "embed_image")

    def _embedder(self) -> Any:
        core = self.model.model
        return core.vlm_with_expert if self._is_smolvla else core.paligemma_with_expert

    def tapped(self, sink: WeightSink) -> AbstractContextManager[Any]:
        if self._is_smolvla:
            return smolvla_tap(self.model.model.vlm_with_expert, self.points(), sink)
        return tap(self.points(), sink, self.attention_impl)

    def edited(self, batch: Sequence[Sequence[Knockout]]) -> AbstractContextManager[Any]:
        if self._is_smolvla:
            return smolvla_edits(self.model.model.vlm_with_expert, self.points(), batch)
        return masked_modules(self.points(), batch)

    # --- pictures -------------------------------------------------------------------------------------------------

    @contextmanager
    def _fitting_each(self, items: Sequence[dict[str, Tensor]]) -> Iterator[None]:
        """While open, pictures of other sizes than their neighbours' are fitted into the input one by one.

        Does nothing where all have one size: then they are joined raw, and fitted by the policy together.
        """
        pictures = [key for key in self._features.values() if len({item[key].shape for item in items}) > 1]
        if not pictures:
            yield
            return
        fitted = [self._images(item) for item in items]
        joined = tuple(
            [torch.cat(parts) for parts in zip(*kind, strict=True)] for kind in zip(*fitted, strict=True)
        )
        for item in items:
            for key in pictures:
                del item[key]
        setattr(self.model, self._fitter, lambda _batch: joined)
        try:
            yield
        finally:
            delattr(self.model, self._fitter)

    @torch.no_grad()
    def _images(self, batch: Mapping[str, Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """The policy's own: pictures [B, 3, S, S] in [-1, 1] and masks [B], slot by slot."""
        images, masks = getattr(self.model, self._fitter)(
            {name: values.to(self.device) for name, values in batch.items()}
        )
        return images, masks

    def _slots(self) -> tuple[_Place, ...]:
        """Which camera fills which slot, from pictures of one grey each, and how many patches it has a side."""
        names = {key: camera for camera, key in self._features.items()}
        greys = np.linspace(0.25, 0.75, len(names))
        probes = {
            key: torch.full((1, 3, 32, 32), float(grey)) for key, grey in zip(names, greys, strict=True)
        }
        images, masks = self._images(probes)
        with torch.no_grad():
            n_patches = self._embedder().embed_image(images[0]).shape[1]
        side = math.isqrt(n_patches)
        if side * side != n_patches or PIXELS % side:
            raise CheckpointError(
                f"{self.checkpoint}: {n_patches} patches a picture; the measures take square grids that divide {PIXELS}"
            )
        missing = iter(_short(key) for key in self.model.config.image_features if key not in names)
        places = []
        for image, mask in zip(images, masks, strict=True):
            grey = (float(image.max()) + 1) / 2
            shown = list(names.values())[int(np.abs(greys - grey).argmin())]
            name = shown if mask[0] else next(missing)
            places.append(_Place(Camera(name, side, side, fit=self._fit), not mask[0]))
        return tuple(places)

    def _the_fit(self) -> Fit:
        """The rule behind :meth:`_fitted`, by which masks of any frame are placed.

        Raises CheckpointError where the policy puts pictures neither into the middle nor into the lower right corner.
        """
        boxes = [self._fitted(*probe) for probe in _PROBES]
        for at in get_args(Place):
            fit = Fit(boxes[0].size, at)
            wanted = [Letterbox.from_size(*probe, fit.size, fit.at) for probe in _PROBES]
            if all(one.sides == other.sides for one, other in zip(boxes, wanted, strict=True)):
                return fit
        raise CheckpointError(
            f"{self.checkpoint}: puts a picture of {_PROBES[0]} pixels at row {boxes[0].top} of {boxes[0].size}; "
            "known are the middle and the end"
        )

    @lru_cache(maxsize=64)  # noqa: B019 - one adapter a process
    def _fitted(self, height: int, width: int) -> Letterbox:
        """Where the policy puts a picture of that size, from a white one: what surrounds it is black."""
        image = self._images({next(iter(self._features.values())): torch.ones(1, 3, height, width)})[0][0]
        size = image.shape[-1]
        if image.shape[-2] != size:
            raise CheckpointError(f"{self.checkpoint}: its input is {image.shape[-2]} x {size}, not square")
        white = image[0, 0].cpu().numpy() > 0
        rows, columns = np.flatnonzero(white.any(axis=1)), np.flatnonzero(white.any(axis=0))
        return Letterbox(
            scale=size / max(height, width),
            top=int(rows[0]),
            left=int(columns[0]),
            height=len(rows),
            width=len(columns),
            source_height=height,
            source_width=width,
            size=size,
        )

    # --- layout ---------------------------------------------------------------------------------------------------

    @lru_cache(maxsize=256)  # noqa: B019 - one adapter a process
    def _layout(
        self, text: tuple[Token, ...], sizes: tuple[tuple[str, int, int], ...], queries: tuple[str, ...]
    ) -> Layout:
        boxes = {camera: self._fitted(height, width) for camera, height, width in sizes}
        slots = [
            Slot(camera, (0.0,) * camera.rows**2, True)
            if is_masked
            else Slot(camera, tuple(boxes[camera.name].picture_share(camera.rows).tolist()))
            for camera, is_masked in self._places
        ]
        core, n_actions = self.model.model, self.model.config.chunk_size
        if not self._is_smolvla:
            is_pi0 = self._kind == "pi0"
            return pi_layout(self.family, slots, text, n_actions, queries, has_state_token=is_pi0)
        before, after = [], []
        if core.add_image_special_tokens:
            before = [Token("text", "template")] * core.global_image_start_token.numel()
            after = [Token("text", "template")] * core.image_end_token.numel()
        n_patches = sum(camera.rows**2 + len(before) + len(after) for camera, _ in self._places)
        padding = max(0, core.prefix_length - n_patches - len(text) - 1)
        tail = [*text, Token("state", "state"), *[Token("pad", "pad", is_valid=False)] * padding]
        return pi_layout(self.family, slots, tail, n_actions, queries, around=(before, after))

    @torch.no_grad()
    def _check_layout(self, layout: Layout, inputs: Mapping[str, Tensor]) -> None:
        """Raises LayoutError where the policy's own mask of the prefix says otherwise, once a policy."""
        state = {"state": self.model.prepare_state(inputs)} if self._is_smolvla else {}
        text = inputs[OBS_LANGUAGE_TOKENS], inputs[OBS_LANGUAGE_ATTENTION_MASK]
        mask = self.model.model.embed_prefix(*self._images(inputs), *text, **state)[1]
        if mask[0].tolist() != [token.is_valid for token in layout.of("prefix").tokens]:
            raise LayoutError(f"{self._kind}: the layout of the prefix is not that of the policy's own mask")

    def _check_state(self, observation: Observation) -> None:
        config = self.model.config
        wanted, found = config.input_features[OBS_STATE].shape[0], len(observation.state)
        if (
            found != wanted and not found < wanted == config.max_state_dim
        ):  # shorter ones are padded to the limit
            raise DataError(
                f"frame {observation.frame_index}: the policy takes a state of {wanted} numbers, found {found}",
                subject=f"frame {observation.frame_index}",
                reason="wrong_state_size",
            )


def _short(key: str) -> str:
    return key.rpartition(".")[2]


def _as_input(frame: NDArray[np.uint8]) -> Tensor:
    """uint8 [H, W, 3] -> float32 [3, H, W] in [0, 1], as LeRobot's data sets give it."""
    return torch.from_numpy(frame.copy()).permute(2, 0, 1).float() / 255  # frames are read-only


def _as_picture(image: Tensor) -> NDArray[np.uint8]:
    """float [1, 3, S, S] in [-1, 1] -> uint8 [224, 224, 3], what a reader is shown."""
    values = ((image[0].float().cpu() + 1) * 127.5).round().clamp(0, 255).byte().permute(1, 2, 0).numpy()
    if values.shape[0] == PIXELS:
        return np.ascontiguousarray(values)
    return np.asarray(Image.fromarray(values).resize((PIXELS, PIXELS), resample=Image.Resampling.BOX))
