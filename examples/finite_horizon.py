"""A finite horizon: backward induction gives a proved equilibrium where the infinite procedure cycles.

The policy then depends on the time left. The same numbers are the iterates of the procedure, read
backwards, and playing them in the infinite game is nearly an equilibrium there [T14].
"""

import numpy as np

from arneq_exact import MarkovGame, ThreatModel, catalog, iterate, solve


def main() -> None:
    game = catalog.load("nosde")

    two = solve(game, ThreatModel(0), horizon=2)
    assert two.proved
    assert two.values.shape == (3, 2, 2)  # (steps + 1, agents, states)
    assert abs(two.values[0] - [[9 / 4, 21 / 4], [15 / 4, 7 / 4]]).max() < 1e-12
    assert two.policy[0].shape == (2, 2, 2)  # (steps, states, actions)
    assert two.policy[0][0, 0].tolist() == [0, 1]  # agent 1 sends while one more step remains
    assert two.policy[0][1, 0].tolist() == [1, 0]  # and keeps in the last one
    print("two steps:", two.status, two.values[0].tolist())

    steps = 40
    long = solve(game, ThreatModel(0), horizon=steps)
    assert long.proved
    run = iterate(game, ThreatModel(0))
    assert run.status == "cycle"
    assert np.allclose(long.values[0], run.trace.values[steps], atol=1e-12)
    bound = 0.75**steps * (3 - 0) / (1 - 0.75)
    print(f"{steps} steps: {long.status}; in the infinite game a {bound:.2g}-equilibrium")

    # A discount of 1 is welcome where the horizon is finite: three rounds of matching pennies.
    wins = [[1, -1], [-1, 1]]
    rewards = np.array([[wins], [np.negative(wins)]])
    pennies = MarkovGame.from_arrays(rewards, np.ones((1, 2, 2, 1)), 1.0)
    rounds = solve(pennies, ThreatModel(1), horizon=3)
    assert rounds.proved
    assert rounds.values.shape == (4, 2, 1)
    assert abs(rounds.values).max() < 1e-12
    assert all(abs(array - 0.5).max() < 1e-12 for array in rounds.policy)
    print("three rounds of matching pennies, undiscounted:", rounds.status)


if __name__ == "__main__":
    main()
