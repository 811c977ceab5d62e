"""Generated estates, small enough for a twin, by seed; with edits (edits.py)."""

from __future__ import annotations

import random

import yaml

from farshore.estate.estate import Estate
from farshore.estate.project_reading import parse_project
from farshore.generate import Shape, generate, project


def generated(seed: int) -> Estate:
    """At most sixty hosts."""
    chance = random.Random(seed)
    shape = Shape(
        spokes=chance.randint(2, 6),
        machines=chance.randint(4, 12),
        prefixes=chance.randint(4, 14),
        seed=seed,
        shape=chance.choice(("shared", "adversarial")),
        circuits=chance.choice((2, 3, 4)),
    )
    return Estate.from_resources(list(generate(shape))).with_project(parse_project(yaml.safe_dump(project(shape))))
