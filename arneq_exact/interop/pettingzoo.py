"""Markov games as PettingZoo environments, with an attacker or without.

`to_parallel_env` turns any `MarkovGame` into a PettingZoo `ParallelEnv`, in which learners of other libraries
can be trained; `corrupt` puts an attacker between the learners and the game. `from_environment` goes the
other way. PettingZoo is an optional dependency, imported when an environment is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from arneq_exact import require
from arneq_exact.errors import GameError, ThreatError
from arneq_exact.interop.attack import Attack as Attack
from arneq_exact.interop.from_environment import from_environment as from_environment
from arneq_exact.markov.evaluate import WorstAttack
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.simulate import start_distribution
from arneq_exact.model.threat.threat_model import TIMINGS

if TYPE_CHECKING:
    from arneq_exact.interop.parallel_env import CorruptedEnv, MarkovGameEnv

DISCOUNTING = ("learner", "termination", "truncation")
ILLEGAL = ("uniform", "refuse")


def to_parallel_env(
    game: MarkovGame,
    *,
    observation: Any = "state",
    start: Any = None,
    max_steps: int | None = None,
    discounting: str = "learner",
    illegal: str = "uniform",
    mask_in_observation: bool = False,
    seed: int = 0,
) -> MarkovGameEnv:
    """Return a Markov game as a PettingZoo ParallelEnv.

    All agents observe the state, act at once and leave together. Rewards are the game's expected immediate
    rewards. An episode is terminated with the probability that its row declares. Where action sets differ
    between states, ``infos[agent]["action_mask"]`` tells which actions are there; after a step
    ``infos[agent]["action"]`` is the action that was played.

    Parameters
    ----------
    game : MarkovGame
    observation : {"state", "one-hot"}, (S, ...) array, or ``observation(state)``
        What all agents see of a state: its number in a `Discrete` space, a unit vector, or features, which
        are computed once for every state.
    start : state number or (S,) probabilities, optional
        First state; by default drawn from the game's initial distribution, uniformly if it has none.
        ``reset(options={"state": s})`` starts one episode in s.
    max_steps : int, optional
        Steps after which an episode is truncated; never by default.
    discounting : {"learner", "termination", "truncation"}
        "learner" leaves discounting to the learner. Otherwise an episode goes on after each step only with
        the probability `discount`, one for all agents, so that *undiscounted* sums of rewards have the game's
        values as expectations. Such an end counts as termination, which is right for a learner that does
        not discount, or as truncation, for one that does and bootstraps from the last observation.
    illegal : {"uniform", "refuse"}
        What happens to an action that other states have but this one has not: it is replaced by one of the
        state's own, drawn uniformly, or refused. Learners that ignore masks need the first.
    mask_in_observation : bool
        Whether observations are dictionaries of ``observation`` and ``action_mask``, as in PettingZoo's
        classic games.
    seed : int
        Of the random numbers until a seed is given to ``reset``.

    Returns
    -------
    ParallelEnv
        With the further attributes `game`, `here` (number of the present state) and `steps`, and with the
        methods `observation(state)`, which tells what is seen of a state, `get_state` and `set_state`.

    Raises
    ------
    InputError
        If PettingZoo is not installed, or an argument breaks its rule.

    Examples
    --------
    >>> from arneq_exact import catalog
    >>> env = to_parallel_env(catalog.load("nosde"), start=0)
    >>> observations, infos = env.reset(seed=0)
    >>> env.step({"1": 1, "2": 0})[:2]
    ({'1': 1, '2': 1}, {'1': 0.0, '2': 3.0})
    """
    where = "to_parallel_env"
    require.instance(game, f"{where}: game", MarkovGame, GameError)
    steps = require.optional(require.whole, max_steps, f"{where}: max_steps", at_least=1)
    seed = require.whole(seed, f"{where}: seed", at_least=0)
    require.one_of(discounting, f"{where}: discounting", DISCOUNTING)
    require.one_of(illegal, f"{where}: illegal", ILLEGAL)
    masked = require.flag(mask_in_observation, f"{where}: mask_in_observation")
    if discounting != "learner" and len(set(game.discount.tolist())) > 1:
        raise GameError(
            f"{where}: discounting is {discounting!r} and discounts are {game.discount.tolist()}; "
            "must be one for all agents"
        )
    table = _observation_table(game, observation)
    first = start_distribution(game, start, where)
    _require_pettingzoo(where)
    from arneq_exact.interop.parallel_env import MarkovGameEnv

    return MarkovGameEnv(
        game,
        observations=table,
        start=first,
        max_steps=steps,
        discounting=discounting,
        illegal=illegal,
        mask_in_observation=masked,
        seed=seed,
    )


def corrupt(env: Any, attack: Any, *, timing: str = "per-state", seed: int = 0) -> CorruptedEnv:
    """Return an environment in which an attacker overrules the agents that it corrupts.

    Parameters
    ----------
    env : ParallelEnv
        Made by `to_parallel_env`, perhaps with wrappers around it.
    attack : Attack or WorstAttack
        Who is corrupted in a state and what they play. What `arneq_exact.worst_attack` returns can be
        given as it is.
    timing : {"per-state", "static"}
        Whether the corruption set is drawn anew at every step, or once, in the first state of an episode
        [T13]. For the latter the attack must have the same possible sets in every state.
    seed : int
        Of the attacker's random numbers until a seed is given to ``reset``.

    Raises
    ------
    InputError
        If the arguments do not fit together.

    Examples
    --------
    >>> from arneq_exact import Policy, ThreatModel, catalog, worst_attack
    >>> game = catalog.load("static-chain")
    >>> attack = worst_attack(game, ThreatModel(1), Policy.uniform(game), agent=0)
    >>> env = corrupt(to_parallel_env(game), attack)
    >>> _ = env.reset(seed=0)
    >>> _, rewards, _, _, infos = env.step({"1": 0, "2": 0, "3": 0})
    >>> rewards["1"], [infos[agent]["corrupted"] for agent in env.possible_agents]
    (0.0, [False, True, False])
    """
    _require_pettingzoo("corrupt")
    from arneq_exact.interop.parallel_env import CorruptedEnv, MarkovGameEnv

    inner = getattr(env, "unwrapped", None)
    if not isinstance(inner, MarkovGameEnv):
        raise require.broken(env, "corrupt: env", "made by to_parallel_env")
    if isinstance(attack, WorstAttack):
        attack = Attack.worst(inner.game, attack)
    require.instance(attack, "corrupt: attack", Attack, ThreatError, "an Attack or a WorstAttack")
    attack.require_fit(inner.game, "corrupt")
    require.that(timing in TIMINGS, timing, "corrupt: timing", "per-state or static", ThreatError)
    if timing == "static" and not attack.has_one_family():
        raise ThreatError(
            "corrupt: timing is 'static' and the attack's corruption sets differ between states; "
            "must be the same in all"
        )
    if attack.horizon is not None and attack.horizon < (inner.max_steps or attack.horizon + 1):
        raise ThreatError(
            f"corrupt: attack has horizon {attack.horizon} and max_steps is {inner.max_steps}; "
            "must be an environment of at most as many steps"
        )
    return CorruptedEnv(env, attack, timing, require.whole(seed, "corrupt: seed", at_least=0))


def _observation_table(game: MarkovGame, observation: Any) -> np.ndarray[Any, Any] | None:
    """Return what is seen of every state, (S, ...); None for the state's number."""
    if isinstance(observation, str):
        if observation == "state":
            return None
        if observation == "one-hot":
            return np.eye(game.n_states, dtype=np.float32)
    given = [observation(state) for state in range(game.n_states)] if callable(observation) else observation
    try:
        table = np.array(given)
    except ValueError:
        table = np.zeros(0)
    if table.ndim < 2 or len(table) != game.n_states or table.dtype.kind not in "biuf" or not table.size:
        rule = f"state, one-hot, or one array of numbers for each of {game.n_states} states, all of one shape"
        raise require.broken(observation, "to_parallel_env: observation", rule)
    require.finite(table, "to_parallel_env: observation", verb="holds")
    return table.astype(np.float32) if table.dtype.kind == "f" else table.astype(np.int64)


def _require_pettingzoo(where: str) -> None:
    require.installed("pettingzoo", where=where, extra="pettingzoo", called="PettingZoo")
