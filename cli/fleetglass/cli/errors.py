"""What ends a command.

CommandError
└── UsageError

The message is one line: what, what was got, what was expected, and where it was read.
"""


class CommandError(Exception):
    """The command failed at run time; it ends with exit code 1."""

    exit_code = 1


class UsageError(CommandError):
    """An argument or the configuration is wrong, so that trying again cannot help; exit code 2."""

    exit_code = 2
