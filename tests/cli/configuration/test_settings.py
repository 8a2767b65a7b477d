from pathlib import Path
from typing import Any

import pytest

from fleetglass.agent.selection import DEFAULT_FILESYSTEMS, Selection
from fleetglass.cli.configuration import settings
from fleetglass.cli.configuration.file import Configuration, read_configuration
from fleetglass.cli.configuration.settings import agent_settings, bridge_settings
from fleetglass.fleet.expected_hosts import ExpectedHost
from fleetglass.wire import is_host_id
from fleetglass.wire.errors import UsageError

KEPT = "0123abcd4567ef89"


def configuration(
    tmp_path: Path, variables: dict[str, str] | None = None, **arguments: object
) -> Configuration:
    return read_configuration(arguments, {"HOME": str(tmp_path)} | (variables or {}))


def test_defaults(tmp_path: Path) -> None:
    """Told nothing, both parts use the broker on this machine and the prefix `fleet`."""
    agent = agent_settings(configuration(tmp_path))
    bridge = bridge_settings(configuration(tmp_path))
    assert str(agent.broker.url) == str(bridge.broker.url) == "mqtt://127.0.0.1:1883"
    assert (agent.prefix, bridge.prefixes) == ("fleet", ("fleet",))
    assert is_host_id(agent.host_id)
    assert (agent.interval, bridge.host, bridge.port, bridge.auth) == (1.0, "127.0.0.1", 8765, True)


def test_all_that_can_be_told(tmp_path: Path) -> None:
    """What was told arrives."""
    agent = agent_settings(
        configuration(tmp_path, {"FLEETGLASS_TAGS": "a,b"}, host_id="web-1", interval="2", top_processes="3")
    )
    off = agent_settings(configuration(tmp_path, home_assistant=False, home_assistant_prefix="a/b"))
    assert (agent.home_assistant, agent.home_assistant_prefix) == (True, "homeassistant")
    assert (off.home_assistant, off.home_assistant_prefix) == (False, "a/b")
    assert (agent.host_id, agent.interval, agent.top_processes, agent.tags) == ("web-1", 2.0, 3, ("a", "b"))
    bridge = bridge_settings(
        configuration(tmp_path, port="80", auth=False, allowed_hosts=["h"], prefix=["a,b"])
    )
    assert (bridge.port, bridge.auth, bridge.allowed_hosts, bridge.prefixes) == (
        80,
        False,
        ("h",),
        ("a", "b"),
    )


@pytest.mark.parametrize(
    ("engine", "name", "kept", "expected"),
    [
        pytest.param(None, "3f2a9c1b7d4e", KEPT, "3f2a9c1b7d4e", id="no container"),
        pytest.param("docker", "3f2a9c1b7d4e", KEPT, "container-0123abcd", id="id of the container"),
        pytest.param("docker", "3f2a9c1b7d4e", None, "3f2a9c1b7d4e", id="no volume"),
        pytest.param("docker", "web-1.example", KEPT, "web-1", id="name given to the container"),
        pytest.param("kubernetes", "agent-x7k2p", KEPT, "container-0123abcd", id="pod"),
    ],
)
def test_the_host_id_outlives_a_container(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    engine: str | None,
    name: str,
    kept: str | None,
    expected: str,
) -> None:
    """Each new container has another name; what is kept on a volume lasts."""
    monkeypatch.setattr(settings, "own_container", lambda: engine)
    monkeypatch.setattr(settings, "host_name", lambda _: name)
    monkeypatch.setattr(settings, "kept_id_hash", lambda _: kept)
    agent = agent_settings(configuration(tmp_path))
    assert (agent.host_id, agent.container) == (expected, engine)
    assert agent.kept_id_hash == (kept if engine else None)
    assert agent_settings(configuration(tmp_path, host_id="db-2")).host_id == "db-2"
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/stat").touch()
    assert agent_settings(configuration(tmp_path, root=str(tmp_path))).container is None


def test_selections(tmp_path: Path) -> None:
    """Each list can be given alone, in the environment and the file; else the default patterns hold."""
    file = tmp_path / "fleetglass.yaml"
    file.write_text("agent:\n  exclude_interfaces: []\n  include_disks: [sd*, 'nvme?n1']\n")
    environment = {"FLEETGLASS_EXCLUDE_USERS": "root,www-*", "FLEETGLASS_EXCLUDE_DISKS": "sdb"}
    agent = agent_settings(configuration(tmp_path, environment, config=str(file), exclude_sensors=["nvme/*"]))
    assert agent.selections.interfaces == Selection()
    assert agent.selections.disks == Selection(include=("sd*", "nvme?n1"), exclude=("sdb",))
    assert agent.selections.users == Selection(exclude=("root", "www-*"))
    assert agent.selections.sensors == Selection(exclude=("nvme/*",))
    assert agent.selections.filesystems == DEFAULT_FILESYSTEMS


def test_expected_hosts(tmp_path: Path) -> None:
    """As they were read; a file is the bridge's to read, once its items are good."""
    hosts_file = tmp_path / "hosts.yaml"
    hosts_file.write_text("[web-1, 7, {}]\n")
    file = tmp_path / "fleetglass.yaml"
    file.write_text(f"bridge:\n  hosts: [db-2, {{id: nas, tags: [a]}}]\n  hosts_file: {hosts_file}\n")
    with pytest.raises(UsageError) as refused:
        bridge_settings(configuration(tmp_path, config=str(file)))
    assert [line.partition(": got")[0] for line in refused.value.args] == [
        "hosts_file: item 2", "hosts_file: item 3"
    ]  # fmt: skip
    hosts_file.write_text("[]\n")
    settings = bridge_settings(configuration(tmp_path, config=str(file)))
    assert settings.hosts == (ExpectedHost("db-2"), ExpectedHost("nas", tags=("a",)))
    assert settings.hosts_file == str(hosts_file)
    hosts_file.unlink()
    with pytest.raises(UsageError, match=r"^hosts_file: got .* expected a file that exists"):
        bridge_settings(configuration(tmp_path, config=str(file)))


def test_password_from_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The password is the content of the file without its line end; a private file gives no warning."""
    path = tmp_path / "password"
    path.write_text("geheim\n")
    path.chmod(0o600)
    settings = agent_settings(configuration(tmp_path, password_file=str(path)))
    assert settings.broker.password == "geheim"
    assert "geheim" not in repr(settings)
    assert capsys.readouterr().err == ""


def test_exposed_password_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A password file that every user can read works, with one line of warning."""
    path = tmp_path / "password"
    path.write_text("geheim")
    path.chmod(0o644)
    assert agent_settings(configuration(tmp_path, password_file=str(path))).broker.password == "geheim"
    error = capsys.readouterr().err
    assert error.startswith("fleetglass: warning: password_file: ")
    assert f"chmod 600 {path}" in error


def test_a_proxy_that_names_users(tmp_path: Path) -> None:
    """The secret is the content of its file and is in no representation; over a socket there may be none."""
    secret = tmp_path / "secret"
    secret.write_text("0123456789abcdef\n")
    secret.chmod(0o600)
    header: dict[str, Any] = {"proxy_user_header": "X-Forwarded-User"}
    told = bridge_settings(configuration(tmp_path, **header, proxy_secret_file=str(secret)))
    assert (told.proxy_user_header, told.proxy_secret) == ("X-Forwarded-User", "0123456789abcdef")
    assert "0123456789abcdef" not in repr(told)
    assert not told.trusted_proxy
    told = bridge_settings(configuration(tmp_path, **header, socket="/run/s"))
    assert (told.proxy_user_header, told.proxy_secret) == ("X-Forwarded-User", None)


@pytest.mark.parametrize(
    ("secret", "told", "message"),
    [
        (None, {"proxy_user_header": "X-A"}, r"^proxy_user_header: got 'X-A' at a port, .* or socket$"),
        ("x" * 16, {}, r"^proxy_secret_file: got a secret without proxy_user_header, expected both$"),
        (
            "x" * 16,
            {"proxy_user_header": "X-A", "auth": False},
            r"^proxy_user_header: got 'X-A' with auth: false",
        ),
        ("x" * 15, {"proxy_user_header": "X-A"}, r"^proxy_secret_file: expected at least 16 letters"),
        ("x x" * 16, {"proxy_user_header": "X-A"}, r"^proxy_secret_file: expected at least 16 letters"),
        ("two\nlines of text", {"proxy_user_header": "X-A"}, r"^proxy_secret_file: expected at least 16"),
        ("\n", {"proxy_user_header": "X-A"}, r"^proxy_secret_file: got an empty file, expected a secret"),
        *(
            (
                None,
                {"proxy_user_header": name},
                rf"^proxy_user_header: got '{name}', expected the name of a header",
            )
            for name in ("authorization", "X-Forwarded-For", "X-Fleetglass-Proxy-Secret", "A B", "A:")
        ),
    ],
)
def test_what_would_let_in_anybody_is_refused(
    tmp_path: Path, secret: str | None, told: dict[str, Any], message: str
) -> None:
    """Options for a proxy that prove nothing, or say two things, are one line at start."""
    if secret is not None:
        path = tmp_path / "secret"
        path.write_text(secret)
        path.chmod(0o600)
        told = told | {"proxy_secret_file": str(path)}
    with pytest.raises(UsageError, match=message) as caught:
        bridge_settings(configuration(tmp_path, **told))
    assert "\n" not in str(caught.value)


def test_environment_before_a_password_file_of_the_file(tmp_path: Path) -> None:
    """FLEETGLASS_PASSWORD wins over a file that the configuration names, which is not even read."""
    path = tmp_path / "password"
    path.write_text("")
    named = tmp_path / "f.yaml"
    named.write_text(f"password_file: {path}\n")
    read = configuration(tmp_path, {"FLEETGLASS_PASSWORD": "p"}, config=str(named))
    assert agent_settings(read).broker.password == "p"
    with pytest.raises(UsageError, match="got an empty file"):
        agent_settings(configuration(tmp_path, config=str(named)))


def test_a_file_and_a_text(tmp_path: Path) -> None:
    """Of a text and a file for the same, the one said last counts; both in one place are refused."""
    path = tmp_path / "ca.pem"
    path.write_text("")
    named = tmp_path / "f.yaml"
    pem = "|\n  -----BEGIN X-----\n  -----END X-----\n"
    named.write_text(f"broker: mqtts://h\nca: {pem}certificate: {pem}private_key: {pem}")
    named.chmod(0o600)
    inline = agent_settings(configuration(tmp_path, config=str(named))).broker
    assert (inline.ca_file, inline.certificate_file, inline.key_file) == (None, None, None)
    assert inline.ca == inline.certificate == inline.private_key == "-----BEGIN X-----\n-----END X-----\n"
    assert "private_key" not in repr(inline)
    told = agent_settings(configuration(tmp_path, config=str(named), ca_file=str(path))).broker
    assert (told.ca_file, told.ca) == (str(path), None)
    named.write_text(f"broker: mqtts://h\nca_file: {path}\nca: {pem}")
    with pytest.raises(UsageError, match=r"^ca_file: got ca as well, expected one of them$"):
        agent_settings(configuration(tmp_path, config=str(named)))
    named.write_text(f"ca: {pem}")
    with pytest.raises(UsageError, match=r"^ca: only for TLS: got mqtt://127.* at mqtts://$"):
        agent_settings(configuration(tmp_path, config=str(named)))


def test_agent_has_one_prefix(tmp_path: Path) -> None:
    """Several prefixes are for a bridge only."""
    with pytest.raises(UsageError, match="prefix: got a, b, expected one"):
        agent_settings(configuration(tmp_path, prefix=["a", "b"]))


def test_files_for_tls_need_tls(tmp_path: Path) -> None:
    """A certificate with a plain address would be a false sense of security, and is refused."""
    path = tmp_path / "ca.pem"
    path.write_text("")
    with pytest.raises(UsageError, match="expected a broker at mqtts://"):
        agent_settings(configuration(tmp_path, ca_file=str(path)))
    with pytest.raises(UsageError, match="key_file: got a key without a certificate"):
        agent_settings(configuration(tmp_path, key_file=str(path), broker="mqtts://h"))
    settings = agent_settings(configuration(tmp_path, ca_file=str(path), broker="mqtts://h"))
    assert settings.broker.ca_file == str(path)


def test_insecure(tmp_path: Path) -> None:
    """A password travels in clear to another machine only when told so."""
    secret = {"FLEETGLASS_PASSWORD": "p"}
    with pytest.raises(UsageError, match="sent in clear"):
        agent_settings(configuration(tmp_path, secret, broker="mqtt://u@example.org"))
    told = configuration(tmp_path, secret, broker="mqtt://u@example.org", insecure=True)
    assert agent_settings(told).broker.insecure


def test_another_root(tmp_path: Path) -> None:
    """A host mounted elsewhere has its own name; a folder that is no host's is told in one line."""
    (tmp_path / "proc").mkdir()
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/hostname").write_text("Web 7.example\n")
    with pytest.raises(UsageError, match=r"^root: got '.*', expected a folder with proc/stat in it"):
        agent_settings(configuration(tmp_path, root=str(tmp_path)))
    (tmp_path / "proc/stat").touch()
    settings = agent_settings(configuration(tmp_path, root=str(tmp_path)))
    assert (settings.root, settings.host_id) == (str(tmp_path), "web-7")
    assert agent_settings(configuration(tmp_path)).root == "/"


def test_groups_on_request(tmp_path: Path) -> None:
    """Containers, units and own metrics are off by default, and on where they are asked for."""
    plain = agent_settings(configuration(tmp_path))
    assert (plain.containers, plain.units, plain.custom_folder) == (False, (), None)
    variables = {"FLEETGLASS_UNITS": "ssh.service,backup-*", "FLEETGLASS_CONTAINERS": "yes"}
    told = agent_settings(configuration(tmp_path, variables, custom_folder=str(tmp_path)))
    assert (told.containers, told.units) == (True, ("ssh.service", "backup-*"))
    assert told.custom_folder == tmp_path
    with pytest.raises(UsageError, match=r"custom_folder: got '/nowhere', expected a folder that exists"):
        agent_settings(configuration(tmp_path, custom_folder="/nowhere"))
