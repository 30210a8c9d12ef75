"""The state graph of a game, for drawing and for its strongly connected components."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from arneq_exact.model.game import MarkovGame

if TYPE_CHECKING:
    import networkx as nx


def state_graph(game: MarkovGame) -> nx.DiGraph:
    """Return the directed graph of states: an edge where some joint action can lead there.

    Nodes are state numbers with the attribute ``name``; edges carry ``probability``, the largest
    probability over joint actions.

    Examples
    --------
    >>> game = MarkovGame.from_arrays([[[1], [0]]], [[[0, 1]], [[0, 1]]], 0.9)
    >>> import networkx as nx
    >>> [sorted(part) for part in nx.strongly_connected_components(state_graph(game))]
    [[1], [0]]
    """
    import networkx as nx

    matrix = sp.coo_array(game.transitions)
    source = np.searchsorted(game.offsets, matrix.row, side="right") - 1
    graph = nx.DiGraph()
    graph.add_nodes_from((state, {"name": game.state_name(state)}) for state in range(game.n_states))
    # Ascending probability: the largest of parallel edges is written last and stays.
    ascending = np.argsort(matrix.data, kind="stable")
    graph.add_edges_from(
        (int(source[entry]), int(matrix.col[entry]), {"probability": float(matrix.data[entry])})
        for entry in ascending
    )
    return graph
