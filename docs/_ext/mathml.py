"""Formulas as MathML, made when the site is built: pages need no script and read the same without network."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.util import logging

COMMAND = re.compile(r"\\[a-zA-Z]+")


def mathml(node: nodes.Element, display: str) -> str:
    """Return the formula of a node; warn of a command that is passed through as text."""
    result: str = convert(node.astext(), display=display)
    for unknown in COMMAND.findall(result):
        logging.getLogger(__name__).warning("%s has no MathML", unknown, location=node)
    return result


def visit_inline(translator: Any, node: nodes.math) -> None:
    """Write a formula within a line."""
    translator.body.append(mathml(node, "inline"))
    raise nodes.SkipNode


def visit_block(translator: Any, node: nodes.math_block) -> None:
    """Write a displayed formula; a wide one scrolls on its own."""
    translator.body.append(translator.starttag(node, "div", CLASS="math", style="overflow-x: auto"))
    translator.body.append(mathml(node, "block"))
    translator.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app: Any) -> dict[str, bool]:
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
