"""The failures a person can do something about, in words instead of a traceback."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigParseError,
    EndpointConnectionError,
    NoCredentialsError,
    ProfileNotFound,
)

from environments.files import EnvironmentInvalid
from payment_data.errors import Problem
from pipelines.cli import terminal
from pipelines.core.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_REMEDIES: Final = {
    errno.EACCES: "Give yourself the right to write there, or use another place.",
    errno.EROFS: "Its file system is read-only: use a place on another one.",
    errno.ENOSPC: "The disk is full: make clean removes what was built.",
    errno.ENOTDIR: "A file is in the way of a folder of this name: move it.",
    errno.EISDIR: "A folder is in the way of a file of this name: move it.",
    errno.EDQUOT: "Your share of the disk is used up: make clean removes what was built.",
    errno.EIO: "The disk or the device behind it is broken.",
    errno.EEXIST: "A file is in the way of a folder of this name: move it.",
}

_WHILE_WRITING: Final = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}
"""What a write into a file that is open already fails of; such a failure names no file."""


_EXPLANATIONS: Final[tuple[tuple[type[Exception], Callable[[Any], tuple[str, str]]], ...]] = (
    (Refused, lambda refusal: (refusal.message, refusal.hint)),
    (EnvironmentInvalid, lambda invalid: (str(invalid), "")),
    (Problem, lambda problem: (f"The data API answered: {type(problem).__name__}: {problem}", "")),
    (
        NoCredentialsError,
        lambda _: ("There are no AWS credentials here.", "aws sso login, or set AWS_PROFILE"),
    ),
    (
        ProfileNotFound,
        lambda error: (f"{error}.", "aws configure list-profiles; then set AWS_PROFILE or --profile"),
    ),
    (ConfigParseError, lambda error: (str(error), "Fix the file, or name another with AWS_CONFIG_FILE.")),
    (EndpointConnectionError, lambda error: (str(error), "For the embedded AWS: payments up")),
    (ClientError, lambda error: (f"AWS answered: {error}", "")),
    (BotoCoreError, lambda error: (f"AWS could not be asked: {error}", "")),
    (
        UnicodeEncodeError,
        lambda error: (
            f"{error.object[:200]!r} is no text: {error.encoding} has no letter for a part of it.",
            "",
        ),
    ),
    (
        OSError,
        lambda error: (
            f"{error.filename or 'A file could not be written'}: {error.strerror}.",
            _REMEDIES.get(error.errno or 0, ""),
        ),
    ),
    (ValueError, lambda error: (f"AWS could not be asked: {error}", "env | grep -i -e ^AWS_ -e proxy")),
)
"""What each kind of failure says, with what would help; the first that fits is taken."""


@contextmanager
def reported() -> Iterator[None]:
    """Print a failure in words and exit with 1; an error of our own code keeps its traceback.

    Raises:
        SystemExit: A failure was printed; its code is 1.
    """
    try:
        yield
    except BrokenPipeError:
        _drop_output()
    except tuple(kind for kind, _ in _EXPLANATIONS) as error:
        kind, explain = next(each for each in _EXPLANATIONS if isinstance(error, each[0]))
        if isinstance(error, OSError) and kind is OSError and not _names_a_place(error):
            raise
        if kind is ValueError and not _raised_by_botocore(error):
            raise
        terminal.refuse(*explain(error))
    else:
        return
    raise SystemExit(1)


def _names_a_place(error: OSError) -> bool:
    return error.filename is not None or error.errno in _WHILE_WRITING


def _raised_by_botocore(error: Exception) -> bool:
    """Return whether an error is botocore's own: of an address or a setting that it cannot use."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return str(frames[-1].f_globals["__name__"]).startswith("botocore.")


def _drop_output() -> None:
    """Leave nothing to flush: whoever read our output is gone, and Python would complain of it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
