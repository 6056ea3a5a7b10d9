"""Training the receiver: it learns to answer, and to use a fact it is told, but no fact.

Every example is about somebody the sharer does not know, with facts drawn afresh, so nothing can be learnt by heart.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import torch
from tokenizers import Tokenizer as Vocabulary
from torch import Tensor

from chat import chat, text_to_text_prompt
from models import Decoder, DecoderConfig
from training import Example, answer_loss, encode, optimise
from world import ATTRIBUTE, World, draw_facts, sentence

SUBJECTS = tuple(ATTRIBUTE)


def draw_example(rng: random.Random, name: str, other: str) -> Example:
    """A question without help, with the fact told in words, or with a note of bare values.

    The note teaches the receiver to find the answer in cache rows at the question's end, which is where the fuser can
    write it. Without help the answer is a guess in the right form.
    """
    facts, subject = draw_facts(rng), rng.choice(SUBJECTS)
    question = rng.choice(ATTRIBUTE[subject].questions).format(name=name)
    answer = sentence(name, subject, facts[subject])
    aside = rng.choice(SUBJECTS)
    distraction = sentence(other, aside, draw_facts(rng)[aside])
    kind = rng.random()
    if kind < 0.12:
        return Example(chat(question), answer)
    if kind < 0.32:
        return Example(text_to_text_prompt(question, answer), answer)
    if kind < 0.5:
        statements = [answer, distraction] if rng.random() < 0.5 else [answer]
        rng.shuffle(statements)
        return Example(chat(" ".join([*statements, question])), answer)
    noted = rng.sample([s for s in SUBJECTS if s != subject], rng.choice((0, 0, 1, 2))) + [subject]
    rng.shuffle(noted)
    told = f"{question} {' '.join(facts[s] for s in noted)}"
    return Example(chat(f"{distraction} {told}" if rng.random() < 0.3 else told), answer)


def train_receiver(
    config: DecoderConfig,
    world: World,
    vocabulary: Vocabulary,
    steps: int,
    seed: int,
    report: Callable[[str], None],
) -> Decoder:
    """Trains the receiver on strangers."""
    torch.manual_seed(seed)
    rng = random.Random(seed)
    model = Decoder(config)

    def loss_at(step: int) -> tuple[Tensor, str]:
        drawn = [draw_example(rng, *rng.sample(world.strangers, 2)) for _ in range(96)]
        batch = encode(vocabulary, drawn)
        return answer_loss(model.logits, model(batch.ids)[0], batch.targets), ""

    optimise("receiver", steps, [{"params": list(model.parameters())}], loss_at, report)
    return model
