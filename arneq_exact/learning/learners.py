"""The learners by name: one row each, read by experiments, tests and docs.

To add a learner, write a class on `arneq_exact.learning.learner.Learner` and add its row here.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from arneq_exact import require
from arneq_exact.learning.learner import Learner
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.threat import ThreatModel


@dataclass(frozen=True)
class LearnerEntry:
    """One learner.

    Attributes
    ----------
    name : str
    aims_at : str
        What its policy would be if training succeeded.
    trains_against : str
        Whom the agents meet while they learn.
    home : str
        "module:class", imported when the learner is made.
    presets : mapping
        Options that the name stands for.
    learns : bool
        Whether it is a learner, and not a line to compare learners with.
    """

    name: str
    aims_at: str
    trains_against: str
    home: str
    presets: Mapping[str, Any] = field(default_factory=dict)
    learns: bool = True


LEARNERS: tuple[LearnerEntry, ...] = (
    LearnerEntry(
        "art-exact",
        "an ARNEQ of the threat",
        "an attacker for every agent, learning too; gradients from the model",
        "art:ART",
        {"gradients": "exact"},
    ),
    LearnerEntry(
        "art-sampled",
        "an ARNEQ of the threat",
        "an attacker for every agent, learning too; gradients from episodes",
        "art:ART",
        {"gradients": "sampled"},
    ),
    LearnerEntry(
        "independent-policy-gradient",
        "a Nash equilibrium",
        "each other, nobody corrupted",
        "baselines:IndependentPolicyGradient",
    ),
    LearnerEntry(
        "all-others-adversarial",
        "maximin strategies",
        "all other agents corrupted for certain (k = n−1), by a learning attacker",
        "baselines:AllOthersAdversarial",
    ),
    LearnerEntry(
        "random-corruption",
        "best replies to chance",
        "a set drawn uniformly among the largest of the threat, which plays uniformly or by random policies",
        "baselines:RandomCorruption",
    ),
    LearnerEntry(
        "fixed-corruption",
        "an equilibrium if it is known who is corrupted",
        "one known set, played by a learning attacker",
        "baselines:FixedCorruption",
    ),
    LearnerEntry(
        "procedure",
        "an ARNEQ, where the model-based procedure converges",
        "reference line: one iteration is one step of Eq. (2)",
        "references:Procedure",
        learns=False,
    ),
    LearnerEntry(
        "solve",
        "an ARNEQ, proved",
        "reference line: the first iteration runs the solver",
        "references:Solved",
        learns=False,
    ),
)


def learner_names() -> tuple[str, ...]:
    """Return the names that `make_learner` knows."""
    return tuple(entry.name for entry in LEARNERS)


def learner_entry(name: Any, where: str) -> LearnerEntry:
    """Return the row of a name, which `where` names in the message if there is no such learner."""
    require.one_of(name, where, learner_names())
    (found,) = (entry for entry in LEARNERS if entry.name == name)
    return found


def make_learner(
    name: str, game: MarkovGame, threat: ThreatModel, *, seed: int = 0, **options: Any
) -> Learner:
    """Make a learner by its name.

    Parameters
    ----------
    name : str
        One of `learner_names`.
    game : MarkovGame
    threat : ThreatModel
        What the policy is to be robust against.
    seed : int
    **options
        Plain data, as a configuration file holds it; see the class that the row names.

    Raises
    ------
    InputError
        If the name or an option is unknown, or a value breaks its rule.

    Examples
    --------
    >>> game = MarkovGame.one_shot([[[3, 0], [5, 1]], [[3, 5], [0, 1]]])  # prisoners' dilemma
    >>> learner = make_learner("art-exact", game, ThreatModel(0), agent_rate=1.0)
    >>> learner.step(200)
    >>> learner.policy[0].round(1).tolist()
    [[0.0, 1.0]]
    """
    entry = learner_entry(name, "make_learner: name")
    module, cls = entry.home.split(":")
    made = getattr(importlib.import_module(f"arneq_exact.learning.{module}"), cls)
    learner: Learner = made(game, threat, seed=seed, **{**entry.presets, **options})
    return learner
