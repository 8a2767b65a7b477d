"""Small files of `/proc` and `/sys`."""

import math
import os

_NUMBER_BYTES = 64  # of a line with a number of 64 bits, and space around it


def read_file(path: str, most_bytes: int = -1) -> bytes:
    """Return the whole of a small file, or its beginning.

    Raises:
        OSError: it is not there, or does not answer.
    """
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 -- a Path costs more than the reading
        return file.read(most_bytes)


def read_text(path: str) -> str | None:
    """Return the text of a file without the space around it, or None where there is none."""
    try:
        return read_file(path).strip(b" \t\r\n\0").decode(errors="replace") or None
    except OSError:
        return None


def read_whole(path: str) -> int | None:
    """Return the whole number in a file, or None where there is none."""
    try:
        file = os.open(path, os.O_RDONLY)  # a file object asks the kernel four times more
    except OSError:
        return None
    try:
        return int(os.read(file, _NUMBER_BYTES))
    except (OSError, ValueError):
        return None
    finally:
        os.close(file)


def list_folder(path: str) -> list[str]:
    """Return the names in a folder in order, none for a folder that is not there."""
    try:
        return sorted(os.listdir(path))  # noqa: PTH208 -- as above
    except OSError:
        return []


def finite(text: str | bytes) -> float | None:
    """Return the number that a text is, or None for anything else, NaN among it."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
