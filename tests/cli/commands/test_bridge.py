import subprocess
from collections.abc import Callable
from pathlib import Path

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_a_new_token_is_printed_as_a_link(tmp_path: Path, run: Run) -> None:
    """The old one is replaced, and nothing is served."""
    path = tmp_path / "token"
    path.write_text("old\n")
    result = run("bridge", "--host=192.0.2.7", f"--token-file={path}", "--new-token")
    assert result.returncode == 0
    token = path.read_text().strip()
    assert token != "old"
    assert result.stdout == f"http://192.0.2.7:8765/#token={token}\n"


def test_a_new_token_that_cannot_be_kept_is_an_error(tmp_path: Path, run: Run) -> None:
    """One line names the file."""
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "token"
    result = run("bridge", f"--token-file={path}", "--new-token")
    assert result.returncode == 1
    assert f"token file {path}" in result.stderr


def test_what_does_not_fit_together_is_wrong_usage(tmp_path: Path, run: Run) -> None:
    """The line says what is missing, before anything is served."""
    (tmp_path / "key").touch()
    for words, line in (
        (["bridge", f"--key={tmp_path / 'key'}"], "expected cert as well"),
        (["bridge", "--cert=/nowhere"], "cert: got '/nowhere', expected a file"),
        (["up", "--socket=/nowhere"], "socket: got a path, expected none"),
    ):
        result = run(*words)
        assert (result.returncode, line in result.stderr) == (2, True), result.stderr
