"""A game given by a step function: two fishers and a stock with a tipping point.

The stock grows by one unit, up to four, as long as two are left after the catch; below that it never
recovers. Taking pays 1 (two who want the last unit share it), and an empty pond ends the game.
"""

from fractions import Fraction

import networkx as nx

from arneq_exact import Policy, ThreatModel, certify, explore, solve, state_graph


def step(stock, joint):
    wanted = joint.count("take")
    share = min(Fraction(1), Fraction(stock, max(wanted, 1)))
    left = max(stock - wanted, 0)
    left = min(left + 1, 4) if left >= 2 else left
    rewards = [share if action == "take" else 0 for action in joint]
    return rewards, [(1, left if left else None)]


def main() -> None:
    game = explore([4], ["ann", "bob"], [["take", "spare"]] * 2, step, discount="9/10")
    assert [game.state_name(state) for state in range(game.n_states)] == ["4", "3", "1"]

    # Strongly connected components: the healthy stock, and the point of no return.
    graph = state_graph(game)
    parts = [sorted(graph.nodes[s]["name"] for s in part) for part in nx.strongly_connected_components(graph)]
    assert sorted(parts) == [["1"], ["3", "4"]]
    print("components of the state graph:", sorted(parts))

    # The tragedy of the commons is what each can secure alone: 1 + 9/10 + 81/200 from a full stock.
    robust = solve(game, ThreatModel(1))
    assert robust.proved
    assert abs(robust.values - [461 / 200, 29 / 20, 1 / 2]).max() < 1e-12
    assert all(abs(array - [1, 0]).max() < 1e-12 for array in robust.policy)
    print("k=1:", robust.status, "values from stock 4, 3, 1:", robust.values[0].round(6))

    # Sparing at 3 would keep the stock alive for ever, and is not stable: taking gains 100/19 there.
    careful = Policy.from_actions(game, [[0, 0], [1, 1], [0, 0]])
    epsilon = certify(game, ThreatModel(0), careful).epsilon
    assert all(abs(bound - Fraction(100, 19)) < Fraction(1, 10**12) for bound in epsilon)
    print("k=0: sparing at 3 has a proved gap of", [round(float(bound), 6) for bound in epsilon])


if __name__ == "__main__":
    main()
