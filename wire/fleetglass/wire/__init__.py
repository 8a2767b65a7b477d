"""The contract between agents, bridges, viewers and every other reader of the broker. No I/O."""

from fleetglass.wire.codec import decode, decode_stamp, encode
from fleetglass.wire.errors import (
    BrokerURLError,
    CertificateError,
    ContractError,
    HostIdError,
    PayloadError,
    PrefixError,
)
from fleetglass.wire.hosts import check_host_id, host_id_from_name, is_host_id
from fleetglass.wire.topics import Address, Topics

__all__ = [
    "Address",
    "BrokerURLError",
    "CertificateError",
    "ContractError",
    "HostIdError",
    "PayloadError",
    "PrefixError",
    "Topics",
    "check_host_id",
    "decode",
    "decode_stamp",
    "encode",
    "host_id_from_name",
    "is_host_id",
]
