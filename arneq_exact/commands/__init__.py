"""The commands of `arneq`: one file each, with `add` for its parser and `run` for what it does.

A file has the name of its command. To add a command, write such a file and list it here, in the order of
the help text. Everything heavy is imported by the command that needs it, when it runs.
"""

from arneq_exact.commands import audit, check, experiment, games, gap, solve, theory

COMMANDS = (solve, check, gap, audit, experiment, theory, games)
