"""Sphinx configuration: MyST pages, docstrings, and tables made from the registries."""

from __future__ import annotations

import sys
from pathlib import Path

from arneq_exact import __version__

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "arneq_exact"
author = "the arneq_exact authors"
release = version = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "mathml",
    "registry_tables",
    "statement_links",
    "statement_evidence",
    "house_picture",
]
myst_enable_extensions = ["dollarmath", "amsmath", "deflist", "colon_fence"]
myst_heading_anchors = 3
exclude_patterns = ["_build", "_ext"]

autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_class_signature = "separated"
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False

html_theme = "furo"
html_title = "arneq_exact"
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
