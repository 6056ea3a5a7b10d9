"""Training the fuser: both models are frozen, only the projectors learn, from the answers' next-token loss."""

from __future__ import annotations

import random
from collections.abc import Callable

import torch
from tokenizers import Tokenizer as Vocabulary
from torch import Tensor

from chat import chat
from fuser import Fuser
from models import Decoder
from training import Example, answer_loss, encode, optimise
from world import ATTRIBUTE, World, sentence

SUBJECTS = tuple(ATTRIBUTE)

#: Where only the prompt's end is fused: from the question's last token on. What can be learnt by heart about a person
#: stands at the name, so some batches do without it.
END_TOKENS = 6

#: What an open gate costs: little against the loss, much against a gate that changes nothing.
GATE_PRICE = 0.003


def train_fuser(
    receiver: Decoder,
    sharer: Decoder,
    world: World,
    vocabulary: Vocabulary,
    hidden: int,
    steps: int,
    seed: int,
    report: Callable[[str], None],
) -> Fuser:
    """Trains a fuser on the people set aside for it."""
    torch.manual_seed(seed)
    rng = random.Random(seed)
    for model in (receiver, sharer):
        model.requires_grad_(False)
    fuser = Fuser(sharer.config, receiver.config, hidden)
    fuser.train()
    gates = [parameter for name, parameter in fuser.named_parameters() if name.endswith("gate_logit")]
    settled = int(steps * 0.6)

    def draw(subject: str | None) -> tuple[Example, str]:
        """What the receiver reads and should answer, and what the sharer reads.

        Sometimes they read about different people, as many tokens long: the receiver is then to say what the
        sharer knows, and what it reads itself says nothing about the answer.
        """
        known = rng.choice(world.fused)
        subject = subject or rng.choice(SUBJECTS)
        question = rng.choice(ATTRIBUTE[subject].questions)
        named = rng.choice(world.strangers) if rng.random() < 0.3 else known
        answer = sentence(named, subject, world.facts[known][subject])
        return Example(chat(question.format(name=named)), answer), chat(question.format(name=known))

    def loss_at(step: int) -> tuple[Tensor, str]:
        # Gates are drawn while they learn, then stay as they fell.
        noisy = step < settled
        shape, progress = fuser.shape, min(1.0, step / settled)
        temperature = shape.initial_temperature * (shape.final_temperature / shape.initial_temperature) ** progress
        for projector in fuser.projectors:
            projector.gate_temperature.fill_(temperature)
        # One subject first: the path through the cache is found sooner.
        drawn = [draw(SUBJECTS[0] if step < 100 else None) for _ in range(64)]
        ends_only = step >= 100 and rng.random() < 0.5
        loss, right = fused_loss(receiver, sharer, fuser, vocabulary, drawn, noisy, ends_only)
        # Before anything is learnt a price would close every gate.
        price = GATE_PRICE * torch.stack(gates).sigmoid().sum() if noisy and progress > 0.5 else 0.0
        opened = sum(gate.item() > 0 for gate in gates)
        return loss + price, f"right {right:.0%}  gates open {opened}/{len(gates)}"

    weights = [parameter for name, parameter in fuser.named_parameters() if not name.endswith("gate_logit")]
    groups = [{"params": weights, "weight_decay": 0.05}, {"params": gates, "lr": 1e-2, "weight_decay": 0.0}]
    optimise("fuser", steps, groups, loss_at, report)
    return fuser.eval()


def fused_loss(
    receiver: Decoder,
    sharer: Decoder,
    fuser: Fuser,
    vocabulary: Vocabulary,
    drawn: list[tuple[Example, str]],
    noisy: bool,
    ends_only: bool,
) -> tuple[Tensor, float]:
    """Loss of the receiver's answers on the fused cache, and the share of answers whose tokens are all the likeliest.

    All prompt tokens but the last are fused; the last one and the answer run on the fused cache.
    """
    batch = encode(vocabulary, [example for example, _ in drawn])
    read = [e.ids for e in vocabulary.encode_batch_fast([prompt for _, prompt in drawn])]
    lengths = batch.prompt_lengths[:, None]
    if [len(ids) for ids in read] != batch.prompt_lengths.tolist():
        raise ValueError("both sides must read prompts of equal length; are names single tokens?")
    fused_width = int(lengths.max()) - 1
    sharer_ids = torch.zeros(len(read), fused_width + 1, dtype=torch.long)
    for row, ids in enumerate(read):
        sharer_ids[row, : len(ids)] = torch.tensor(ids)
    with torch.no_grad():
        own = receiver(batch.ids[:, :fused_width])[1]
        theirs = sharer(sharer_ids[:, :fused_width])[1]
    cache = fuser(theirs, own, noisy)
    columns = torch.arange(fused_width)
    if ends_only:
        at_end = (columns >= lengths - END_TOKENS)[:, None, :, None]
        cache = [
            (torch.where(at_end, keys, clean[0]), torch.where(at_end, values, clean[1]))
            for (keys, values), clean in zip(cache, own)
        ]

    # The tokens after the fused ones begin at another column in each row.
    width = int((batch.targets >= 0).sum(dim=1).max())
    positions = lengths - 1 + torch.arange(width)
    taken = positions.clamp(max=batch.ids.shape[1] - 1)
    targets = batch.targets.gather(1, taken).masked_fill(positions != taken, -1)
    seen = columns < lengths - 1
    prefix = torch.zeros(seen.shape).masked_fill(~seen, float("-inf"))[:, None, None].expand(-1, 1, width, -1)
    causal = torch.full((width, width), float("-inf")).triu(1).expand(len(drawn), 1, -1, -1)
    hidden, _ = receiver(batch.ids.gather(1, taken), cache, positions, torch.cat((prefix, causal), dim=-1))
    loss = answer_loss(receiver.logits, hidden, targets)
    with torch.no_grad():
        right = (receiver.logits(hidden).argmax(-1) == targets) | (targets < 0)
    return loss, right.all(dim=1).float().mean().item()
