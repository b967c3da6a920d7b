"""Whom to be in each account, where a command looks into several."""

from __future__ import annotations

import boto3
import click

from pipelines.aws.accounts import Aws
from pipelines.deploy.synth import PROMOTED

option = click.option(
    "--profile",
    "profiles",
    multiple=True,
    metavar="NAME=PROFILE",
    help="Whom to be in tools, branch, staging or prod.",
)


def by_account(given: tuple[str, ...]) -> dict[str, str]:
    """The profile of each account that one was given for.

    Raises:
        UsageError: It is not of the form, or names no account.
    """
    pairs = dict(pair.partition("=")[::2] for pair in given)
    unknown = sorted(set(pairs) - {"tools", *PROMOTED})
    if unknown or not all(pairs.values()):
        raise click.UsageError(f"--profile takes NAME=PROFILE with NAME one of tools, {', '.join(PROMOTED)}")
    return pairs


def acting(there: Aws, profile: str | None) -> Aws:
    """The same account as somebody else, where a profile says whom."""
    if profile is None:
        return there
    session = boto3.Session(profile_name=profile, region_name=there.environment.region)
    return Aws(there.environment, there.endpoint, there.mongodb_uri, session, there.card_gateway)
