"""Judge a policy that was trained elsewhere: what is it worth under attack, and how far from robust?

Three agents share a public good for ever: it needs two contributors, is worth 2 to each, and costs a
contributor 1; the discount is 9/10. Some learner says: contribute with probability 0.9. One of the
other agents may be corrupted (0 < k < n−1, where no agent stands alone and nobody is safe).
"""

from itertools import product

import numpy as np

from arneq_exact import (
    MarkovGame,
    Policy,
    ThreatModel,
    best_response,
    certify,
    check,
    gap,
    robust_values,
    worst_attack,
)


def main() -> None:
    rewards = np.zeros((3, 1, 2, 2, 2))
    for joint in product((0, 1), repeat=3):
        for agent in range(3):
            rewards[(agent, 0, *joint)] = 2 * (sum(joint) >= 2) - joint[agent]
    transitions = np.ones((1, 2, 2, 2, 1))
    game = MarkovGame.from_arrays(rewards, transitions, 0.9, actions=[["keep", "give"]] * 3)
    threat = ThreatModel(1)
    trained = Policy(game, [np.array([[0.1, 0.9]])] * 3)

    # An attacker makes one other agent keep; then x gives x (2·0.9 − 1) a step, for ten steps' worth.
    assert np.allclose(robust_values(game, threat, trained), 7.2, atol=1e-12)
    assert worst_attack(game, threat, trained, 0).describe(game, 0) == "2 plays keep"
    best = best_response(game, threat, trained, 0)
    assert abs(best.value[0] - 8.0) < 1e-12
    assert abs(best.policy[0] - [0, 1]).max() < 1e-12
    assert np.allclose(gap(game, threat, trained), 0.8, atol=1e-12)
    print("robust value 7.2; always giving would be worth 8.0; gap 0.8")

    certificate = certify(game, threat, trained)
    verdict = check(game, certificate, threat)
    assert verdict.valid
    assert all(abs(float(bound) - 0.8) < 1e-12 for bound in verdict.epsilon)
    print("proved: no agent gains more than", [round(float(bound), 9) for bound in verdict.epsilon])


if __name__ == "__main__":
    main()
