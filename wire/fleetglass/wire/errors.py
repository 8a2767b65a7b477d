"""Every exception that Fleetglass raises on purpose.

FleetglassError
├── ContractError (a ValueError)      a text or payload does not fit the contract
│   ├── HostIdError
│   ├── PrefixError
│   ├── BrokerURLError
│   ├── CertificateError
│   ├── PayloadError
│   └── HostLimitError
├── MqttError                         there is no connection to the broker, or it ended
│   └── AccessError
├── AgentError (a RuntimeError)       the agent cannot run
├── CollectionError                   one group cannot be read at this tick
├── BridgeError (a RuntimeError)      the bridge cannot run
├── ClientError                       a stream of the client library ended
│   ├── Unreachable
│   │   └── NotConnected
│   └── Refused
└── CommandError                      a command ends with exit code 1
    └── UsageError                    a command ends with exit code 2

Every message is one line for the user: the setting or input, the value found, the value expected, and the
place it was read from. A list with several bad items gives a line for each, as further arguments.
"""

from typing import Literal

ConnectionEnd = Literal["files", "unreachable", "unanswered", "version", "refused", "lost", "renewed"]
"""How an attempt to connect ended.

- `files`: a file for TLS cannot be used
- `unreachable`: there was no connection
- `unanswered`: there was one, on which the broker said nothing
- `version`: the broker refused this version of MQTT
- `refused`: the broker refused for another reason
- `lost`: the broker let us in, and the connection ended later
- `renewed`: we left, to use files for TLS that were replaced
"""


class FleetglassError(Exception):
    """The parent of all exceptions of this project. Each of its `args` is one line; `str` is the first."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class ContractError(FleetglassError, ValueError):
    """A value that does not fit the contract."""


class HostIdError(ContractError):
    """A text that is not a host id."""


class PrefixError(ContractError):
    """A text that is not a topic prefix."""


class BrokerURLError(ContractError):
    """A text that is not a broker address."""


class CertificateError(ContractError):
    """A file or text for TLS that cannot be used."""


class PayloadError(ContractError):
    """Bytes that are not a valid message."""


class HostLimitError(ContractError):
    """A message of a new host that the bridge does not take, because it knows too many."""


class MqttError(FleetglassError):
    """There is no connection to the broker, or it ended; another try may help.

    `end` says how far the attempt came.
    """

    def __init__(self, text: str, end: ConnectionEnd = "lost") -> None:
        super().__init__(text)
        self.end = end


class AccessError(MqttError):
    """The broker does not let this client in; trying again cannot help."""


class AgentError(FleetglassError, RuntimeError):
    """The agent cannot run."""


class CollectionError(FleetglassError):
    """A group cannot be read; the text gives the reason in words for the user."""


class BridgeError(FleetglassError, RuntimeError):
    """The bridge cannot run."""


class ClientError(FleetglassError):
    """The stream cannot go on; the parent of all exceptions of the client library."""


class Unreachable(ClientError):  # noqa: N818 - named by what the caller can do: try again later
    """No bridge answers, or it closed the connection; another try may help."""


class NotConnected(Unreachable):
    """There is no connection now, so nothing can be sent; send again once there is one."""


class Refused(ClientError):  # noqa: N818 - named by what the caller can do: change the request
    """The bridge does not accept the request, for example its token; trying again cannot help."""


class CommandError(FleetglassError):
    """A command failed at run time; it ends with exit code 1."""

    exit_code = 1


class UsageError(CommandError):
    """An argument or the configuration is wrong, so trying again cannot help; exit code 2."""

    exit_code = 2
