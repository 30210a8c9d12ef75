"""The JSON form of a policy: agent name → state name → action name → probability.

::

    {"format": "arneq-policy", "version": 1, "horizon": null,
     "probabilities": {"row": {"s1": {"up": 0.5, "down": 0.5}}, "column": {"s1": {"left": 1}}}}

Actions of probability 0 may be left out. With a horizon T each agent has a list of T such objects of
states, one a step.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arneq_exact import require
from arneq_exact.errors import FileError
from arneq_exact.exact.rationals import FloatArray, as_float
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.json_reading import as_list, as_name, as_object, check_format, check_keys, located
from arneq_exact.model.json_writing import plain
from arneq_exact.model.policy import Policy

FORMAT = "arneq-policy"
VERSION = 1
"""Of the format; files of another one are refused."""


def policy_to_json(policy: Policy, game: MarkovGame) -> dict[str, Any]:
    """Return the policy as data for a JSON file; `policy_from_json` gives back the same bits.

    Raises
    ------
    PolicyError
        If the policy was made for a game of other sizes.

    Examples
    --------
    >>> game = MarkovGame.one_shot([[3, 1, 2]], agents=["solo"], actions=[["a", "b", "c"]])
    >>> policy_to_json(Policy(game, [[[0.5, 0, 0.5]]]), game)["probabilities"]
    {'solo': {'0': {'a': 0.5, 'c': 0.5}}}
    """
    policy.require_fit(game, "save_policy")
    data: dict[str, Any] = {}
    for agent, array in enumerate(policy):
        steps = [_step_to_json(game, agent, step) for step in array.reshape(-1, *array.shape[-2:])]
        data[game.agent_name(agent)] = steps[0] if policy.horizon is None else steps
    return {"format": FORMAT, "version": VERSION, "horizon": policy.horizon, "probabilities": data}


def policy_from_json(data: Any, game: MarkovGame, where: str = "policy") -> Policy:
    """Return the policy of `game` that `data` describes.

    Parameters
    ----------
    data : parsed JSON
    game : MarkovGame
    where : str
        The name of the file, for messages.

    Raises
    ------
    FileError
        Names the place, the value and the rule that it breaks.
    """
    top = as_object(data, where)
    check_format(top, where, FORMAT, VERSION)
    check_keys(top, where, ["format", "version", "horizon", "probabilities"])
    rule = "null or an integer of at least 1"
    place, check = f"{where}: horizon", require.whole
    horizon = require.optional(check, top["horizon"], place, at_least=1, rule=rule, error=FileError)
    agents = [game.agent_name(agent) for agent in range(game.n_agents)]
    states = {game.state_name(state): state for state in range(game.n_states)}
    given = as_object(top["probabilities"], f"{where}: probabilities")
    check_keys(given, f"{where}: probabilities", agents)
    arrays = []
    for agent, name in enumerate(agents):
        place = f"{where}: agent {name!r}"
        if horizon is None:
            arrays.append(_step_from_json(given[name], game, agent, states, place))
            continue
        steps = as_list(given[name], place, horizon, "steps")
        arrays.append(
            np.stack(
                [
                    _step_from_json(step, game, agent, states, f"{place}, step {number}")
                    for number, step in enumerate(steps)
                ]
            )
        )
    with located(where):
        return Policy(game, arrays)


def _step_to_json(game: MarkovGame, agent: int, array: FloatArray) -> dict[str, dict[str, Any]]:
    return {
        game.state_name(state): {
            game.action_name(state, agent, int(action)): plain(float(row[action]))
            for action in np.flatnonzero(row)
        }
        for state, row in enumerate(array)
    }


def _step_from_json(
    data: Any, game: MarkovGame, agent: int, states: dict[str, int], where: str
) -> FloatArray:
    given = as_object(data, where)
    for name in given:
        as_name(name, where, states, "state")
    array = np.zeros((game.n_states, int(game.action_counts[:, agent].max())))
    for name, state in states.items():
        place = f"{where}, state {name!r}"
        if name not in given:
            raise FileError(f"{place}: is missing; must be an object of action probabilities")
        actions = {
            game.action_name(state, agent, action): action
            for action in range(int(game.action_counts[state, agent]))
        }
        for action, value in as_object(given[name], place).items():
            number = as_name(action, place, actions, "action")
            array[state, number] = as_float(value, f"{place}, action {action!r}: probability", FileError)
    return array
