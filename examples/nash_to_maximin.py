"""How a robust equilibrium moves from Nash to maximin as k grows.

A public good for three agents: it appears, worth 3 to each, if at least one contributes; contributing
costs 1. Against k corrupted agents the pure equilibria have exactly 1 + k contributors, worth 2 to those
who pay and 3 to the others [F2]: robustness is bought with spare contributors. At k = 2 everyone stands
alone and plays its maximin strategy.
"""

from itertools import product

from arneq_exact import MarkovGame, Policy, ThreatModel, certify, robust_values, solve

BENEFIT, COST, AGENTS = 3, 1, 3


def payoff(agent: int, joint: tuple[int, ...]) -> int:
    return BENEFIT * (sum(joint) >= 1) - COST * joint[agent]


def main() -> None:
    payoffs = [
        [[[payoff(i, (a, b, c)) for c in (0, 1)] for b in (0, 1)] for a in (0, 1)] for i in range(AGENTS)
    ]
    game = MarkovGame.one_shot(payoffs)
    for k in range(AGENTS):
        threat = ThreatModel(k)
        equilibria = []
        for joint in product((0, 1), repeat=AGENTS):
            policy = Policy.from_actions(game, [list(joint)])
            epsilon = max(certify(game, threat, policy).epsilon)  # proved in exact arithmetic
            assert (epsilon == 0) == (sum(joint) == 1 + k)
            if epsilon == 0:
                expected = [BENEFIT - COST * a for a in joint]
                assert robust_values(game, threat, policy)[:, 0].tolist() == expected
                equilibria.append(joint)
        print(f"k={k}: pure equilibria {equilibria}")

    # Where all others may be corrupted, agents decouple and the values are unique [T4].
    maximin = solve(game, ThreatModel(AGENTS - 1))
    assert maximin.proved
    assert abs(maximin.values[:, 0] - 2).max() < 1e-12
    # For a fixed policy, more corruption never helps [T5].
    lone = Policy.from_actions(game, [[1, 0, 0]])
    assert [robust_values(game, ThreatModel(k), lone)[1, 0] for k in range(AGENTS)] == [3, 0, 0]
    print("one contributor alone: a free rider is worth 3 at k=0, and 0 as soon as k=1")


if __name__ == "__main__":
    main()
