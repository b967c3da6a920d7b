"""`payments deploy` and `payments remove`: an environment's stacks."""

from __future__ import annotations

import click

from pipelines.aws import accounts, stacks
from pipelines.build import packaging
from pipelines.cli import local_aws, options, terminal
from pipelines.core.refusals import Refused
from pipelines.deploy import artifacts, deployment


@click.command()
@click.argument("environment", envvar="PAYMENTS_ENVIRONMENT", default="local")
@options.endpoint_url
@options.stack_name
@click.option(
    "--artifact-bucket",
    envvar="PAYMENTS_PACKAGE_BUCKET",
    metavar="BUCKET",
    help="Where packages are uploaded to; needed on AWS.",
)
@options.machine_readable
def deploy(
    environment: str, endpoint_url: str | None, stack: str | None, artifact_bucket: str | None, machine: bool
) -> None:
    """Deploy an environment: network and payments.

    ENVIRONMENT is local, branch, staging or prod. What has not changed is left alone, so deploying twice
    does nothing the second time.

    \b
    Examples:
      payments deploy
      payments deploy staging --artifact-bucket my-packages
    """
    aws = local_aws.connect(environment, endpoint_url)
    bucket = artifacts.bucket(aws, artifact_bucket)  # a refusal must not wait for the packages
    with terminal.progress(f"deploying {environment}") as reporter:
        manifest = packaging.build(progress=lambda name: reporter.passing(f"packaged {name}"))
        result = deployment.deploy(aws, manifest, stack=stack, artifact_bucket=bucket, reporter=reporter)
    for name, change in result.changes.items():
        terminal.done(f"{name} {change}")
    outputs = stacks.outputs(aws, result.stack)
    if machine:
        terminal.as_json({"stack": result.stack, "changes": result.changes, "outputs": outputs})
        return
    for key, value in sorted(outputs.items()):
        terminal.out.print(f"{key:24} {value}", markup=False)


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@options.in_stack_of_environment
@options.machine_readable
def remove(aws: accounts.Aws, stack: str, yes: bool, machine: bool) -> None:
    """Delete a payments stack.

    The network stays, and so does the stack's database.

    \b
    Examples:
      payments remove
      payments remove branch --stack branch-my-first-change-abc234 --yes
    """
    if aws.environment.production:
        raise Refused(
            f"{aws.environment.name} is a production environment; its stacks are never removed here."
        )
    if not yes and not click.confirm(f"Delete the stack {stack}?", err=True):
        raise Refused("Nothing was deleted.")
    with terminal.progress(f"deleting {stack}") as reporter:
        existed = stacks.delete(aws, stack, reporter)
    if not existed:
        raise Refused(f"There is no stack {stack}.")
    terminal.finish(f"{stack} is deleted", {"stack": stack, "deleted": True}, machine=machine)
