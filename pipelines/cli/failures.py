"""The failures a person can do something about, in words instead of a traceback."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from environments.problems import EnvironmentInvalid
from payment_data.errors import Problem
from pipelines.cli import terminal
from pipelines.core.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def reported() -> Iterator[None]:
    """Print a failure in words and exit with 1; an error of our own code keeps its traceback."""
    try:
        yield
    except Refused as refusal:
        terminal.refuse(refusal.message, refusal.hint)
    except EnvironmentInvalid as invalid:
        terminal.refuse(str(invalid))
    except NoCredentialsError:
        terminal.refuse("There are no AWS credentials here.", "aws sso login, or set AWS_PROFILE")
    except Problem as problem:
        terminal.refuse(f"The data API answered: {type(problem).__name__}: {problem}")
    except (ClientError, BotoCoreError) as error:
        terminal.refuse(f"AWS answered: {error}")
    else:
        return
    raise SystemExit(1)
