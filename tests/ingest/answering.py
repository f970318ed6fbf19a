"""A small PaliGemma with random weights that answers with its most likely next word."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn

from ingest.policies.huggingface import HuggingFacePolicy, Inputs
from ingest.study import PolicySection
from tests.conformance.models import paligemma
from tests.conformance.models.tokens import toy_tokenizer


def make(section: PolicySection, device: str) -> HuggingFacePolicy:
    return replace(paligemma.make(), reply=reply, device=device)


def reply(model: nn.Module, inputs: Inputs) -> list[str]:
    logits = paligemma.forward(model, {name: values for name, values in inputs.items() if name != "last"})
    best = logits[torch.arange(len(logits)), inputs["last"][:, 0]].argmax(-1)
    return [toy_tokenizer().decode(token) for token in best.tolist()]
