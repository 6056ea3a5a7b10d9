"""Makes the demo pair: `python train.py [OUTPUT]`, by default into the sources of the program that embeds it.

Everything is drawn from fixed seeds. Takes less than half an hour on two cores; see README.md.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from pathlib import Path

import torch

from chat import train_tokenizer
from evaluate import measure
from export import round_weights, write_decoder, write_fuser, write_json
from fusing import train_fuser
from models import DecoderConfig
from receiver import train_receiver
from sharer import train_sharer
from world import ATTRIBUTES, World

SEED = 1
KNOWN, HELD_OUT, QUESTIONS = 2200, 200, 600
SHARER_STEPS, RECEIVER_STEPS, FUSER_STEPS = 1800, 900, 4000
FUSER_HIDDEN = 104

DEFAULT_OUTPUT = Path(__file__).resolve().parents[2] / "Sources" / "DemoPair" / "Resources"


def held_out_questions(world: World, count: int) -> list[dict[str, str]]:
    """Questions about people the fuser is never shown, with what the controls need; no two are alike."""
    rng = random.Random(SEED + 4)
    asked: set[tuple[str, str]] = set()
    lines = []
    while len(lines) < count:
        attribute, name = rng.choice(ATTRIBUTES), rng.choice(world.held_out)
        question = rng.choice(attribute.questions)
        if (name, question) in asked:
            continue
        asked.add((name, question))
        value = world.facts[name][attribute.name]
        # Another value, so that whose it is can be told.
        other = rng.choice([n for n in world.facts if world.facts[n][attribute.name] != value])
        lines.append({
            "question": question.format(name=name),
            "answer": value,
            "subject": attribute.name,
            "other_question": question.format(name=other),
            "other_answer": world.facts[other][attribute.name],
            "stranger_question": question.format(name=rng.choice(world.strangers)),
        })
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path, nargs="?", default=DEFAULT_OUTPUT)
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies all steps, to try the tool quickly")
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    start = time.monotonic()

    def report(line: str) -> None:
        print(f"{time.monotonic() - start:6.0f} s  {line}", flush=True)

    def steps(count: int) -> int:
        return max(1, int(count * arguments.scale))

    vocabulary = train_tokenizer()
    world = World.build(SEED, KNOWN, HELD_OUT)
    size = vocabulary.get_vocab_size()
    report(f"{KNOWN} people, {len(world.strangers)} strangers, {size} tokens")
    sharer = train_sharer(
        DecoderConfig("qwen2", size, hidden=128, intermediate=384, layers=6), world, vocabulary, steps(SHARER_STEPS),
        SEED, report)
    receiver = train_receiver(
        DecoderConfig("qwen3", size, hidden=128, intermediate=320, layers=4), world, vocabulary, steps(RECEIVER_STEPS),
        SEED + 1, report)
    # The fuser learns on the weights that are stored.
    round_weights(sharer)
    round_weights(receiver)
    fuser = train_fuser(
        receiver, sharer, world, vocabulary, FUSER_HIDDEN, steps(FUSER_STEPS), SEED + 2, report)
    round_weights(fuser)

    write_decoder(receiver, vocabulary, arguments.output / "receiver")
    write_decoder(sharer, vocabulary, arguments.output / "sharer")
    write_fuser(fuser, "sharer", steps(FUSER_STEPS), arguments.output / "fuser")
    questions = held_out_questions(world, QUESTIONS)
    (arguments.output / "questions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in questions))
    results = measure(arguments.output)
    write_json(arguments.output / "results.json", results, indent=1)
    report("accuracy " + json.dumps(results["accuracy"]))
    report("other person " + json.dumps(results["control_other_person"]))
    report(f"unknown person {results['control_unknown_person']}")
    report("gates " + json.dumps(results["gates_open"]))


if __name__ == "__main__":
    main()
