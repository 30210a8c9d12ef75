"""Named games with their origin, parameters and known answers."""

from arneq_exact.catalog.entry import CatalogEntry, KnownAnswer
from arneq_exact.catalog.index import entry, load, names

__all__ = ["CatalogEntry", "KnownAnswer", "entry", "load", "names"]
