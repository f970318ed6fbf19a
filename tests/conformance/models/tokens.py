"""A toy tokenizer of the kind that transformers loads: one token a word, unknown words by bytes."""

from __future__ import annotations

from functools import lru_cache

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

SENTENCES = (
    "pick up the duck find the banana and lift it task state action do something cube bottle",
    "In : Out : What action should the robot take to ? ; , .",
)


@lru_cache
def toy_tokenizer() -> PreTrainedTokenizerFast:
    """Byte-level BPE over a few sentences, with <pad>, <bos> and <image>; any text can be encoded."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<pad>", "<bos>", "<image>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([sentence for sentence in SENTENCES for _ in range(20)], trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<bos>")
