"""Certificates of a made-up authority, by the openssl program."""

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest


class Certificate(NamedTuple):
    """A certificate and its key, as files in PEM."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates for 127.0.0.1. A test that asks for one is skipped where openssl is missing."""

    def __init__(self, folder: Path) -> None:
        if shutil.which("openssl") is None:
            pytest.skip("needs openssl: apt-get install openssl")
        self._folder = folder
        self.own = self._make("ca", "-x509", "-subj", "/CN=test authority")

    def issue(self, name: str, *, days: int = 2) -> Certificate:
        """Return a certificate for a server on 127.0.0.1, or for a client of that name."""
        return self._make(
            name,
            *("-days", str(days)),
            *("-x509", "-CA", str(self.own.certificate), "-CAkey", str(self.own.key)),
            *("-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-addext", "basicConstraints=critical,CA:FALSE"),
        )

    def issue_over(self, name: str) -> Certificate:
        """Return a certificate for a server on 127.0.0.1 whose time was over yesterday."""
        made, request = self.issue(name), self._folder / f"{name}.csr"
        asked = (
            *("req", "-new", "-key", str(made.key), "-subj", f"/CN={name}", "-out", str(request)),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
        )
        signed = (
            *("x509", "-req", "-in", str(request), "-days", "-1", "-out", str(made.certificate)),
            *("-CA", str(self.own.certificate), "-CAkey", str(self.own.key), "-set_serial", "2"),
            *("-copy_extensions", "copy"),
        )
        for arguments in (asked, signed):
            subprocess.run(["openssl", *arguments], check=True, capture_output=True)
        return made

    def _make(self, name: str, *arguments: str) -> Certificate:
        made = Certificate(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        subprocess.run(
            [
                *("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
                *("-days", "2", "-out", str(made.certificate), "-keyout", str(made.key), *arguments),
            ],
            check=True,
            capture_output=True,
        )
        return made
