"""The Dockerfile, as far as tests ask."""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).resolve().parents[2]


class Instruction(NamedTuple):
    """One instruction: its name, its text without line breaks, and which stage it is of, from 0."""

    name: str
    text: str
    stage: int


def read_dockerfile() -> list[Instruction]:
    """Return all instructions."""
    text = re.sub(r"^\s*#.*\n", "", (REPOSITORY / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE)
    instructions: list[Instruction] = []
    stage = -1
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        name, _, rest = line.strip().partition(" ")
        if name:
            stage += name == "FROM"
            instructions.append(Instruction(name, rest, stage))
    return instructions


def environment_of_image(base: Mapping[str, str]) -> dict[str, str]:
    """Return what a container's program finds in its environment, after that of the base image."""
    environment = dict(base)
    last = read_dockerfile()[-1].stage
    for instruction in read_dockerfile():
        if instruction.name == "ENV" and instruction.stage == last:
            for word in shlex.split(instruction.text):
                name, _, value = word.partition("=")
                environment[name] = re.sub(r"\$\{(\w+)\}", lambda found: environment[found[1]], value)
    return environment
