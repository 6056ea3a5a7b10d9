"""Chats in the ChatML manner, and the tokenizer that both models share."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from world import ATTRIBUTES, FIRST_NAMES, LAST_NAMES, sentence

PAD, START, END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"

TEMPLATE = (
    "{%- for message in messages %}{{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}"
    "{%- endfor %}{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}"
)

#: What a sharer is asked for in text-to-text; the wording is that of the reference implementation (thu-nics/C2C).
BACKGROUND_REQUEST = "Briefly describe the most useful background to solve the problem:\n\n{question}"

#: The pre-tokenizer pattern of Qwen2.
_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def chat(*turns: str) -> str:
    """The prompt for turns that alternate between user and assistant, ready for the assistant to answer."""
    roles = ("user", "assistant")
    text = "".join(f"{START}{roles[i % 2]}\n{turn}{END}\n" for i, turn in enumerate(turns))
    return f"{text}{START}assistant\n"


def background_prompt(question: str) -> str:
    """What the sharer reads in text-to-text."""
    return chat(BACKGROUND_REQUEST.format(question=question))


def text_to_text_prompt(question: str, told: str) -> str:
    """What the receiver reads in text-to-text, after the sharer wrote `told`."""
    return chat(BACKGROUND_REQUEST.format(question=question), told, question)


def _corpus() -> list[str]:
    """Every word of the world in the places where it is said."""
    names = [f"{first} {last}" for first, last in product(FIRST_NAMES, LAST_NAMES)]
    lines = []
    for attribute in ATTRIBUTES:
        for i, value in enumerate(attribute.values * 8):
            name = names[(i * 191) % len(names)]
            lines.append(sentence(name, attribute.name, value))
            lines.append(BACKGROUND_REQUEST.format(question=attribute.questions[i % 4].format(name=name)))
    lines += [f"{name}: {name}" for name in names]
    lines += [f"{START}assistant\n" for _ in range(200)]
    return lines


def train_tokenizer(limit: int = 2048) -> Tokenizer:
    """Byte-level BPE that has every word of the world as one token, and the whole byte alphabet for all other text.

    `limit` bounds the vocabulary; merging ends sooner, when no rare word is left in pieces.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(_PATTERN), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=limit - 3, min_frequency=2, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(_corpus(), trainer)
    tokenizer.add_special_tokens([AddedToken(text, special=True) for text in (PAD, START, END)])
    return tokenizer


def write_tokenizer(tokenizer: Tokenizer, directory: Path, context: int) -> None:
    """Writes tokenizer.json and tokenizer_config.json as Hugging Face does."""
    tokenizer.save(str(directory / "tokenizer.json"), pretty=False)
    added = {
        str(tokenizer.token_to_id(text)): {
            "content": text, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False,
            "special": True,
        }
        for text in (PAD, START, END)
    }
    config = {
        "add_bos_token": False,
        "add_prefix_space": False,
        "added_tokens_decoder": added,
        "additional_special_tokens": [START, END],
        "bos_token": None,
        "chat_template": TEMPLATE,
        "clean_up_tokenization_spaces": False,
        "eos_token": END,
        "errors": "replace",
        "model_max_length": context,
        "pad_token": PAD,
        "split_special_tokens": False,
        "tokenizer_class": "Qwen2Tokenizer",
        "unk_token": None,
    }
    (directory / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")
