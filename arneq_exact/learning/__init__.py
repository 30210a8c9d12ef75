"""Learning from samples or from gradients: agents that update as they play, and what they are held against.

Names are loaded when first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_HOMES = {
    "Learner": "learner",
    "LearnerEntry": "learners",
    "LEARNERS": "learners",
    "learner_names": "learners",
    "make_learner": "learners",
    "train": "checkpoint",
    "save_checkpoint": "checkpoint",
    "load_checkpoint": "checkpoint",
    "ART": "art",
    "CONVERGENT": "art",
}

__all__ = sorted(_HOMES)

if TYPE_CHECKING:
    from arneq_exact.learning.art import ART as ART
    from arneq_exact.learning.art import CONVERGENT as CONVERGENT
    from arneq_exact.learning.checkpoint import load_checkpoint as load_checkpoint
    from arneq_exact.learning.checkpoint import save_checkpoint as save_checkpoint
    from arneq_exact.learning.checkpoint import train as train
    from arneq_exact.learning.learner import Learner as Learner
    from arneq_exact.learning.learners import LEARNERS as LEARNERS
    from arneq_exact.learning.learners import LearnerEntry as LearnerEntry
    from arneq_exact.learning.learners import learner_names as learner_names
    from arneq_exact.learning.learners import make_learner as make_learner


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'arneq_exact.learning' has no attribute {name!r}")
    return getattr(importlib.import_module(f"arneq_exact.learning.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
