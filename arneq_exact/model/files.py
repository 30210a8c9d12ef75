"""Games and policies in files; the extension tells the form: .json for people, .npz for size."""

from __future__ import annotations

from pathlib import Path

from arneq_exact.errors import FileError
from arneq_exact.model.game import MarkovGame
from arneq_exact.model.game_json import game_from_json, game_to_json
from arneq_exact.model.game_npz import read_game_npz, write_game_npz
from arneq_exact.model.json_reading import read_json
from arneq_exact.model.json_writing import write_json
from arneq_exact.model.policy import Policy
from arneq_exact.model.policy_json import policy_from_json, policy_to_json

__all__ = [
    "game_from_json",
    "game_to_json",
    "load_game",
    "load_policy",
    "policy_from_json",
    "policy_to_json",
    "read_json",
    "save_game",
    "save_policy",
    "write_json",
]


def save_game(game: MarkovGame, path: str | Path) -> None:
    """Write a game to a .json or .npz file; `load_game` gives back the same game, exactly.

    Raises
    ------
    FileError
        If the extension is another one or the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> game = MarkovGame.one_shot([[3, "1/3"]])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_game(game, f"{folder}/game.json")
    ...     load_game(f"{folder}/game.json").same_as(game)
    True
    """
    if not isinstance(game, MarkovGame):
        raise FileError(f"save_game: game is {type(game).__name__}; must be a MarkovGame")
    if _extension(path, (".json", ".npz")) == ".json":
        write_json(game_to_json(game), path)
    else:
        write_game_npz(game, path)


def load_game(path: str | Path) -> MarkovGame:
    """Return the game that a .json or .npz file holds.

    Raises
    ------
    FileError
        Names the file, the place, the value and the rule that it breaks.
    """
    if _extension(path, (".json", ".npz")) == ".json":
        return game_from_json(read_json(path), str(path))
    return read_game_npz(path)


def save_policy(policy: Policy, game: MarkovGame, path: str | Path) -> None:
    """Write a policy of `game` to a .json file; `load_policy` gives back the same bits.

    Raises
    ------
    PolicyError
        If the policy was made for a game of other sizes.
    FileError
        If the file cannot be written.
    """
    if not isinstance(policy, Policy):
        raise FileError(f"save_policy: policy is {type(policy).__name__}; must be a Policy")
    _extension(path, (".json",))
    write_json(policy_to_json(policy, game), path)


def load_policy(path: str | Path, game: MarkovGame) -> Policy:
    """Return the policy of `game` that a .json file holds.

    Raises
    ------
    FileError
        Names the file, the place, the value and the rule that it breaks.
    """
    _extension(path, (".json",))
    return policy_from_json(read_json(path), game, str(path))


def _extension(path: str | Path, known: tuple[str, ...]) -> str:
    if not isinstance(path, str | Path):
        raise FileError(f"path is {type(path).__name__}; must be a string or a Path")
    suffix = Path(path).suffix.lower()
    if suffix not in known:
        raise FileError(f"{path}: extension is {suffix!r}; must be {' or '.join(known)}")
    return suffix
