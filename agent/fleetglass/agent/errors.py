class AgentError(RuntimeError):
    """The agent cannot run; the message is one line for the user."""


class CollectionError(Exception):
    """A group cannot be read; the text says why, in words for the user."""
