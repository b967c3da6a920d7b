"""One schema for every environment file, and the one door to them: `load`.

A file says WHERE the system runs; nothing else in the house knows an account, a CIDR or a cluster.
Every problem of a file is reported at once, each with its file, key and rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Self

import yaml
from pydantic import Field, StringConstraints, ValidationError

from environments import file_names, rules
from environments.files import EnvironmentInvalid, Problem, problems_of, read_yaml
from environments.parts import (
    Account,
    Alarms,
    Currency,
    Database,
    Deployment,
    Functions,
    Logs,
    Network,
    Owner,
    Part,
    PaymentMethodName,
    Region,
    StackName,
    Stripe,
)

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = file_names.FOLDER


class Environment(Part):
    """One environment, as its file says it."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
    """The file's own name."""
    account: Account
    """The AWS account; environments may share one."""
    region: Region
    """The AWS region."""
    production: bool
    """Whether real orders are paid here; then the database must be encrypted and authenticated."""
    owner: Owner
    """The team that answers for it; a tag on its stacks."""
    network_stack: StackName
    """The network stack that this environment's payments stacks live in."""
    network: Network
    database: Database
    payment_method: PaymentMethodName
    """How new orders are paid here."""
    also_refunds: list[PaymentMethodName] = Field(default_factory=list)
    """How orders were paid before: their rights, key and network stay until every such order has ended."""
    currency: Currency
    """Of every price and balance."""
    functions: Functions
    logs: Logs
    deployment: Deployment
    alarms: Alarms = Alarms()
    stripe: Stripe | None = None

    def with_stripe(self, *, secret_arn: str, api_base: str) -> Self:
        """Return a copy that pays at another gateway, for the embedded AWS.

        Raises:
            ValueError: a value breaks a rule of `Stripe`.
        """
        return self.model_copy(update={"stripe": Stripe(secret_arn=secret_arn, api_base=api_base)})

    @property
    def payment_methods(self) -> tuple[str, ...]:
        """Every way in which an order may be paid on record here, that of new orders first."""
        return (self.payment_method, *self.also_refunds)

    @property
    def default_stack(self) -> str:
        """The name of its payments stack, where no other is given."""
        return f"payments-{self.name}"

    @property
    def stack_pattern(self) -> str:
        """What the names of its payments stacks look like, with `*`: branches have any number of them."""
        return {"branch": "branch-*", "local": "*"}.get(self.name, self.default_stack)

    @property
    def names_of_payments(self) -> str:
        """What names begin with that CloudFormation makes up in its payments stacks, `*` at their end."""
        pattern = self.stack_pattern
        return pattern if pattern.endswith("*") else f"{pattern}-*"

    @property
    def secret_arns(self) -> list[str]:
        """The secrets that its functions read, each once."""
        stated = (self.database.secret_arn, self.stripe and self.stripe.secret_arn)
        return sorted({arn for arn in stated if arn})

    def as_zips(self) -> Self:
        """Return a copy that runs zips, for the embedded AWS, which has no Docker to run images with."""
        functions = self.functions.model_copy(update={"packaging": "zip"})
        return self.model_copy(update={"functions": functions})

    def with_database(self, **changes: Any) -> Self:
        """Return a copy that uses another database, for the embedded AWS.

        Keys not named keep their value, except the accepter role, which belongs to the old owner.
        The rules between parts are not asked: an embedded mongod has neither TLS nor MONGODB-AWS,
        and staging and prod must still be rehearsed on it.

        Raises:
            ValueError: a value breaks a rule of `Database`.
        """
        values = self.database.model_dump() | {"peer_role_arn": None, "secret_arn": None} | changes
        return self.model_copy(update={"database": Database.model_validate(values)})


def names() -> list[str]:
    """Return the names of the environments that have a file, sorted."""
    return file_names.names(FOLDER)


def load(name: str, folder: Path = FOLDER) -> Environment:
    """Read and check `<folder>/<name>.yml`.

    Raises:
        EnvironmentInvalid: the file is missing or breaks rules; it lists every one of them.
    """
    file = f"{folder.name}/{name}.yml"
    if name not in file_names.names(folder):
        raise EnvironmentInvalid(
            file, [Problem("", f"there is no such file; choose from {', '.join(names())}")]
        )
    try:
        raw = read_yaml((folder / f"{name}.yml").read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise EnvironmentInvalid(
            file, [Problem("", f"is not YAML: {' '.join(str(error).split())}")]
        ) from error
    problems = list(rules.between_parts(raw)) if isinstance(raw, dict) else []
    if isinstance(raw, dict) and raw.get("name") != name:
        problems.insert(0, Problem("name", f"is the file's name, {name}"))
    try:
        environment = Environment.model_validate(raw)
    except ValidationError as error:
        raise EnvironmentInvalid(file, problems_of(error) + problems) from error
    if problems:
        raise EnvironmentInvalid(file, problems)
    return environment
