"""The vocabulary of argument checks: what passes, in which type, and the one line that refuses the rest."""

from __future__ import annotations

import re
from fractions import Fraction

import numpy as np
import pytest

from arneq_exact import require
from arneq_exact.errors import GameError, InputError


@pytest.mark.parametrize("value", [1, np.int64(1), np.uint8(1), np.array(1)])
def test_whole_numbers_of_every_type_become_integers(value):
    number = require.whole(value, "here", at_least=1)
    assert number == 1
    assert type(number) is int


@pytest.mark.parametrize("value", [True, np.True_, 1.0, "1", None, 0, Fraction(1), [1], 10**400 * -1])
def test_what_is_no_whole_number_of_the_range_is_refused(value):
    with pytest.raises(InputError, match=r"^here is .+; must be an integer of at least 1$"):
        require.whole(value, "here", at_least=1)


def test_whole_numbers_have_a_top_and_other_words():
    with pytest.raises(InputError, match=r"^here is 3; must be an integer from 0 to 2$"):
        require.whole(3, "here", at_least=0, at_most=2)
    with pytest.raises(GameError, match=r"^here is 3; must be a state$"):
        require.whole(3, "here", at_least=0, at_most=2, rule="a state", error=GameError)


@pytest.mark.parametrize("value", [0.5, Fraction(1, 2), np.float32(0.5), np.array([0.5])[0]])
def test_numbers_of_every_type_become_doubles(value):
    for check in (require.positive, require.probability):
        number = check(value, "here")
        assert number == 0.5
        assert type(number) is float


@pytest.mark.parametrize("value", [True, "1", None, float("nan"), 0, -1, -(10**400), [1.0], 1j])
def test_what_is_no_positive_number_is_refused(value):
    with pytest.raises(InputError, match=r"^here is .+; must be a positive number$"):
        require.positive(value, "here")


def test_a_number_beyond_double_precision_counts_as_infinite():
    assert require.positive(10**400, "here") == float("inf")
    assert require.positive(Fraction(10**400, 3), "here") == float("inf")
    with pytest.raises(InputError, match=r"must be in \[0, 1\]$"):
        require.probability(10**400, "here")


@pytest.mark.parametrize("value", [True, np.False_])
def test_truth_values_become_pythons_own(value):
    assert require.flag(value, "here") is bool(value)
    assert require.is_truth_value(value)


@pytest.mark.parametrize(
    ("refused", "message"),
    [
        (lambda: require.flag(1, "f: exact"), "f: exact is 1; must be True or False"),
        (lambda: require.one_of(["a"], "f: kind", ["a", "b"]), "f: kind is ['a']; must be one of a, b"),
        (lambda: require.function(1, "f: key", "a function"), "f: key is 1; must be a function"),
        (lambda: require.instance(1, "f: name", str), "f: name is 1; must be a str"),
        (
            lambda: require.table("x", "f: v", "(n, S)", (1, 2)),
            "f: v must be a table (n, S) = (1, 2) of numbers",
        ),
        (
            lambda: require.table([[1, float("inf")]], "f: v", "(n, S)", (1, 2)),
            "f: v hold a number that is not finite; must be finite",
        ),
        (lambda: require.keys({}, "f", ["a"], ["b"]), "f: key 'a' is missing; must be a, b"),
        (
            lambda: require.installed("json", "no_such.module", where="f", extra="x"),
            "f: json or no_such is not installed; must be, as by pip install 'arneq-exact[x]'",
        ),
        (
            lambda: require.that(False, "x" * 99, "f: name", "short"),
            f"f: name is '{'x' * 58}…; must be short",
        ),
    ],
)
def test_a_refusal_is_one_line(refused, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        refused()


def test_what_is_given_as_it_should_be_comes_back():
    assert require.one_of("a", "here", ["a", "b"]) == "a"
    assert require.optional(require.whole, None, "here", at_least=1) is None
    assert require.optional(require.whole, 2, "here", at_least=1) == 2
    assert require.instance("text", "here", str) == "text"
    assert require.table([[1, 2]], "here", "(n, S)", (1, 2)).tolist() == [[1.0, 2.0]]
    assert require.installed("json", where="here", extra="x").dumps(1) == "1"
    require.known(["a"], "here", "option", ["a", "b"])
    require.keys({"a": 1}, "here", ["a"], ["b"])
