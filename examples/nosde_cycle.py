"""The model-based procedure cycles on a game of two states; solving and proving it works all the same.

NoSDE (Zinkevich, Greenwald and Littman 2005) has one stationary equilibrium, and it mixes. At every
stage the procedure meets a pure equilibrium, so it can never settle [T8]. If the other agent may be
corrupted, the procedure converges.
"""

from arneq_exact import ThreatModel, catalog, iterate, solve


def main() -> None:
    game = catalog.load("nosde")

    run = iterate(game, ThreatModel(0))
    assert run.status == "cycle"
    assert run.cycle is not None
    assert run.cycle.period == 5
    print(f"k=0: the procedure cycles with period {run.cycle.period}, amplitude {run.cycle.amplitude:.3f}")
    for values in run.trace.values[-6:]:
        print("     values of agent 1:", values[0].round(4))

    nash = solve(game, ThreatModel(0))
    assert nash.proved
    assert abs(nash.values - [[4, 16 / 3], [16 / 3, 4]]).max() < 1e-12
    assert abs(nash.policy[0][0] - [1 / 3, 2 / 3]).max() < 1e-12  # agent 1 keeps or sends in s1
    assert abs(nash.policy[1][1] - [7 / 12, 5 / 12]).max() < 1e-12  # agent 2 keeps or sends in s2
    print(f"k=0: solve proves the mixed equilibrium, gap at most {float(max(nash.epsilon)):.1e}")

    run = iterate(game, ThreatModel(1))
    assert run.status == "converged"
    assert abs(run.values - [[4, 3], [0, 4]]).max() < 1e-9
    print(f"k=1: the procedure converges in {run.iterations} iterations")

    robust = solve(game, ThreatModel(1))
    assert robust.proved
    assert abs(robust.values - [[4, 3], [0, 4]]).max() < 1e-12
    assert abs(robust.policy[0][0] - [1, 0]).max() < 1e-12
    assert abs(robust.policy[1][1] - [1, 0]).max() < 1e-12
    print(f"k=1: solve proves (keep, keep), gap at most {float(max(robust.epsilon)):.1e}")


if __name__ == "__main__":
    main()
