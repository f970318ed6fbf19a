"""The policy at the stick: pictures, an instruction and a state in, the next actions out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from ingest.demo.model import TinyPolicy
from ingest.demo.tokenizer import TinyTokenizer, discretise_state
from ingest.episodes.preprocess import resize_with_pad

_JPEG = [cv2.IMWRITE_JPEG_QUALITY, 72]


def encode_jpeg(picture: NDArray[np.uint8]) -> bytes:
    """[H, W, 3] RGB -> the bytes of the JPEG file that is recorded."""
    _, data = cv2.imencode(".jpg", picture[..., ::-1], _JPEG)
    return data.tobytes()


def decode_jpeg(data: bytes) -> NDArray[np.uint8]:
    """The recorded picture [H, W, 3] RGB. Raises ValueError when the bytes are no picture."""
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError("not a JPEG picture; the recording is damaged")
    return np.asarray(picture[..., ::-1], dtype=np.uint8)


def noise_of(seed: int, horizon: int, action_dim: int) -> Tensor:
    """[1, horizon, action_dim] standard normal; the same for a seed on every machine."""
    return torch.randn(1, horizon, action_dim, generator=torch.Generator().manual_seed(seed))


class Pilot:
    """A policy with its tokenizer and letterbox."""

    def __init__(self, policy: TinyPolicy) -> None:
        self.policy = policy
        self.tokenizer = TinyTokenizer(policy.config.max_token_len)

    def images(self, pictures: Mapping[str, NDArray[np.uint8]]) -> Tensor:
        """Frames [H, W, 3] by camera name -> [1, cameras, 3, 224, 224] in -1..1."""
        boxed = [
            resize_with_pad(pictures[camera], self.policy.config.image_size)
            for camera in self.policy.config.cameras
        ]
        return torch.from_numpy(np.stack(boxed)).permute(0, 3, 1, 2)[None].float() / 127.5 - 1.0

    def chunk(
        self, pictures: Mapping[str, NDArray[np.uint8]], prompt: str, state: ArrayLike, noise_seed: int
    ) -> NDArray[np.float32]:
        """The next [horizon, action_dim] actions in the policy's units, for one frame."""
        return self.chunks(pictures, [prompt], state, noise_seed)[0]

    def chunks(
        self,
        pictures: Mapping[str, NDArray[np.uint8]],
        prompts: Sequence[str],
        state: ArrayLike,
        noise_seed: int,
    ) -> NDArray[np.float32]:
        """[prompts, horizon, action_dim]: several prompts at one frame, all from the same noise."""
        config, bins = self.policy.config, discretise_state(state).tolist()
        texts = [self.tokenizer.encode(prompt, bins) for prompt in prompts]
        actions: Tensor = self.policy.sample_actions(
            self.images(pictures).expand(len(prompts), -1, -1, -1, -1),
            torch.tensor([text.ids for text in texts]),
            torch.tensor([text.mask for text in texts]),
            noise_of(noise_seed, config.horizon, config.action_dim).expand(len(prompts), -1, -1),
        )
        return actions.numpy()
