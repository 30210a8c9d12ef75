"""Writing a file so that a write that fails, or is cut off, leaves the old one as it was."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4

from arneq_exact.errors import FileError


def replace_file(path: str | Path, content: bytes) -> None:
    """Write a file so that at any moment there is the whole old one or the whole new one.

    What is written stands beside it under a name of its own, so that of two writers the last one wins and
    neither cuts off the other. A writer that is killed leaves that file behind.

    Raises
    ------
    FileError
        If it cannot be written.
    """
    place = Path(path)
    beside = place.with_name(f"{place.name}.{uuid4().hex}.part")
    try:
        try:
            with open(beside, "xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, place)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise FileError(f"{path}: cannot be written ({error.strerror})") from None
