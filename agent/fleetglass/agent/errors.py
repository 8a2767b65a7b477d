class AgentError(RuntimeError):
    """The agent cannot run; the message is one line for the user."""
