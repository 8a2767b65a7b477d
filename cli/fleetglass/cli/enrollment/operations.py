"""What is done with the folder of a secured broker: made, enrolled into, revoked from, renewed."""

import ipaddress
import re
import ssl
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from fleetglass.cli.configuration.broker_choice import configuration_folder, find_mosquitto
from fleetglass.cli.enrollment.access_control import (
    filled,
    new_password,
    password_hash,
    rules_text,
    users_text,
)
from fleetglass.cli.enrollment.authority import Authority, Issued, new_authority
from fleetglass.cli.enrollment.credential_file import credential_text, is_credential
from fleetglass.cli.enrollment.folder import Folder
from fleetglass.cli.enrollment.registry import Member, Newcomer, Registry, Revocation, now, reader_of
from fleetglass.mqtt.address import BrokerURL
from fleetglass.wire.errors import CommandError, UsageError

_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE)

_SERVICE: Final = """\
# For systemd: has mosquitto run with this configuration instead of the one of its package.
[Service]
ExecStart=
ExecStart={program} -c {configuration}
LimitNOFILE=65536
"""


def make(folder: Folder, urls: Sequence[BrokerURL], prefix: str, *, discovery: bool = True) -> Registry:
    """Make authority, certificate and configuration of a broker that hosts reach under these addresses.

    Raises:
        CommandError: the folder may not be written.
    """
    authority = new_authority(urls[0].host)
    folder.write("ca.key", authority.key)
    folder.write("ca.crt", authority.certificate)
    signing = Authority(authority.certificate, authority.key)
    broker = _write_broker_certificate(folder, signing, urls)
    registry = Registry(
        broker=[str(url) for url in urls],
        prefix=prefix,
        broker_ends=broker.ends,
        authority_ends=authority.ends,
        discovery=discovery,
    )
    folder.write("revoked.pem", signing.revocation_list([]))
    _write_configuration(folder, registry)
    _write_rights(folder, registry)
    return registry


def mend(folder: Folder, registry: Registry) -> None:
    """Make good what a call that was killed, or an earlier version, left otherwise.

    Raises:
        CommandError: the folder may not be written.
    """
    if folder.holds("broker.key"):
        if _fit(folder.path / "broker.crt", folder.path / "broker.key"):
            folder.write("broker.pem", folder.read("broker.crt") + folder.read("broker.key"))
        else:  # a renewal was killed between the two
            renew(folder, registry, registry.urls)
        folder.link("broker.crt", "broker.pem")
        folder.link("broker.key", "broker.pem")
    enrolled = {_file_of(user) for user in registry.members}
    for path in folder.credentials():
        name = f"{path.parent.name}/{path.name}"
        if name not in enrolled and is_credential(path.read_text("utf-8", "replace")):
            folder.remove(name)


def enroll(
    folder: Folder, registry: Registry, newcomers: Iterable[Newcomer], *, by_certificate: bool
) -> list[Path]:
    """Give each a credential, and return the files to hand over.

    Raises:
        CommandError: one is enrolled already, or the folder may not be written.
    """
    newcomers = list(newcomers)
    for newcomer in newcomers:
        if member := registry.members.get(newcomer.user):
            raise CommandError(
                f"{newcomer.user}: already enrolled on {member.since:%Y-%m-%d}; to issue a new credential, "
                f"first run: fleetglass enroll --revoke {newcomer.user}"
            )
    authority = folder.read("ca.crt")
    signing = open_authority(folder) if by_certificate else None
    files = []
    for newcomer in newcomers:
        credential = signing.issue_for_client(newcomer.user) if signing else new_password()
        text = credential_text(newcomer, registry, authority, credential)
        files.append(folder.write(_file_of(newcomer.user), text))
        registry.members[newcomer.user] = _member(newcomer, credential)
    _write_rights(folder, registry)
    return files


def set_discovery(folder: Folder, registry: Registry, *, allowed: bool) -> None:
    """Let every host write its own discovery for Home Assistant, or none.

    Raises:
        CommandError: the folder may not be written.
    """
    registry.discovery = allowed
    _write_rights(folder, registry)


def revoke(folder: Folder, registry: Registry, users: Iterable[str]) -> None:
    """Take every right from these users, and remove their files.

    Raises:
        CommandError: one is not enrolled, or the folder may not be written.
    """
    users = list(dict.fromkeys(users))
    for user in users:
        if user not in registry.members:
            _write_rights(folder, registry)
            raise CommandError(f"{user}: not enrolled; fleetglass enroll --list shows all names")
    gone = [registry.members.pop(user) for user in users]
    serials = [member.serial for member in gone if member.serial is not None]
    registry.revocations += [Revocation(serial, now()) for serial in serials]
    if serials:
        folder.write("revoked.pem", open_authority(folder).revocation_list(registry.revocations))
    _write_rights(folder, registry)
    for user in users:
        folder.remove(_file_of(user))


def renew(folder: Folder, registry: Registry, urls: Sequence[BrokerURL]) -> None:
    """Give the broker a new certificate under these addresses, of the same authority.

    Raises:
        CommandError: the folder may not be written.
    """
    registry.broker_ends = _write_broker_certificate(folder, open_authority(folder), urls).ends
    registry.broker = [str(url) for url in urls]
    folder.write_registry(registry)


def open_authority(folder: Folder) -> Authority:
    """Return what signs.

    Raises:
        CommandError: its files are not there, or are not what they should be.
    """
    try:
        return Authority(folder.read("ca.crt"), folder.read("ca.key"))
    except ValueError as error:
        raise CommandError(
            f"{folder.path}: ca.crt or ca.key is damaged; restore the folder from a backup ({error})"
        ) from error


def check_urls(urls: Sequence[BrokerURL]) -> None:
    """Check under which addresses a broker is to be reached.

    Raises:
        UsageError: one is not by TLS, has a user, another port than the rest, or a name that no server has.
    """
    for url in urls:
        if not url.tls or url.user is not None or url.port != urls[0].port or url.port > 65534:
            raise UsageError(f"--broker: got {url}, expected mqtts://NAME[:8883], all with one port")
        if not _is_server_name(url.host):
            raise UsageError(
                f"--broker: got {url.host[:80]}, expected the broker's own name or address, without *"
            )


def _is_server_name(text: str) -> bool:
    """Whether it is an IP address or a name of DNS (RFC 1123; with _, as container networks have it)."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return all(map(_LABEL.fullmatch, text.split(".")))
    return True


def _fit(certificate: Path, key: Path) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except OSError:  # ssl.SSLError is one
        return False
    return True


def _write_broker_certificate(folder: Folder, authority: Authority, urls: Iterable[BrokerURL]) -> Issued:
    issued = authority.issue_for_broker(url.host for url in urls)
    # In one file, which is replaced whole: two would not fit if a call ended between them.
    folder.write("broker.pem", issued.certificate + issued.key)
    return issued


def _write_configuration(folder: Folder, registry: Registry) -> None:
    template = (configuration_folder() / "fleet.conf").read_text("utf-8")
    values = {
        "FOLDER": str(folder.path),
        "STATE": str(folder.state),
        "PASSWORD_PORT": str(registry.password_port),
        "CERTIFICATE_PORT": str(registry.certificate_port),
        # Under a name of loopback alone, nobody else is meant to reach it.
        "ADDRESS": " 127.0.0.1" if all(url.is_loopback for url in registry.urls) else "",
    }
    folder.write("mosquitto.conf", filled(template, values))
    program = find_mosquitto() or "/usr/sbin/mosquitto"
    folder.write("service.conf", _SERVICE.format(program=program, configuration=folder.configuration))


def _write_rights(folder: Folder, registry: Registry) -> None:
    """Write all that follows from who is enrolled; a call that was cut off is made good by the next."""
    folder.write_registry(registry)
    folder.write("rules", rules_text(registry))
    folder.write("users", users_text(registry))
    folder.hand_to_broker()


def _member(newcomer: Newcomer, credential: str | Issued) -> Member:
    if isinstance(credential, str):
        return Member(newcomer.role, now(), password_hash=password_hash(credential))
    return Member(newcomer.role, now(), serial=credential.serial, ends=credential.ends)


def _file_of(user: str) -> str:
    reader = reader_of(user)
    return f"hosts/{user}.yaml" if reader is None else f"readers/{reader}.yaml"
