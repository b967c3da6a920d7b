"""Starts the process of an instance: by the server's own interpreter, in an environment of its own."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from embedded_aws.core import runtime
from embedded_aws.core.runtime import CACHE_VARIABLE

# Nothing of the caller's AWS profile may leak into it.
_INHERITED = (
    "PATH",
    "HOME",
    "LANG",
    "MONGOD",
    "MONGODB_URI",
    "CARD_GATEWAY_PYTHON",
    CACHE_VARIABLE,
    "SFN_WAIT_SCALE",
    "SFN_TRANSITIONS_PER_SECOND",
    "ALARM_PERIOD_SCALE",
    "METRIC_MINUTES_LATE",
    "METRIC_SHARE_LOST",
    "LOG_LEVEL",
    "COVERAGE_PROCESS_CONFIG",  # a measured test run measures this process too
)
_REGISTRIES = ("PIP_", "UV_", "SSL_CERT_", "REQUESTS_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
"""How this machine reaches package registries: builds run in the server's children and need the same."""
_RUN = "import sys; sys.path.append({!r}); from embedded_aws import server; server.main()"


class StartFailed(RuntimeError):  # noqa: N818 - the contract's name; it reads as what happened
    """The server ended before it was ready; the message holds the end of its log."""


class NotInstalled(StartFailed):
    """There is no interpreter that has what the server needs."""


def interpreter(cache: Path | None = None) -> Path:
    """Return the interpreter that servers run in: `embedded-aws` in the cache folder, else this one.

    So whoever starts an instance need not have what the server pins.

    Raises:
        NotInstalled: there is none in the cache folder, and this one lacks MiniStack.
    """
    python = (cache or runtime.cache_folder()) / "embedded-aws" / "bin" / "python"
    if os.access(python, os.X_OK):
        return python
    if find_spec("ministack") is None:
        raise NotInstalled(
            f"the embedded AWS is not installed: there is no {python}, and {sys.executable} has no MiniStack"
        )
    return Path(sys.executable)


def launch(
    root: Path, options: list[str], cache: Path | None, *, attached: bool
) -> "subprocess.Popen[bytes]":
    """Start the server of the instance in `root`, which is made if absent, and do not wait.

    Raises:
        NotInstalled: its environment is not there.
    """
    # Appended, not put before: what the interpreter has of its own comes first.
    command = [str(interpreter(cache)), "-c", _RUN.format(str(Path(__file__).parents[1])), *options]
    environment = {
        n: v for n, v in os.environ.items() if n in _INHERITED or n.upper().startswith(_REGISTRIES)
    }
    environment |= {CACHE_VARIABLE: str(cache.resolve())} if cache else {}
    root.mkdir(parents=True, exist_ok=True)
    with (root / "server.log").open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - our own command line
            command,
            cwd=root,
            env=environment,
            stdin=subprocess.PIPE if attached else subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
