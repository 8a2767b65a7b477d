import fnmatch
import re
import shlex
import tomllib

from support.dockerfile import REPOSITORY, environment_of_image, read_dockerfile

INSTRUCTIONS = read_dockerfile()
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
COPIED = [
    source
    for instruction in INSTRUCTIONS
    if instruction.name == "COPY" and not instruction.text.startswith("--from")
    for source in shlex.split(instruction.text)[:-1]
]


def test_what_is_copied_is_there() -> None:
    """Each source is in the repository, and .dockerignore lets it through."""
    ignored = (REPOSITORY / ".dockerignore").read_text("utf-8").splitlines()
    let_through = [line[1:] for line in ignored if line.startswith("!")]
    assert ignored[1] == "*"
    assert sorted(let_through) == sorted(COPIED)
    assert all((REPOSITORY / source).exists() for source in COPIED)


def test_nothing_of_the_wheel_is_left_out() -> None:
    """All that the project is built from is copied, and so is each requirement that a command names."""
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {path.split("/")[0] for path in [*wheel["packages"], *wheel["force-include"]]}
    needed |= {PROJECT["project"]["readme"], "pyproject.toml", "LICENSE"}
    needed |= set(re.findall(r"requirements/\w+\.txt", _commands()))
    assert needed <= set(COPIED)


def test_what_is_installed_is_locked() -> None:
    """Everything from an index has a hash; the project's own wheel comes from no index."""
    installations = re.findall(r"pip (?:--python \S+ )?install [^&]*", _commands())
    assert len(installations) == 3
    assert all("--require-hashes" in line or "--no-index" in line for line in installations)
    assert all("--no-deps" in line for line in installations)
    locked = (REPOSITORY / "requirements" / "install.txt").read_text("utf-8")
    names = {re.split(r"[^\w-]", line)[0].lower() for line in PROJECT["project"]["dependencies"]}
    assert names <= set(re.findall(r"^([\w-]+)==", locked, re.MULTILINE))


def test_the_image_runs_as_nobody_in_particular() -> None:
    """The last stage ends with a user who is not root, and with the command itself, which signals reach."""
    last = {one.name: one.text for one in INSTRUCTIONS if one.stage == INSTRUCTIONS[-1].stage}
    assert last["USER"] == "10001:10001"
    assert last["STOPSIGNAL"] == "SIGTERM"
    assert last["ENTRYPOINT"] == '["fleetglass"]'
    assert "fleetglass" in PROJECT["project"]["scripts"]
    assert environment_of_image({"PATH": "/bin"}) == {
        "PATH": "/opt/fleetglass/bin:/bin",
        "XDG_STATE_HOME": "/var/lib",
    }
    assert "org.opencontainers.image.licenses" in last["LABEL"]


def test_the_base_has_a_version() -> None:
    """Both stages begin with one image, named down to the patch."""
    (base,) = (one.text for one in INSTRUCTIONS if one.name == "ARG")
    assert fnmatch.fnmatch(base, "PYTHON_IMAGE=python:3.*.*-slim-*")
    assert [one.text.split()[0] for one in INSTRUCTIONS if one.name == "FROM"] == ["${PYTHON_IMAGE}"] * 2


def test_no_secret_goes_into_a_layer() -> None:
    """Nothing secret is an argument of the build, and the folder of keys is not sent to the builder."""
    assert [one.text.split("=")[0] for one in INSTRUCTIONS if one.name == "ARG"] == ["PYTHON_IMAGE"]
    assert not {"enrolled", ".", ".env", ".git"} & set(COPIED)


def _commands() -> str:
    return " && ".join(one.text for one in INSTRUCTIONS if one.name == "RUN")
