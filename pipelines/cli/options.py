"""The options that many commands share, and what they mean together."""

from __future__ import annotations

import re
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from pipelines.cli import deferral, names
from pipelines.cli.grammar import PLACE

with deferral.until_run():
    import boto3

    from pipelines.aws import accounts
    from pipelines.cli import local_aws

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.aws.accounts import Aws


ENVIRONMENT: Final = names.EnvironmentName()
ID: Final = names.Identifier()
_FORMS: Final = {
    "endpoint_url": (r"https?://[^\s/:]+(:[0-9]{1,5})?(/[!-~]*)?", "an address, as http://127.0.0.1:4566"),
    "stack": (r"[a-zA-Z][a-zA-Z0-9-]{0,127}", "a stack's name: letters, digits and hyphens, a letter first"),
}
"""What AWS would refuse, and botocore with a traceback: the form of an option, and how it is said."""


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
    """Keep what this command line says of where it looks, for the commands that it may suggest."""
    name = str(parameter.name)
    if value and name in _FORMS and not re.fullmatch(_FORMS[name][0], value):
        raise click.BadParameter(f"{value!r} is not {_FORMS[name][1]}.", context, parameter)
    if value and context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
        context.find_root().meta.setdefault(PLACE, {})[name] = value
    return value


endpoint_url = click.option(
    "--endpoint-url",
    callback=_remember,
    envvar="AWS_ENDPOINT_URL",
    metavar="URL",
    help="The endpoint of an embedded AWS. Without it, the environment `local` means the one that `payments "
    "up` started, and every other environment means AWS.",
)
stack_name = click.option(
    "--stack",
    callback=_remember,
    envvar="PAYMENTS_STACK",
    metavar="NAME",
    help="The payments stack. [default: payments-ENVIRONMENT]",
)
machine_readable = click.option("--json", "machine", is_flag=True, help="Print the result as JSON.")


def in_stack(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `aws` and `stack`, from the options --environment, --endpoint-url and --stack."""
    variable = "PAYMENTS_ENVIRONMENT"
    option = click.option(
        "--environment",
        "-e",
        callback=_remember,
        envvar=variable,
        default="local",
        show_default=True,
        type=ENVIRONMENT,
        metavar="NAME",
        help="The environment that the stack is in.",
    )
    return _in_stack(command, option)


def in_stack_of_environment(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `aws` and `stack`, where ENVIRONMENT is the command's argument."""
    argument = click.argument(
        "environment",
        envvar="PAYMENTS_ENVIRONMENT",
        default="local",
        callback=_remember,
        type=ENVIRONMENT,
    )
    return _in_stack(command, argument)


def _in_stack(command: Callable[..., Any], environment: Callable[..., Any]) -> Callable[..., Any]:
    @environment
    @endpoint_url
    @stack_name
    @wraps(command)
    def with_aws(environment: str, endpoint_url: str | None, stack: str | None, **rest: Any) -> Any:
        aws = local_aws.connect(environment, endpoint_url)
        return command(aws=aws, stack=stack or aws.environment.default_stack, **rest)

    wrapped: Callable[..., Any] = with_aws
    return wrapped


profiles = click.option(
    "--profile",
    "profiles",
    multiple=True,
    type=names.ProfileOfAccount(),
    metavar="NAME=PROFILE",
    help="The profile for an account: tools, branch, staging or prod. Repeatable.",
)


def profiles_by_account(arguments: tuple[str, ...]) -> dict[str, str]:
    """Return the profile of each account, by the account's name."""
    return dict(pair.partition("=")[::2] for pair in arguments)


def with_profile(account: Aws, profile: str | None) -> Aws:
    """Return the same account with another profile's credentials; as it is where no profile is named."""
    if profile is None:
        return account
    session = boto3.Session(profile_name=profile, region_name=account.environment.region)
    place = (account.environment, account.endpoint, account.mongodb_uri)
    return accounts.Aws(*place, session, account.card_gateway)
