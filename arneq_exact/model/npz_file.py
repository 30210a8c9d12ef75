"""Npz files of arrays: nothing is pickled, in either direction, and what is damaged is refused by name."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arneq_exact.errors import FileError
from arneq_exact.model.json_reading import reason
from arneq_exact.model.replace_file import replace_file
from arneq_exact.require import shown

Array = NDArray[Any]

# Each kind of damage surfaces as another class: from the zip, from zlib or from the npy header.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    ValueError,
    EOFError,
    OSError,
    SyntaxError,
    TypeError,
    KeyError,
    MemoryError,
    OverflowError,
    RuntimeError,  # NotImplementedError among them
)


def read_npz(
    path: str | Path, kind: str, maker: str, check: Callable[[list[str]], None] | None = None
) -> dict[str, Array]:
    """Return the arrays of an npz file by name.

    Parameters
    ----------
    path : str or Path
    kind, maker : str
        What the file should be, and who writes such files, for messages.
    check : callable, optional
        Refuses names of entries before any entry is read.

    Raises
    ------
    FileError
        If there is no such file, or it is damaged.
    """
    rule = f"must be one that {maker} wrote"
    try:
        # Opened as a zip first: np.load would take other files for pickles and speak of those.
        with zipfile.ZipFile(path) as archive:
            names = [member.removesuffix(".npy") for member in archive.namelist()]
        if len(set(names)) < len(names):
            raise FileError(f"{path}: an entry occurs twice; must occur once")
        if check is not None:
            check(names)
        with np.load(path, allow_pickle=False) as file:
            return {name: _entry(file, name, f"{path}: is no {kind}", rule) for name in names}
    except FileError:
        raise
    except FileNotFoundError:
        raise FileError(f"{path}: there is no such file") from None
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({reason(error)})") from None
    except _DAMAGE:
        raise FileError(f"{path}: is no {kind}; {rule}") from None


def write_npz(path: str | Path, arrays: Mapping[str, Any], *, compressed: bool = False) -> None:
    """Write arrays to an npz file at once; the same arrays in the same order give the same bytes.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    packed = BytesIO()
    # No entry has dtype object, so nothing can be pickled (numpy < 2.1 cannot forbid it here).
    (np.savez_compressed if compressed else np.savez)(packed, **arrays)
    replace_file(path, packed.getvalue())


def _entry(file: Mapping[str, Any], name: str, what: str, rule: str) -> Array:
    try:
        value = file[name]
    except _DAMAGE as error:
        raise FileError(f"{what}: entry {name!r} is damaged ({shown(reason(error))}); {rule}") from None
    if not isinstance(value, np.ndarray):
        raise FileError(f"{what}: entry {name!r} is no array; must be a member {name}.npy")
    return value
