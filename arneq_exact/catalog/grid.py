"""Rectangular boards: cells named as on a chess board, moves that stop at walls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

STEPS = {"up": (0, 1), "down": (0, -1), "left": (-1, 0), "right": (1, 0)}
"""Displacement (column, row) of each move; row 1 is at the bottom."""


@dataclass(frozen=True)
class Grid:
    """A board of `width` columns a, b, … and `height` rows 1, 2, … from the bottom.

    Examples
    --------
    >>> board = Grid(3, 2)
    >>> board.cells
    ('a1', 'a2', 'b1', 'b2', 'c1', 'c2')
    >>> board.moved("a1", "up"), board.moved("a1", "left"), board.moved("a1", "stand")
    ('a2', 'a1', 'a1')
    """

    width: int
    height: int

    @property
    def cells(self) -> tuple[str, ...]:
        """All cells, column by column."""
        return tuple(self.cell(x, y) for x, y in product(range(self.width), range(self.height)))

    @staticmethod
    def cell(x: int, y: int) -> str:
        """Return the name of the cell in column `x` and row `y`, counted from 0."""
        return f"{chr(ord('a') + x)}{y + 1}"

    @staticmethod
    def position(cell: str) -> tuple[int, int]:
        """Return (column, row) of a cell, counted from 0."""
        return ord(cell[0]) - ord("a"), int(cell[1:]) - 1

    def beyond(self, cell: str, action: str) -> str | None:
        """Return where `action` leads from `cell`, None past the edge; what is no move stays."""
        x, y = self.position(cell)
        dx, dy = STEPS.get(action, (0, 0))
        inside = 0 <= x + dx < self.width and 0 <= y + dy < self.height
        return self.cell(x + dx, y + dy) if inside else None

    def moved(self, cell: str, action: str) -> str:
        """Return where `action` leads from `cell`; a wall stops it."""
        return self.beyond(cell, action) or cell

    def adjacent(self, cell: str) -> Sequence[str]:
        """Return the cells that share an edge with `cell`."""
        return [near for action in STEPS if (near := self.beyond(cell, action))]
