"""A real terminal for a command: what it prints there, and what a person types."""

from __future__ import annotations

import fcntl
import os
import re
import struct
import subprocess
import sys
import termios
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


_CONTROLLED = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""
"""Makes the terminal that of a session, which shells ask for, and becomes the command."""


def at_a_terminal(
    command: Sequence[str], typed: str, *, cwd: Path, columns: int = 80, **environment: str
) -> tuple[int, str]:
    """Run a command at a terminal of its own, and return its exit code and what it wrote, without colours.

    Args:
        command: The command.
        typed: What is typed before it asks: a terminal keeps it until it is read.
        cwd: The folder.
        columns: The width of the terminal.
        environment: What is set besides the present environment.
    """
    ours, its = os.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    whole: Mapping[str, str] = {**os.environ, "TERM": "xterm-256color", **environment}
    whole_command = [sys.executable, "-c", _CONTROLLED, *command]
    with subprocess.Popen(
        whole_command, stdin=its, stdout=its, stderr=its, env=whole, cwd=cwd, start_new_session=True
    ) as process:
        os.close(its)
        os.write(ours, typed.encode())
        shown = b"".join(iter(lambda: _read(ours), b""))
    os.close(ours)
    return process.returncode, re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode(errors="replace"))


def _read(terminal: int) -> bytes:
    """Return what is shown next; nothing once whoever showed it has ended, an error to Linux."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""
