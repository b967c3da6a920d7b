"""The names that a command line takes: of environments, orders, accounts and profiles.

A name that cannot be right is wrong typing, whichever command it is typed to: the command ends with 2 before
it asks anybody. One that AWS does not know ends with 1.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from environments import file_names
from payment_data import fields
from pipelines.cli import deferral

with deferral.until_run():
    import configparser
    import shlex

    from click import shell_completion

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class _Offered(click.ParamType[str]):
    """A value that a shell completes from a list."""

    def offered(self) -> list[str]:
        """Return the values to choose from."""
        raise NotImplementedError

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        param: click.Parameter,  # noqa: ARG002 - click's signature
        incomplete: str,
    ) -> list[CompletionItem]:
        """Return the values that begin with what was typed."""
        return [
            shell_completion.CompletionItem(name) for name in self.offered() if name.startswith(incomplete)
        ]


class EnvironmentName(_Offered):
    """The name of an environment that has a file; `also` are names that the command takes besides."""

    name = "environment"

    def __init__(self, *also: str) -> None:
        self._also = also

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name.

        Raises:
            BadParameter: It is none; the error says which are, and which of them comes close.
        """
        offered = self.offered()
        if value not in offered:
            close = difflib.get_close_matches(value, offered, n=1, cutoff=0.5)
            meant = f" Did you mean {close[0]}?" if close else ""
            file = f"environments/{value}.yml"
            self.fail(f"{file}: there is no such file; choose from {', '.join(offered)}.{meant}", param, ctx)
        return value

    def offered(self) -> list[str]:
        """Return the names of the files, and those that the command takes besides."""
        return [*file_names.names(), *self._also]


class Identifier(click.ParamType[str]):
    """The id of an order, a product, a user or a change."""

    name = "id"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the id.

        Raises:
            BadParameter: It breaks the data API's rule for ids.
        """
        if not fields.is_id(value):
            self.fail(f"{value!r} is no id: it {fields.ID_RULE}.", param, ctx)
        return value


ACCOUNTS: Final = (file_names.TOOLS, *file_names.PROMOTED)
"""The accounts that a profile can be named for."""


class ProfileOfAccount(_Offered):
    """An account and the AWS profile for it, as `prod=PROFILE`."""

    name = "profile"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the pair as it was typed.

        Raises:
            BadParameter: It is not of the form, or names no account.
        """
        account, _, profile = value.partition("=")
        if account not in ACCOUNTS or not profile:
            self.fail(f"it takes NAME=PROFILE with NAME one of {', '.join(ACCOUNTS)}", param, ctx)
        return value

    def offered(self) -> list[str]:
        """Return each account with each profile of this machine."""
        profiles = aws_profiles()
        return [f"{account}={profile}" for account in ACCOUNTS for profile in profiles]


_FILES: Final = {"AWS_CONFIG_FILE": "~/.aws/config", "AWS_SHARED_CREDENTIALS_FILE": "~/.aws/credentials"}
"""Where profiles are, by the variable that names another file (AWS CLI user guide, "Configuration and
credential file settings")."""
_NAMED: Final = 2


def aws_profiles() -> list[str]:
    """Return the names of the profiles of this machine's AWS configuration, sorted; none of a broken file.

    Reads the files itself: botocore takes longer to load than a shell may wait.
    """
    profiles = set()
    for variable, usual in _FILES.items():
        parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
        try:
            parser.read(Path(os.environ.get(variable) or usual).expanduser(), encoding="utf-8")
            for section in parser.sections():
                words = [section] if usual.endswith("credentials") else shlex.split(section)
                if len(words) == _NAMED and words[0] == "profile":
                    profiles.add(words[1])
                elif len(words) == 1 and (usual.endswith("credentials") or section == "default"):
                    profiles.add(section)
        except (OSError, ValueError, RuntimeError, configparser.Error):
            continue
    return sorted(profiles)
