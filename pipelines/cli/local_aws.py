"""The embedded AWS of this checkout, found for the commands: the one place that hands its endpoint in.

It is imported where it is used, because the builds of a pipeline have none installed.
"""

from __future__ import annotations

from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from pipelines.aws import accounts
from pipelines.core import repository
from pipelines.core.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator


ROOT = repository.ROOT / ".embedded"
"""The folder of this checkout's embedded AWS."""
CACHE = repository.ROOT / ".cache"
"""What `make install` prepares for it: the interpreters of functions and of the local Stripe."""


def running() -> accounts.LocalAws | None:
    """Return the embedded AWS that runs in this checkout, if one does."""
    if find_spec("embedded_aws") is None:
        return None
    from embedded_aws import instance  # noqa: PLC0415 - not installed in builds
    from embedded_aws.card_gateway import gateway  # noqa: PLC0415 - not installed in builds

    local = instance.running(ROOT)
    if local is None:
        return None
    return accounts.LocalAws(
        local.endpoint, local.mongodb_uri, local.card_gateway if gateway.is_installed(CACHE) else None
    )


def connect(environment_name: str, endpoint_url: str | None = None) -> accounts.Aws:
    """Return the AWS of an environment, where the embedded AWS of this checkout is one of the places.

    Raises:
        EnvironmentInvalid: There is no such environment, or its file breaks a rule.
        Refused: The environment is local and no embedded AWS is running.
    """
    return accounts.connect(environment_name, endpoint_url, running())


@contextmanager
def refusals() -> Iterator[None]:
    """Say in words why the embedded AWS could not be started or stopped.

    Raises:
        Refused: It runs already, does not run, or ended before it was ready.
    """
    from embedded_aws.instance import (  # noqa: PLC0415 - see above
        AlreadyRunning,
        NotInstalled,
        NotRunning,
        StartFailed,
    )

    try:
        yield
    except AlreadyRunning as error:
        raise Refused(_sentence(error), "payments down") from error
    except NotInstalled as error:
        raise Refused(_sentence(error), "make install") from error
    except (NotRunning, StartFailed) as error:
        raise Refused(_sentence(error)) from error


def _sentence(error: Exception) -> str:
    text = str(error)
    return text[:1].upper() + text[1:]
