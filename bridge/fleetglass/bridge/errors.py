class BridgeError(RuntimeError):
    """The bridge cannot run; the message is one line for the user."""
