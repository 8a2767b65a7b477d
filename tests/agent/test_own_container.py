from pathlib import Path

import pytest

from fleetglass.agent.own_container import is_container_id, own_container, shown_instead

ID = "3f2a9c1b7d4e"


@pytest.mark.parametrize(
    ("files", "environment", "expected"),
    [
        pytest.param({"proc/self/cgroup": "0::/user.slice/session-1.scope\n"}, {}, None, id="machine"),
        pytest.param({}, {}, None, id="nothing"),
        pytest.param({".dockerenv": ""}, {}, "docker", id="docker"),
        pytest.param({"proc/self/cgroup": f"12:pids:/docker/{ID * 5}\n"}, {}, "docker", id="docker, cgroup"),
        pytest.param(
            {"proc/self/cgroup": f"0::/system.slice/docker-{ID * 5}.scope\n"},
            {},
            "docker",
            id="docker, systemd",
        ),
        pytest.param({"run/.containerenv": "engine=podman\n"}, {}, "podman", id="podman"),
        pytest.param({}, {"container": "oci"}, "oci", id="another engine"),
        pytest.param({"proc/1/environ": "PATH=/bin\0container=podman\0"}, {}, "podman", id="podman, init"),
        pytest.param(
            {".dockerenv": ""}, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "kubernetes", id="kubernetes"
        ),
        pytest.param(
            {"proc/self/cgroup": "1:cpu:/kubepods/burstable/pod1/2\n"},
            {},
            "kubernetes",
            id="kubernetes, cgroup",
        ),
        pytest.param(
            {"proc/self/cgroup": f"0::/system.slice/cri-containerd-{ID}.scope\n"},
            {},
            "containerd",
            id="containerd",
        ),
        pytest.param({"run/systemd/container": "docker\n"}, {}, "docker", id="docker with systemd"),
        pytest.param({"run/systemd/container": "lxc\n"}, {}, None, id="LXC"),
        pytest.param({"proc/1/environ": "container=lxc\0TERM=linux\0"}, {}, None, id="LXC without systemd"),
        pytest.param({"run/systemd/container": "lxc\n", ".dockerenv": ""}, {}, None, id="LXC from an image"),
        pytest.param({"run/systemd/container": "systemd-nspawn\n"}, {}, None, id="nspawn"),
        pytest.param({"run/systemd/container": "wsl\n"}, {}, None, id="WSL"),
    ],
)
def test_what_runs_the_own_container(
    tmp_path: Path, files: dict[str, str], environment: dict[str, str], expected: str | None
) -> None:
    """Engines leave their marks; a container with an init of its own is a machine of its own."""
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert own_container(str(tmp_path), environment) == expected


def test_an_id_of_a_container_is_no_name() -> None:
    """Engines give each new container another one."""
    assert is_container_id(ID)
    assert is_container_id(ID * 5 + "abcd")
    assert not any(map(is_container_id, ("web-1", "deadbeef", "3F2A9C1B7D4E", f"{ID}0")))


def test_a_name_that_does_not_last_is_told() -> None:
    """Neither the id of a container nor the name of a pod does, unless an id is kept."""
    assert shown_instead("docker", "web-1", has_kept_id=False) == (
        "in a container (docker) and without --root, so it shows the container and not the host"
    )
    assert "the next container will not have" in shown_instead("docker", ID, has_kept_id=False)
    assert "the next container will not have" in shown_instead("kubernetes", "agent-x7k2p", has_kept_id=False)
    assert "next" not in shown_instead("docker", "container-3f2a9c1b", has_kept_id=True)
