"""The commands of `payments pipeline` that the pipelines' own builds run, configured by variables."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from pipelines.cli import deferral, options
from pipelines.cli.grammar import Command
from pipelines.core import branch_names
from pipelines.core.repository import DIST, ROOT

with deferral.until_run():
    from pipelines.aws import accounts, build_environment
    from pipelines.build import package_manifest
    from pipelines.cli import terminal
    from pipelines.deploy import deployment, payment_methods
    from pipelines.evidence import evidence as release_evidence
    from pipelines.evidence import gather
    from pipelines.promotion import branches, checks, publish_release, records

_FOLDER: Final = click.Path(exists=True, file_okay=False, path_type=Path)
_PACKAGES: Final = Path("dist", "packages")


@click.command("settings", cls=Command)
@click.argument(
    "environments",
    nargs=-1,
    required=True,
    metavar="ENVIRONMENT…",
    shell_complete=options.complete_environment,
)
@click.option("--stack", metavar="NAME", help="A branch's stack. [default: payments-ENVIRONMENT]")
@click.option("--built", type=_FOLDER, default=package_manifest.PACKAGES, help="The folder of the packages.")
def write_settings(environments: tuple[str, ...], stack: str | None, built: Path) -> None:
    """Write the parameters and tags of the stacks.

    To dist/settings, where the pipelines read them. Refused where a payment method would be dropped by which
    an unfinished order was paid. In a build of the branch pipeline, BRANCH and EXECUTION
    say whose stack it is.

    \b
    Examples:
      payments pipeline settings staging prod
    """
    if stack is not None:
        branch_names.removable(stack)
    manifest, push = package_manifest.read_intact(built), None
    stored, image = package_manifest.read_stored(built), package_manifest.read_image(built)
    if stack is not None:
        branch, execution = (
            build_environment.variable(branch_names.VARIABLE),
            build_environment.variable("EXECUTION"),
        )
        push = branches.push_of(
            accounts.connect_tools(), build_environment.pipeline_name(), execution, branch
        )
    for name in environments:
        account = build_environment.looking_at(name)
        payment_methods.check_release(account, stack or account.environment.default_stack)
        for path in deployment.write_configuration(
            account, manifest, stored, ROOT, image=image, stack=stack, push=push
        ):
            terminal.out.print(str(path.relative_to(ROOT)), markup=False)


@click.command(cls=Command)
@click.option("--built", type=_FOLDER, required=True, help="The artifact of the build, with its reports.")
@click.option("--proven", type=_FOLDER, required=True, help="The artifact of the proof, with its report.")
@click.option("--packages", type=_FOLDER, required=True, help="The artifact of the publication.")
def evidence(built: Path, proven: Path, packages: Path) -> None:
    """Write down what an approver decides about.

    A page, published to the docs bucket; its facts as the approval shows them; smoke as JUnit.

    \b
    Examples:
      payments pipeline evidence --built DIR --proven DIR --packages DIR
    """
    folder = DIST / "evidence"
    with terminal.progress("gathering evidence"):
        release = gather.gather(built, proven, packages)
        records.write({"stacks": records.review(build_environment.looking_at("prod"), release.stacks)})
        gather.write(release, folder)
        address = gather.publish(release, folder, packages)
    terminal.out.print(release_evidence.text(release), markup=False)
    terminal.done(f"The evidence is at {address}")


@click.command(cls=Command)
@click.option("--packages", type=_FOLDER, required=True, help="The artifact of the publication.")
@click.option("--built", type=_FOLDER, required=True, help="The artifact of the build, with its templates.")
def verify(packages: Path, built: Path) -> None:
    """Run one of the checks between Build and the end of production's deployment.

    CHECK names it: `record` what staging runs; `approved`, whether this release is what was approved, and
    production as it was then; `prepared`, whether the change sets PREPARED are the approved ones; `running`,
    whether production runs what staging ran. Each first checks the release's signature and files.

    \b
    Examples:
      CHECK=approved payments pipeline verify --packages DIR --built DIR
    """
    terminal.done(checks.run(checks.Artifacts(packages, built)))


@click.command(cls=Command)
@click.option("--built", type=_FOLDER, required=True, help="The artifact of the build, with its templates.")
@click.option("--proven", type=_FOLDER, required=True, help="The artifact of the proof, with its report.")
def sign(built: Path, proven: Path) -> None:
    """Sign what this release deploys.

    Writes dist/packages/provenance.json: an in-toto statement with the digest of every package, template and
    settings file, in an envelope signed with the KMS key PROVENANCE_KEY.

    \b
    Examples:
      PROVENANCE_KEY=ARN payments pipeline sign --built DIR --proven DIR
    """
    terminal.done(f"{publish_release.sign(built, proven)} files are signed")
