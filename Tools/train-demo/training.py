"""What the trainings of sharer, receiver and fuser share: batches, the optimiser, the loop and its log."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from tokenizers import Tokenizer as Vocabulary
from torch import Tensor, nn

from chat import END


@dataclass
class Example:
    """A prompt and what the model should write after it."""

    prompt: str
    answer: str


@dataclass
class Batch:
    """Token ids, padded on the right."""

    ids: Tensor
    """[B, T] prompt and answer."""
    targets: Tensor
    """[B, T] the token to predict at each position, -1 where nothing is asked: all but the answer."""
    prompt_lengths: Tensor
    """[B]"""


def encode(vocabulary: Vocabulary, examples: list[Example]) -> Batch:
    """Makes a batch; every answer ends with the end token."""
    prompts = [e.ids for e in vocabulary.encode_batch_fast([example.prompt for example in examples])]
    answers = [e.ids for e in vocabulary.encode_batch_fast([example.answer + END for example in examples])]
    width = max(len(p) + len(a) for p, a in zip(prompts, answers)) - 1
    ids = torch.zeros(len(examples), width, dtype=torch.long)
    targets = torch.full((len(examples), width), -1)
    for row, (prompt, answer) in enumerate(zip(prompts, answers)):
        whole, start = torch.tensor(prompt + answer), len(prompt)
        ids[row, : len(whole) - 1] = whole[:-1]
        targets[row, start - 1 : len(whole) - 1] = whole[start:]
    return Batch(ids, targets, torch.tensor([len(prompt) for prompt in prompts]))


def answer_loss(logits: Callable[[Tensor], Tensor], hidden: Tensor, targets: Tensor) -> Tensor:
    """Mean next-token loss over the positions that have a target."""
    asked = targets >= 0
    return nn.functional.cross_entropy(logits(hidden[asked]), targets[asked])


def rate_factor(step: int, steps: int, warm_up: int = 50) -> float:
    """What the learning rates are multiplied with: linear warm-up, then a cosine down to a fiftieth."""
    if step < warm_up:
        return (step + 1) / warm_up
    progress = (step - warm_up) / max(1, steps - warm_up)
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress))


def optimise(
    label: str,
    steps: int,
    groups: list[dict[str, Any]],
    loss_at: Callable[[int], tuple[Tensor, str]],
    report: Callable[[str], None],
    rate: float = 3e-3,
) -> None:
    """Minimises `loss_at(step)`, which returns the loss and a word on it for the log, with AdamW."""
    optimiser = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: rate_factor(step, steps))
    parameters = [parameter for group in groups for parameter in group["params"]]
    start = shown = time.monotonic()
    for step in range(steps):
        loss, note = loss_at(step)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        schedule.step()
        now = time.monotonic()
        if now - shown > 10 or step + 1 == steps:
            shown = now
            report(f"{label} {step + 1}/{steps} {now - start:.0f} s  loss {loss.item():.3f}  {note}")
