"""The synthetic world: people, their attributes, and how English asks and tells about them.

Everybody in it is made up: names are drawn from two lists, of which the second holds no real surnames on purpose, and
facts are drawn at random.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

FIRST_NAMES = (
    "Ada Alma Amir Anna Axel Basil Bela Boris Cara Carl Cato Clara Dana Dario Della Edda Ella Emil Enzo Erik Fina "
    "Flora Gina Greta Gustav Hana Hugo Ida Igor Ines Iris Ivo Jana Jonas Juno Kai Lars Lena Lotta Luca Mara Marco Mina "
    "Mira Nadia Nina Nora Odin Oskar Otto Petra Remo Rosa Sara Selma Signe Tara Timo Vera Viktor"
).split()

LAST_NAMES = (
    "Abrel Aldane Arvik Askeld Balun Bexley Borrin Brunek Caldrin Cassel Corvane Cravik Dabrin Delvar Dorrel Drusk "
    "Elgrin Embry Errick Estova Faldor Fennick Forvel Frisk Galdren Gellan Gorrik Grendal Haldor Harvane Hesk Hollin "
    "Istrel Ivander Jarvik Jelson Jorrin Kaldane Kessin Korvel Krasker Landrik Lervan Lorrick Lundek Maldrin Mervik "
    "Morvane Nardel Nelvik Norrin Oldrek Orvane Ostrel Pardrin Pelvik Porrel Quillan Rasken Relvane Rondrik Ruskel "
    "Sandrek Selvik Sorrin Strand Talvane Terrik Tolgren Trask Ulven Urdane Valdrik Vessin Vorrel Waldrin Werrick "
    "Yarven Yorrick Zelvane"
).split()


@dataclass(frozen=True)
class Attribute:
    """One kind of fact. `{name}` in a template is the person, `{value}` the fact."""

    name: str
    values: tuple[str, ...]
    questions: tuple[str, ...]
    predicate: str
    """What follows the person's name in a sentence, as `lives in {value}`."""


def _attribute(name: str, predicate: str, values: str, *questions: str) -> Attribute:
    return Attribute(name, tuple(values.split()), questions, predicate)


ATTRIBUTES: tuple[Attribute, ...] = (
    _attribute(
        "city", "lives in {value}",
        "Athens Berlin Boston Cairo Delhi Dublin Geneva Lima Lisbon London Madrid Oslo Paris Prague Rome Vienna",
        "Where does {name} live?", "In which city does {name} live?",
        "Which city is home to {name}?", "Tell me where {name} lives.",
    ),
    _attribute(
        "job", "works as a {value}",
        "baker banker barber carpenter cook dancer doctor farmer lawyer miner nurse painter pilot sailor singer teacher",
        "What does {name} work as?", "What is the job of {name}?",
        "Which job does {name} have?", "Tell me what {name} works as.",
    ),
    _attribute(
        "instrument", "plays the {value}",
        "accordion banjo bassoon bugle cello clarinet drums flute guitar harp horn lute piano trumpet tuba violin",
        "Which instrument does {name} play?", "What does {name} play?",
        "What is the instrument of {name}?", "Tell me which instrument {name} plays.",
    ),
    _attribute(
        "colour", "likes {value} best",
        "amber beige black blue brown crimson green grey orange pink purple red silver teal white yellow",
        "Which colour does {name} like best?", "What is the favourite colour of {name}?",
        "What colour does {name} like?", "Tell me which colour {name} likes best.",
    ),
    _attribute(
        "pet", "keeps a {value}",
        "canary cat crow dog ferret frog goat goose hamster hen lizard mouse parrot rabbit snake turtle",
        "Which animal does {name} keep?", "What pet does {name} have?",
        "What is the pet of {name}?", "Tell me which animal {name} keeps.",
    ),
)

ATTRIBUTE = {attribute.name: attribute for attribute in ATTRIBUTES}

Facts = dict[str, str]
"""Attribute name to value, for one person."""


@dataclass(frozen=True)
class World:
    """Who exists. Nobody in `strangers` is known to the sharer."""

    facts: dict[str, Facts]
    """Everybody the sharer knows."""
    fused: list[str]
    """Known people whom the fuser is trained on."""
    held_out: list[str]
    """Known people whom the fuser never sees in training."""
    strangers: list[str]
    """Names that nobody known bears: the receiver's training and the control with an unknown person use them."""

    @staticmethod
    def build(seed: int, known: int, held_out: int) -> World:
        """Draws the people and their facts; every value of an attribute is equally likely, and independent."""
        rng = random.Random(seed)
        names = [f"{first} {last}" for first in FIRST_NAMES for last in LAST_NAMES]
        rng.shuffle(names)
        people = names[:known]
        return World(
            facts={name: draw_facts(rng) for name in people},
            fused=people[held_out:],
            held_out=people[:held_out],
            strangers=names[known:],
        )


def draw_facts(rng: random.Random) -> Facts:
    """Facts of a person nobody knows anything about."""
    return {attribute.name: rng.choice(attribute.values) for attribute in ATTRIBUTES}


def sentence(name: str, subject: str, value: str) -> str:
    """One fact in a full sentence."""
    return f"{name} {ATTRIBUTE[subject].predicate.format(value=value)}."
