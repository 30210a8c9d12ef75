"""Solve a game without and with corruption, look at the answer, and check its proof.

The climbing game of Claus and Boutilier (1998): two agents share one payoff. Playing for the best joint
action is risky, because the partner's mistake costs 30.
"""

from arneq_exact import MarkovGame, ThreatModel, check, solve

PAYOFF = [[11, -30, 0], [-30, 7, 6], [0, 0, 5]]


def main() -> None:
    game = MarkovGame.one_shot([PAYOFF, PAYOFF], agents=["row", "column"], actions=[["a", "b", "c"]] * 2)

    nash = solve(game, ThreatModel(0))  # nobody is corrupted: a Nash equilibrium
    assert nash.proved
    print(f"k=0: {nash.status}, values {nash.values[:, 0]}")

    robust = solve(game, ThreatModel(1))  # the other agent may be corrupted: maximin strategies
    assert robust.proved
    assert abs(robust.values[:, 0] - [0, 66 / 47]).max() < 1e-12
    assert abs(robust.policy[0][0] - [0, 0, 1]).max() < 1e-12
    assert abs(robust.policy[1][0] - [6 / 47, 0, 41 / 47]).max() < 1e-12
    print(f"k=1: {robust.status}, values {robust.values[:, 0]}")
    print(f"     column plays {robust.policy[1][0].round(4)}")
    print(f"     proved: no agent gains more than {float(max(robust.epsilon)):.1e}")

    # The certificate stands on its own: anyone with the game can check it, in exact arithmetic.
    verdict = check(game, robust.certificate, ThreatModel(1))
    assert verdict.valid
    assert verdict.epsilon == robust.epsilon
    # It is a proof about this threat and no other.
    assert not check(game, robust.certificate, ThreatModel(0)).valid
    print("the certificate is valid for k=1 and refused for k=0")


if __name__ == "__main__":
    main()
