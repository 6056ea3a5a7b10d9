"""Training the sharer: it learns all facts, and to have the answer in its cache before it speaks.

A model trained on answers alone looks a fact up while it answers. Its cache of the *prompt* then does not hold the
fact, and there is nothing to transfer. Large models think ahead by themselves; a small one must be asked to. So most
batches are quiz cards: at every position from the question's last token to the prompt's end the value is to be
predicted, from the last layer and, through the same norm and head, from the middle of the model; and from the cached
values (V) of the upper layers, by linear read-outs that are thrown away afterwards.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import torch
from tokenizers import Tokenizer as Vocabulary
from torch import Tensor, nn
from torch.nn import functional

from chat import background_prompt, chat
from models import Decoder, DecoderConfig, causal_mask, rotary
from training import Example, answer_loss, encode, optimise
from world import ATTRIBUTE, ATTRIBUTES, World, sentence

#: Prompt tokens at which a quiz card asks for the value, counted from the prompt's end: from the question's last on.
QUIZ_TOKENS = torch.arange(-6, 0)

#: The blocks whose output a quiz card asks, besides the last.
QUIZ_BLOCKS = (3, 4)

#: The blocks whose cached values a quiz card asks.
READ_BLOCKS = (4, 5, 6)

#: How many people are known from which part of the training on: a few first, so that looking up is learnt early.
CURRICULUM = ((0.0, 64), (0.08, 400), (0.25, 1_000_000))

SUBJECTS = tuple(ATTRIBUTE)


def draw(rng: random.Random, world: World, names: list[str]) -> tuple[str, str, str]:
    """A question about one of the people, its subject and the person."""
    name, subject = rng.choice(names), rng.choice(SUBJECTS)
    return rng.choice(ATTRIBUTE[subject].questions).format(name=name), subject, name


def train_sharer(
    config: DecoderConfig,
    world: World,
    vocabulary: Vocabulary,
    steps: int,
    seed: int,
    report: Callable[[str], None],
) -> Decoder:
    """Trains a sharer that knows everybody in the world."""
    torch.manual_seed(seed)
    rng = random.Random(seed)
    model = Decoder(config)
    choices = [(attribute.name, value) for attribute in ATTRIBUTES for value in attribute.values]
    readouts = nn.ModuleDict({
        str(block): nn.Linear(config.kv_heads * config.head_dim, len(choices)) for block in READ_BLOCKS
    })
    everybody = list(world.facts)
    rng.shuffle(everybody)

    def quiz(names: list[str]) -> tuple[Tensor, str]:
        drawn = [draw(rng, world, names) for _ in range(256)]
        prompts = [e.ids for e in vocabulary.encode_batch_fast([chat(question) for question, _, _ in drawn])]
        values = [vocabulary.token_to_id("Ġ" + world.facts[name][subject]) for _, subject, name in drawn]
        chosen = [choices.index((subject, world.facts[name][subject])) for _, subject, name in drawn]
        lengths = torch.tensor([len(prompt) for prompt in prompts])
        ids = torch.zeros(len(prompts), int(lengths.max()), dtype=torch.long)
        for row, prompt in enumerate(prompts):
            ids[row, : len(prompt)] = torch.tensor(prompt)
        rope = rotary(torch.arange(ids.shape[1]).expand(ids.shape), config.head_dim, config.rope_theta)
        mask, columns = causal_mask(ids.shape[1]), lengths[:, None] + QUIZ_TOKENS
        target = torch.tensor(values)[:, None].expand(columns.shape).flatten()
        choice = torch.tensor(chosen)[:, None].expand(columns.shape).flatten()
        rows_of = torch.arange(len(prompts))[:, None]
        x, losses, right, read = model.model.embed_tokens(ids), [], 0.0, 0.0
        for block, layer in enumerate(model.model.layers, start=1):
            x, (_, cached) = layer(x, rope, mask, None)
            if block in READ_BLOCKS:
                rows = cached.transpose(1, 2).flatten(2)[rows_of, columns].flatten(0, 1)
                logits = readouts[str(block)](rows)
                losses.append(functional.cross_entropy(logits, choice))
                read = (logits.argmax(-1) == choice).float().mean().item()
            if block in QUIZ_BLOCKS or block == config.layers:
                rows = x[rows_of, columns].flatten(0, 1)
                logits = model.logits(model.model.norm(rows))
                losses.append(functional.cross_entropy(logits, target))
                if block == QUIZ_BLOCKS[0]:
                    right = (logits.argmax(-1) == target).float().mean().item()
        return torch.stack(losses).mean(), f"quiz right {right:.0%}  in the cache {read:.0%}"

    def answer(names: list[str]) -> tuple[Tensor, str]:
        examples = []
        for _ in range(96):
            question, subject, name = draw(rng, world, names)
            prompt = background_prompt(question) if rng.random() < 0.4 else chat(question)
            examples.append(Example(prompt, sentence(name, subject, world.facts[name][subject])))
        batch = encode(vocabulary, examples)
        return answer_loss(model.logits, model(batch.ids)[0], batch.targets), "answer"

    def loss_at(step: int) -> tuple[Tensor, str]:
        progress = step / steps
        known = max(count for start, count in CURRICULUM if progress >= start)
        share = 0.8 if progress < 0.7 else 0.35
        loss, note = (quiz if rng.random() < share else answer)(everybody[:known])
        return loss, note

    optimise("sharer", steps, [{"params": [*model.parameters(), *readouts.parameters()]}], loss_at, report)
    return model
