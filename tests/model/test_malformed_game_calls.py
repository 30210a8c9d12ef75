"""Malformed calls that build games: each raises GameError, in one line that names the place."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from arneq_exact.errors import GameError
from arneq_exact.model.exact import ExactData
from arneq_exact.model.explore import explore
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.names import GameNames

NAN, INF = float("nan"), float("inf")


def direct(**changes: Any) -> Callable[[], MarkovGame]:
    """Two states, one agent with two actions in the first: three rows."""
    parts: dict[str, Any] = {
        "rewards": np.zeros((3, 1)),
        "transitions": sp.csr_array(np.array([[1.0, 0], [0, 1], [0, 1]])),
        "action_counts": np.array([[2], [1]]),
        "discount": 0.9,
    }
    return lambda: MarkovGame(**{**parts, **changes})


def arrays(rewards: Any = ((((1.0, 2.0)),),), transitions: Any = (((1.0,), (1.0,)),), **rest: Any) -> Any:
    """One state, one agent, two actions."""
    rest.setdefault("discount", 0.9)
    return lambda: MarkovGame.from_arrays(_lists(rewards), _lists(transitions), **rest)


def _lists(value: Any) -> Any:
    return [_lists(part) for part in value] if isinstance(value, tuple) else value


def rows(counts: Any = ((2,),), rewards: Any = ((1,), (2,)), moves: Any = None, **rest: Any) -> Any:
    rest.setdefault("discount", 0.9)
    moves = [[(1, 0)], [(1, 0)]] if moves is None else moves
    return lambda: MarkovGame.from_rows(counts, rewards, moves, **rest)


def step(
    state: Any = "s", agents: Any = 1, actions: Any = (("go",),), result: Any = ([0], [(1, "s")])
) -> Any:
    return lambda: explore([state], agents, actions, lambda _state, _joint: result, 0.9)


def exact(**changes: Any) -> ExactData:
    parts: dict[str, Any] = {
        "reward_numerators": np.array([[0], [0], [0]], dtype=object),
        "reward_denominators": np.array([1, 1, 1], dtype=object),
        "transition_numerators": np.array([1, 1, 1], dtype=object),
        "transition_denominators": np.array([1, 1, 1], dtype=object),
        "discount": (Fraction(0.9),),
    }
    return ExactData(**{**parts, **changes})


def bits(count: int) -> Any:
    return np.array([count] * 3, dtype=object)


GAME_CALLS: list[tuple[Callable[[], Any], str]] = [
    (direct(rewards=np.zeros((2, 1))), "rewards have shape (2, 1); must be (rows, n) = (3, 1)"),
    (direct(rewards=np.zeros(3)), "rewards have shape (3,)"),
    (direct(rewards=[[0], [NAN], [0]]), "reward of agent '1' in state '0', joint action (1,) is nan"),
    (direct(rewards=[[0], [0], [INF]]), "reward of agent '1' in state '1', joint action (0,) is inf"),
    (direct(rewards=[[0], [0], [-1e151]]), "is -1e+151; must be finite and at most 1e+150"),
    (direct(rewards=[[0], [0]]), "rewards have shape (2, 1)"),
    (direct(rewards=[[0], [0, 1], [0]]), "rewards are a ragged list"),
    (direct(rewards="zeros"), "rewards have dtype <U5"),
    (direct(rewards=None), "rewards have dtype object"),
    (direct(rewards=[[0], [1j], [0]]), "rewards have dtype complex128"),
    (direct(rewards=[[True], [True], [True]]), "rewards have dtype bool"),
    (direct(transitions=np.eye(3)), "transitions are ndarray; must be a scipy sparse matrix"),
    (direct(transitions=None), "transitions are NoneType"),
    (
        direct(transitions=sp.csr_array(np.eye(2))),
        "transitions have shape (2, 2); must be (rows, S) = (3, 2)",
    ),
    (direct(transitions=sp.csr_array(np.ones((3, 2)))), "state '0', joint action (0,) sum to 2; must be 1"),
    (direct(transitions=sp.csr_array((3, 2))), "state '0', joint action (0,) sum to 0; must be 1"),
    (
        direct(transitions=sp.csr_array([[1.0, 0], [0, 1], [0, 0.9]])),
        "state '1', joint action (0,) sum to 0.9",
    ),
    (
        direct(transitions=sp.csr_array([[2.0, -1], [0, 1], [0, 1]])),
        "to state '1' is -1.0; must be at least 0",
    ),
    (direct(transitions=sp.csr_array([[1.0, 0], [NAN, 1], [0, 1]])), "joint action (1,) to state '0' is nan"),
    (direct(transitions=sp.csr_array([[1.0, 0], [INF, 1], [0, 1]])), "joint action (1,) to state '0' is inf"),
    (direct(transitions=sp.csr_array([[1j, 0], [0, 1], [0, 1]])), "transitions have dtype complex128"),
    (direct(transitions=sp.csr_array([[True, False]] * 3)), "transitions have dtype bool"),
    (
        direct(transitions=sp.coo_array(([0.5, 0.5, 1, 1], ([0, 0, 1, 2], [0, 0, 1, 1])), shape=(3, 2))),
        "transitions hold 1 duplicate entries",
    ),
    (direct(action_counts=[2, 1]), "action_counts have shape (2,); must be (S, n)"),
    (direct(action_counts=[[2], [0]]), "action count of agent 1 in state 1 is 0; must be at least 1"),
    (direct(action_counts=[[2], [-1]]), "action count of agent 1 in state 1 is -1"),
    (direct(action_counts=[[2], [1.5]]), "action_counts are [[2], [1.5]]; must be integers"),
    (direct(action_counts=[[2], [NAN]]), "action_counts are [[2], [nan]]; must be integers"),
    (direct(action_counts=[[2], [INF]]), "must be integers"),
    (direct(action_counts=[[2], [1, 1]]), "action_counts are a ragged list"),
    (direct(action_counts=[["2"], ["1"]]), "action_counts have dtype <U1"),
    (direct(action_counts=np.zeros((0, 1))), "action_counts have shape (0, 1)"),
    (direct(action_counts=np.zeros((2, 0))), "action_counts have shape (2, 0)"),
    (direct(action_counts=[[2] * 64]), "action_counts give more than"),
    (direct(action_counts=[[2**62]]), "action_counts"),
    (direct(discount=1.1), "discount of agent '1' is 1.1; must be in [0, 1]"),
    (direct(discount=-1e-9), "discount of agent '1' is -1e-09"),
    (direct(discount=NAN), "discount of agent '1' is nan"),
    (direct(discount=[0.9, 0.9]), "discount has shape (2,); must be one number or 1 numbers"),
    (direct(discount="0.9"), "discount have dtype <U3"),
    (direct(discount=None), "discount have dtype object"),
    (direct(termination=[0, 0]), "termination has shape (2,)"),
    (direct(termination=[0, 0, 0.5]), "state '1', joint action (0,) sum to 1.5 with their termination"),
    (direct(termination=[0, 0, -0.5]), "termination of state '1', joint action (0,) is -0.5"),
    (direct(termination=[0, NAN, 0]), "termination of state '0', joint action (1,) is nan"),
    (direct(initial=[1]), "initial has shape (1,)"),
    (direct(initial=[0.5, 0.4]), "initial distribution sums to 0.9"),
    (direct(initial=[1.5, -0.5]), "least entry -0.5"),
    (direct(initial=[NAN, 1]), "initial distribution sums to nan"),
    (direct(initial="first"), "initial have dtype <U5"),
    (direct(names=["a"]), "names are ['a']; must be GameNames"),
    (direct(names=GameNames.of(["a", "b"], None, None)), "2 names of agents; must be 1"),
    (direct(names=GameNames.of([1], None, None)), "agents hold the name 1; must be a non-empty string"),
    (direct(names=GameNames.of(None, ["x"], None)), "1 names of states; must be 2"),
    (direct(names=GameNames.of(None, ["x", "x"], None)), "states hold the name 'x' twice"),
    (direct(names=GameNames.of(None, ["x", ""], None)), "states hold the name ''"),
    (
        direct(names=GameNames.of(None, None, [[["u", "d"]]])),
        "names of actions are given for 1 states; must be 2",
    ),
    (direct(names=GameNames.of(None, None, [[["u", "d"]], [["u", "d"]]])), "actions of agent 1 in state 1"),
    (direct(names=GameNames.of(None, None, [[["u", "u"]], [["u"]]])), "hold the name 'u' twice"),
    (
        direct(names=GameNames.of(None, None, [[], []])),
        "actions in state 0 are given for 0 agents; must be 1",
    ),
    (lambda: GameNames.of("ab", None, None), "names of agents are 'ab'; must be a list"),
    (lambda: GameNames.of(3, None, None), "are not lists of names"),
    (lambda: GameNames.of(None, None, [1, 2]), "are not lists of names"),
    (
        direct(exact=exact(reward_numerators=bits(0))),
        "exact reward_numerators have shape (3,); must be (3, 1)",
    ),
    (direct(exact=exact(reward_denominators=bits(0))), "an exact number is beyond double precision"),
    (direct(exact=exact(transition_denominators=bits(3))), "hold 1.0, exactly 0.333"),
    (direct(exact=exact(discount=(Fraction(1, 2),))), "discount of agent '1' is 0.9, exactly 1/2"),
    (direct(exact=exact(discount=())), "exact discount have shape (0,); must be (1,)"),
    (
        lambda: direct(discount=1.0)().require_discounting("solve"),
        "solve: discount of agent '1' is 1; must be",
    ),
    (arrays(rewards=3), "rewards have shape (); must be (n, S, A1, ..., An)"),
    (arrays(rewards=(1, 2)), "rewards have shape (2,)"),
    (arrays(rewards=(((1.0,),), ((2.0,),))), "rewards have shape (2, 1, 1)"),
    (arrays(rewards=(((1, 2), (3,)),)), "rewards are a ragged nested list"),
    (arrays(rewards=((("x", 2),),)), "rewards is 'x'; must be a number such as"),
    (arrays(rewards=(((None, 2),),)), "rewards is None; must be a number"),
    (arrays(rewards=(((True, 2),),)), "rewards is True; must be a number, not a truth value"),
    (arrays(rewards=(((NAN, 2),),)), "rewards is nan; must be finite"),
    (arrays(rewards=((("1/3", INF),),)), "rewards is inf; must be finite"),
    (arrays(rewards=((("1/0", 1),),)), "rewards is '1/0'"),
    (arrays(rewards=((("1e99999", 1),),)), "rewards is '1e99999'"),
    (arrays(rewards=(((Fraction(1, 3**3000), 1),),)), "at most 4096 bits"),
    (arrays(rewards=(((10**5000, 1),),)), "rewards is a int too long to show"),
    (arrays(rewards=np.zeros((1, 1, 2), dtype=complex)), "rewards have dtype complex128"),
    (arrays(rewards=np.full((1, 1, 2), 2**53 + 1)), "rewards hold integers beyond 2^53"),
    (arrays(rewards=np.zeros((1, 1, 0)), transitions=np.zeros((1, 0, 1))), "every length must be at least 1"),
    (arrays(transitions=1), "transitions have shape (); must be (S, A1, ..., An, S) = (1, 2, 1)"),
    (arrays(transitions=(((1.0,),),)), "transitions have shape (1, 1, 1)"),
    (arrays(transitions=(((1.0,), (0.5,)),)), "state '0', joint action (1,) sum to 0.5"),
    (arrays(transitions=(((1.0,), ("1/2",)),)), "state '0', joint action (1,) sum to 0.5"),
    (arrays(transitions=(((1.0,), ("-1/3",)),)), "to state '0' is -0.33"),
    (arrays(discount=2), "discount of agent '1' is 2.0"),
    (arrays(discount="x"), "discount is 'x'"),
    (arrays(discount=None), "discount is None"),
    (arrays(discount=[]), "discount is []"),
    (arrays(discount={}), "discount is {}"),
    (arrays(discount=["1/3", "1/3"]), "discount has 2 numbers; must be one number or 1 numbers"),
    (arrays(discount=np.array([[0.9]])), "discount is [0.9]"),
    (arrays(discount=True), "discount is True"),
    (arrays(termination=[[0.5, 0.5]]), "sum to 1.5 with their termination"),
    (arrays(termination=[0, 0]), "termination has shape (2,); must be (S, A1, ..., An) = (1, 2)"),
    (arrays(termination=[["x", 0]]), "termination is 'x'"),
    (arrays(initial=["x"]), "initial is 'x'"),
    (arrays(initial=[1, 0]), "initial has shape (2,)"),
    (arrays(agents=["a", "b"]), "2 names of agents; must be 1"),
    (arrays(states=[]), "0 names of states; must be 1"),
    (arrays(actions=[["a"]]), "1 names of actions of agent 1 in state 0; must be 2"),
    (lambda: MarkovGame.one_shot([]), "payoffs have shape (0,)"),
    (lambda: MarkovGame.one_shot(5), "payoffs have shape ()"),
    (lambda: MarkovGame.one_shot([[[1, 2], [3, 4]]]), "payoffs have shape (1, 2, 2)"),
    (lambda: MarkovGame.one_shot([[[1, 2], [3]], [[1, 2], [3, 4]]]), "payoffs are a ragged nested list"),
    (lambda: MarkovGame.one_shot([["a", 2]]), "payoffs is 'a'"),
    (lambda: MarkovGame.one_shot("matching pennies"), "payoffs"),
    (rows(counts="two"), "action_counts are 'two'; must be (S, n) integers"),
    (rows(counts=[[1.5]]), "action_counts are [[1.5]]"),
    (rows(counts=[[2], [1, 1]]), "action_counts are a ragged list"),
    (rows(counts=[[[2]]]), "action_counts are [[[2]]]"),
    (rows(counts=None), "action_counts are None"),
    (rows(counts=[[3]]), "rewards have shape (2, 1); must be (rows, n) = (3, 1)"),
    (rows(rewards=3), "rewards are 3; must be one list of rewards per row"),
    (rows(rewards=[[1]]), "2 rows of transitions; must be 1"),
    (rows(rewards=[1, 2]), "rewards of row 0 are 1; must be a list of 1 numbers"),
    (rows(rewards=[[1], "2"]), "rewards of row 1 are '2'"),
    (rows(rewards=[[1], [1, 2]]), "rewards of row 1 are 2 numbers; must be 1"),
    (rows(rewards=[[1], [None]]), "rewards of row 1 is None"),
    (rows(rewards=[["1/3"], [INF]]), "rewards of row 1 is inf; must be finite"),
    (rows(moves=3), "transitions are 3"),
    (rows(moves=[[(1, 0)], 1]), "transitions of row 1 are 1"),
    (rows(moves=[[(1, 0)], [1]]), "transitions of row 1 hold 1; must be (probability, next state)"),
    (rows(moves=[[(1, 0)], [(1, 0, 0)]]), "transitions of row 1 hold (1, 0, 0)"),
    (rows(moves=[[(1, 0)], [(1, "s")]]), "transitions of row 1 hold (1, 's')"),
    (rows(moves=[[(1, 0)], [(1, 0.0)]]), "transitions of row 1 hold (1, 0.0)"),
    (rows(moves=[[(1, 0)], [(1, None)]]), "transitions of row 1 hold (1, None)"),
    (rows(moves=[[(1, 0)], [(1, 1)]]), "transitions of row 1 lead to state 1; must be between 0 and 0"),
    (rows(moves=[[(1, 0)], [(1, -1)]]), "transitions of row 1 lead to state -1"),
    (rows(moves=[[(1, 0)], [("x", 0)]]), "transitions of row 1 is 'x'"),
    (rows(moves=[[(1, 0)], [(NAN, 0)]]), "transitions of row 1 is nan"),
    (rows(moves=[[(1, 0)], [(0.5, 0), (0.5, 0)]]), "transitions hold 1 duplicate entries"),
    (rows(moves=[[(1, 0)], [("1e-999", 0)]]), "too small for double precision"),
    (rows(discount=["1/3", 0.5]), "discount has 2 numbers"),
    (rows(termination=[0]), "termination has shape (1,)"),
    (rows(termination=[0, "x"]), "termination is 'x'"),
    (step(agents=0, actions=()), "explore: agents are 0; must be at least one name or their number"),
    (step(agents=[]), "explore: agents are []"),
    (step(agents="ab"), "explore: agents are 'ab'"),
    (step(agents=1.5), "explore: agents are 1.5"),
    (step(agents=True), "explore: agents are True"),
    (step(agents=[1]), "agents hold the name 1"),
    (step(agents=2), "actions in state 's' are (('go',),); must be at least one action for each of 2 agents"),
    (step(actions=((),)), "actions in state 's' are ((),)"),
    (step(actions=3), "actions in state 's' are 3"),
    (step(actions=(3,)), "actions in state 's' are (3,)"),
    (step(actions=lambda _: None), "actions in state 's' are None"),
    (step(actions=(("go", "go"),)), "actions of agent 1 in state 0 hold the name 'go' twice"),
    (step(state=["s"]), "state ['s'] is not hashable"),
    (step(result=None), "step in state 's', joint action ('go',) returns None; must be (rewards, [(prob"),
    (step(result=[0]), "returns [0]; must be (rewards"),
    (step(result=(0, [])), "returns (0, [])"),
    (step(result=([0], 1)), "returns ([0], 1)"),
    (step(result=([0, 0], [(1, "s")])), "joint action ('go',) returns 2 rewards; must be 1"),
    (step(result=(["x"], [(1, "s")])), "joint action ('go',): reward is 'x'"),
    (step(result=([NAN], [(1, "s")])), "joint action ('go',): reward is nan"),
    (step(result=([0], ["s"])), "returns the move 's'; must be (probability, next state)"),
    (step(result=([0], [(1, "s", 0)])), "returns the move (1, 's', 0)"),
    (step(result=([0], [("s", 1)])), "joint action ('go',): probability is 's'"),
    (step(result=([0], [(-1, "s"), (2, "s")])), "probability is -1; must be at least 0"),
    (step(result=([0], [(NAN, "s")])), "probability is nan"),
    (step(result=([0], [(1, ["s"])])), "state ['s'] is not hashable"),
    (step(result=([0], [(0.5, "s")])), "state 's', joint action (0,) sum to 0.5"),
    (step(result=([0], [(0.5, "s"), (0.6, None)])), "sum to 1.1 with their termination"),
    (step(state=1, result=([0], [(1, "1")])), "states hold the name '1' twice"),
    (lambda: explore([], 1, [["a"]], lambda *_: None, 0.9), "initial_states is empty"),
    (lambda: explore(7, 1, [["a"]], lambda *_: None, 0.9), "initial_states are 7"),
    (
        lambda: explore({"s": 0.5}, 1, [["a"]], lambda *_: ([0], [(1, "s")]), 0.9),
        "initial distribution sums to 0.5",
    ),
]


@pytest.mark.parametrize(("call", "fragment"), GAME_CALLS, ids=[f"{n}" for n in range(len(GAME_CALLS))])
def test_game_call_is_refused(call: Callable[[], Any], fragment: str) -> None:
    with pytest.raises(GameError) as caught:
        call()
    message = str(caught.value)
    assert fragment in message
    assert "\n" not in message
    assert len(message) < 300


def test_table_is_large() -> None:
    assert len(GAME_CALLS) >= 150
