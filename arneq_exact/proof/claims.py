"""Do the claims of a solution's file follow from the certificate that it holds?

A solution's file repeats in plain numbers what its certificate proves: status, robust values, gaps. A
reader of the file looks at those, so they are held against the certificate as well.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arneq_exact.proof.certificate import Certificate
from arneq_exact.proof.result import CheckResult
from arneq_exact.proof.rounding import pointwise_bounds


def refuted_claim(solution: dict[str, Any], certificate: Certificate, result: CheckResult) -> str:
    """Return in one line the first claim that the certificate does not bear out, or an empty string.

    Parameters
    ----------
    solution : dict
        The data of a solution's file.
    certificate : Certificate
        The certificate that it holds.
    result : CheckResult
        The valid outcome of checking it.
    """
    status = solution.get("status")
    if status not in ("exact", "certified", "incomplete"):
        return f"Solution: status is {status!r}; must be exact, certified or incomplete"
    if (status == "exact") != (not any(result.epsilon)):
        return f"Solution: status is {status!r}; must be 'exact' if and only if the proved gap is 0"
    proved: dict[str, Any] = {
        "values": certificate.values,
        "gap": pointwise_bounds(*certificate.at_start, result.shift),
        "relative_gap": np.array(result.relative),
    }
    for name, stated in proved.items():
        if solution.get(name) != stated.tolist():
            return f"Solution: {name} are not those of the certificate; must be equal"
    return ""
