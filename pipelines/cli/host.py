"""Makes a command indifferent to the machine it runs on: proxies, locales, closed streams, git hooks."""

from __future__ import annotations

import codecs
import os
import sys
from typing import IO, TYPE_CHECKING, Final

from pipelines.core import git

if TYPE_CHECKING:
    from collections.abc import MutableMapping

_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_PLAIN: Final = {
    "✓": "ok",
    "✗": "FAILED",
    "→": "->",
    "…": "...",
    "■": "=",
    "·": ".",
    "\N{EN DASH}": "-",
    "\N{EM DASH}": "-",
    "“": '"',
    "”": '"',
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{MINUS SIGN}": "-",
    "\N{MULTIPLICATION SIGN}": "x",
    "│": "|",
    "─": "-",
}
"""How signs are written where the terminal's encoding lacks them; anything else is escaped."""
_HANDLER: Final = "payments.plain"


def prepare(environment: MutableMapping[str, str] = os.environ) -> None:
    """Adapt this process, and so everything that it starts.

    Proxies never see requests to this machine, a sign that the output's encoding lacks is written in ASCII,
    a closed stream is replaced by one that drops what it gets, and a calling hook's variables are gone.
    """
    git.forget_caller()
    spare_this_machine(environment)
    codecs.register_error(_HANDLER, _in_plain_signs)
    for name in ("stdin", "stdout", "stderr"):
        stream: IO[str] | None = getattr(sys, name)
        if stream is None:  # the caller closed it
            setattr(sys, name, open(os.devnull, "r+", encoding="utf-8"))  # noqa: SIM115, PTH123 - for the process's life
        elif name != "stdin" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=_HANDLER)


def spare_this_machine(environment: MutableMapping[str, str]) -> None:
    """Name this machine in NO_PROXY, in both spellings, since programs differ in which they read."""
    listed = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    names = [name.strip() for name in listed.split(",") if name.strip()]
    if "*" not in names:
        names += [name for name in _LOOPBACK if name not in names]
    environment["NO_PROXY"] = environment["no_proxy"] = ",".join(names)


def _in_plain_signs(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    failing = error.object[error.start : error.end]
    plain = "".join(_PLAIN.get(sign) or sign.encode("ascii", "backslashreplace").decode() for sign in failing)
    return plain, error.end
