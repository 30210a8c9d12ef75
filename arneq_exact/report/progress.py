"""Telling that kernels are compiled, which a first run spends most of its time on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def compile_notice(say: Callable[[str], object]) -> Iterator[None]:
    """Say once within the block that kernels are being compiled, if any is not in the cache yet."""
    from numba.core import event

    class Notice(event.Listener):  # type: ignore[misc]
        """Hears of every compilation; one that is read from the cache is none."""

        said = False

        def on_start(self, event: Any) -> None:
            if not self.said:
                self.said = True
                say("compiling kernels (first run only, less than a minute)")

        def on_end(self, event: Any) -> None:
            """Nothing to say."""

    with event.install_listener("numba:compile", Notice()):
        yield
