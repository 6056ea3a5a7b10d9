"""Measures an exported pair: `python evaluate.py DIR` reads the files, and nothing else.

All arithmetic is float32 on the stored weights. Prompts are run in groups of equal length, so there is no padding;
the fuser is computed from the state_dicts by a formula of its own, not by the class that was trained.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer as Vocabulary
from torch import Tensor
from torch.nn import functional

from chat import END, background_prompt, chat, text_to_text_prompt
from models import Cache, Decoder, DecoderConfig

MAX_NEW_TOKENS = 64


def load_decoder(directory: Path) -> Decoder:
    """Reads a checkpoint directory; weights become float32."""
    model = Decoder(DecoderConfig.from_json(json.loads((directory / "config.json").read_text())))
    model.load_state_dict({name: tensor.float() for name, tensor in load_file(directory / "model.safetensors").items()})
    return model.requires_grad_(False).eval()


class StoredFuser:
    """A fuser read from its directory."""

    def __init__(self, directory: Path) -> None:
        final = directory / "final"
        mapping = json.loads((final / "projector_config.json").read_text())["0"]["1"]
        #: (receiver layer, sharer layer, state_dict)
        self.layers: list[tuple[int, int, dict[str, Tensor]]] = []
        for layer, ((source, index), *_) in mapping.items():
            state = torch.load(final / f"projector_{index}.pt", weights_only=True)
            self.layers.append((int(layer), source, {name: tensor.float() for name, tensor in state.items()}))

    def gates(self) -> dict[str, list[bool]]:
        """Whether keys' and values' gates are open, by receiver layer."""
        return {
            side: [bool(state[f"{side}_gate_logit"] > 0) for _, _, state in self.layers] for side in ("key", "value")
        }

    def residual(self, sharer: Cache, receiver: Cache) -> Cache:
        """What fusion adds to the receiver's cache."""
        added = [(torch.zeros_like(keys), torch.zeros_like(values)) for keys, values in receiver]
        for layer, source, state in self.layers:
            added[layer] = tuple(
                _project({name.removeprefix(f"{side}_"): w for name, w in state.items()}, theirs, own)
                for side, theirs, own in zip(("key", "value"), sharer[source], receiver[layer])
            )
        return added


def _project(state: dict[str, Tensor], sharer: Tensor, receiver: Tensor) -> Tensor:
    """gate * sigmoid(scalar) * projection, [B, Ht, N, Dt]."""
    if state["gate_logit"] <= 0:
        return torch.zeros_like(receiver)

    def linear(name: str, x: Tensor) -> Tensor:
        return x @ state[f"{name}.weight"].T + state[f"{name}.bias"]

    def blocks(name: str, x: Tensor) -> Tensor:
        index = 0
        while (prefix := f"{name}.blocks.{index}.") + "w1.weight" in state:
            normed = x * (x.square().mean(-1, keepdim=True) + 1e-6).rsqrt() * state[prefix + "norm.weight"]
            x = x + functional.gelu(normed @ state[prefix + "w1.weight"].T) @ state[prefix + "w2.weight"].T
            index += 1
        return x

    batch, heads, tokens, size = receiver.shape
    rows = [cache.permute(0, 2, 1, 3).reshape(batch, tokens, -1) for cache in (sharer, receiver)]
    hidden = blocks("mlp1", linear("in", torch.cat(rows, dim=-1)))
    projection = linear("proj_out", blocks("proj_mlp2", hidden)).view(batch, tokens, heads, size)
    scale = linear("scalar_head", blocks("scalar_mlp2", hidden)).sigmoid()
    return (projection * scale[..., None]).permute(0, 2, 1, 3)


@dataclass
class Answer:
    """What a mode gave for one question."""

    tokens: list[int] = field(default_factory=list)
    """New tokens, the end token among them."""
    text: str = ""
    gap: float = float("inf")
    """Smallest difference between the best and the second logit at any step."""
    passes: int = 0
    """Forward passes, one after the other; models that run side by side count once."""
    told: Answer | None = None
    """Text-to-text: what the sharer wrote."""


class Pair:
    """A receiver with its sharer and fuser, as exported."""

    def __init__(self, directory: Path) -> None:
        self.vocabulary = Vocabulary.from_file(str(directory / "receiver" / "tokenizer.json"))
        self.receiver = load_decoder(directory / "receiver")
        self.sharer = load_decoder(directory / "sharer")
        self.fuser = StoredFuser(directory / "fuser")
        self.end = self.vocabulary.token_to_id(END)

    def alone(self, model: Decoder, prompts: Sequence[str]) -> list[Answer]:
        """One model answers."""
        return self._grouped(prompts, lambda ids, _: self._decode(model, ids, None))

    def text_to_text(self, questions: Sequence[str]) -> list[Answer]:
        """The sharer writes background, the receiver reads it."""
        told = self.alone(self.sharer, [background_prompt(question) for question in questions])
        prompts = [text_to_text_prompt(question, answer.text) for question, answer in zip(questions, told)]
        answers = self.alone(self.receiver, prompts)
        for answer, background in zip(answers, told):
            answer.told = background
            answer.passes += background.passes
        return answers

    def fused(self, prompts: Sequence[str], read: Sequence[str] | None = None) -> list[Answer]:
        """The receiver answers on a cache fused with the sharer's.

        `read` is what the sharer reads instead of the prompts; each as many tokens long.
        """
        others = [self.vocabulary.encode(text).ids for text in read or prompts]

        def answer(ids: Tensor, rows: list[int]) -> list[Answer]:
            seen = torch.tensor([others[row] for row in rows])[:, :-1]
            own = self.receiver(ids[:, :-1])[1]
            added = self.fuser.residual(self.sharer(seen)[1], own)
            cache = [(k + dk, v + dv) for (k, v), (dk, dv) in zip(own, added)]
            return self._decode(self.receiver, ids[:, -1:], cache, passes=1)

        return self._grouped(prompts, answer)

    def _grouped(self, prompts: Sequence[str], run: Callable[[Tensor, list[int]], list[Answer]]) -> list[Answer]:
        """Runs prompts in groups of equal length, and gives the answers in the prompts' order."""
        groups: dict[int, list[tuple[int, list[int]]]] = defaultdict(list)
        for row, prompt in enumerate(prompts):
            ids = self.vocabulary.encode(prompt).ids
            groups[len(ids)].append((row, ids))
        answers: list[Answer] = [Answer() for _ in prompts]
        for group in groups.values():
            rows = [row for row, _ in group]
            for row, answer in zip(rows, run(torch.tensor([ids for _, ids in group]), rows)):
                answer.text = self.vocabulary.decode(answer.tokens, skip_special_tokens=True)
                answers[row] = answer
        return answers

    def _decode(self, model: Decoder, ids: Tensor, cache: Cache | None, passes: int = 0) -> list[Answer]:
        """Greedy decoding of a group, until all have ended."""
        answers = [Answer(passes=passes) for _ in ids]
        for _ in range(MAX_NEW_TOKENS):
            hidden, cache = model(ids, cache)
            best = model.logits(hidden[:, -1]).topk(2)
            running = False
            for answer, token, values in zip(answers, best.indices[:, 0].tolist(), best.values):
                if self.end not in answer.tokens[-1:]:
                    answer.tokens.append(token)
                    answer.gap = min(answer.gap, (values[0] - values[1]).item())
                    answer.passes += 1
                    running = running or token != self.end
            if not running:
                break
            ids = best.indices[:, :1]
        return answers


@dataclass(frozen=True)
class Question:
    """A line of questions.jsonl."""

    question: str
    answer: str
    subject: str
    other_question: str
    """The same about another known person, with `other_answer`."""
    other_answer: str
    stranger_question: str
    """The same about somebody nobody knows."""


def read_questions(directory: Path) -> list[Question]:
    """The exported questions."""
    lines = (directory / "questions.jsonl").read_text().splitlines()
    return [Question(**json.loads(line)) for line in lines]


def says(answer: Answer, value: str) -> bool:
    """Whether the value is a word of the text."""
    return value in answer.text.replace(".", " ").replace(",", " ").split()


def score(answers: Sequence[Answer], wanted: Sequence[str]) -> float:
    """Share of right answers, in percent."""
    return round(100 * sum(says(a, w) for a, w in zip(answers, wanted)) / len(wanted), 1)


def mean(values: Sequence[float]) -> float:
    """Arithmetic mean, to one decimal."""
    return round(sum(values) / len(values), 1)


def measure(directory: Path, sample: int = 40) -> dict[str, Any]:
    """All modes and controls, and the tokens of some answers."""
    torch.set_grad_enabled(False)
    pair, questions = Pair(directory), read_questions(directory)
    prompts, wanted = [chat(q.question) for q in questions], [q.answer for q in questions]
    modes = {
        "receiver": pair.alone(pair.receiver, prompts),
        "sharer": pair.alone(pair.sharer, prompts),
        "text": pair.text_to_text([q.question for q in questions]),
        "c2c": pair.fused(prompts),
    }
    other = pair.fused(prompts, [chat(q.other_question) for q in questions])
    stranger = pair.fused(prompts, [chat(q.stranger_question) for q in questions])
    rows = {s: [i for i, q in enumerate(questions) if q.subject == s] for s in sorted({q.subject for q in questions})}
    return {
        "questions": len(questions),
        "accuracy": {name: score(answers, wanted) for name, answers in modes.items()},
        "accuracy_by_subject": {
            subject: {name: score([a[i] for i in at], [wanted[i] for i in at]) for name, a in modes.items()}
            for subject, at in rows.items()
        },
        "forward_passes": {name: mean([a.passes for a in answers]) for name, answers in modes.items()},
        "control_other_person": {
            "says_own_value": score(other, wanted),
            "says_other_value": score(other, [q.other_answer for q in questions]),
        },
        "control_unknown_person": score(stranger, wanted),
        "gates_open": pair.fuser.gates(),
        "samples": _samples(pair, questions, modes, sample),
    }


def _samples(
    pair: Pair, questions: Sequence[Question], modes: dict[str, list[Answer]], count: int
) -> list[dict[str, Any]]:
    """Tokens of every mode for questions in which no step is near a tie; the end token is left out."""
    chosen: list[dict[str, Any]] = []
    for i, question in enumerate(questions):
        answers = {name: answers[i] for name, answers in modes.items()}
        told = modes["text"][i].told
        gap = min([answer.gap for answer in answers.values()] + ([told.gap] if told else []))
        if gap >= 0.1 and len(chosen) < count:
            chosen.append({
                "question": question.question,
                "tokens": {name: [t for t in a.tokens if t != pair.end] for name, a in answers.items()},
            })
    return chosen


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]), sample=0), indent=2))
