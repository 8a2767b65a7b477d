"""What the contract refuses.

ContractError (a ValueError)
├── HostIdError
├── PrefixError
├── BrokerURLError
├── CertificateError
└── PayloadError

Every message is one line and says what was got and what was expected.
"""


class ContractError(ValueError):
    """Something that does not fit the contract; the parent of all errors of this package."""


class HostIdError(ContractError):
    """A text that is no host id."""


class PrefixError(ContractError):
    """A text that is no topic prefix."""


class BrokerURLError(ContractError):
    """A text that is no broker address."""


class CertificateError(ContractError):
    """A file or text for TLS that cannot be used."""


class PayloadError(ContractError):
    """Bytes that are not the message they should be."""
