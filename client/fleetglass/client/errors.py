"""What ends a stream.

ClientError
├── Unreachable
│   └── NotConnected
└── Refused

The message is one line: what, what was got, what was expected.
"""


class ClientError(Exception):
    """The stream cannot go on; the parent of all errors of this package."""


class Unreachable(ClientError):  # noqa: N818 - named by what the caller can do: try again later
    """No bridge answers, or it closed the connection; another try may help."""


class NotConnected(Unreachable):
    """There is no connection now, so that nothing can be sent; send again once there is one."""


class Refused(ClientError):  # noqa: N818 - named by what the caller can do: change what was said
    """The bridge does not accept what we say, such as the token; trying again cannot help."""
