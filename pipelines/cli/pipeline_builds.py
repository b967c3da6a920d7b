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
    type=options.ENVIRONMENT,
)
@click.option("--stack", metavar="NAME", help="A branch's stack. [default: payments-ENVIRONMENT]")
@click.option("--built", type=_FOLDER, default=package_manifest.PACKAGES, help="The folder of the packages.")
@options.machine_readable
def write_settings(environments: tuple[str, ...], stack: str | None, built: Path, machine: bool) -> None:
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
    written: list[str] = []
    for name in environments:
        account = build_environment.looking_at(name)
        payment_methods.check_release(account, stack or account.environment.default_stack)
        for path in deployment.write_configuration(
            account, manifest, stored, ROOT, image=image, stack=stack, push=push
        ):
            written.append(str(path.relative_to(ROOT)))
            if not machine:
                terminal.out.print(written[-1], markup=False)
    if machine:
        terminal.as_json(written)


@click.command(cls=Command)
@click.option("--built", type=_FOLDER, required=True, help="The artifact of the build, with its reports.")
@click.option("--proven", type=_FOLDER, required=True, help="The artifact of the proof, with its report.")
@click.option("--packages", type=_FOLDER, required=True, help="The artifact of the publication.")
@options.machine_readable
def evidence(built: Path, proven: Path, packages: Path, machine: bool) -> None:
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
    if not machine:
        terminal.out.print(release_evidence.text(release), markup=False)
    terminal.finish(f"The evidence is at {address}", {"address": address}, machine=machine)


@click.command(cls=Command)
@click.option("--packages", type=_FOLDER, required=True, help="The artifact of the publication.")
@click.option("--built", type=_FOLDER, required=True, help="The artifact of the build, with its templates.")
@options.machine_readable
def verify(packages: Path, built: Path, machine: bool) -> None:
    """Run one of the checks between Build and the end of production's deployment.

    CHECK names it: `record` what staging runs; `approved`, whether this release is what was approved, and
    production as it was then; `prepared`, whether the change sets PREPARED are the approved ones; `running`,
    whether production runs what staging ran. Each first checks the release's signature and files.

    \b
    Examples:
      CHECK=approved payments pipeline verify --packages DIR --built DIR
    """
    verdict = checks.run(checks.Artifacts(packages, built))
    terminal.finish(verdict, {"verdict": verdict}, machine=machine)


@click.command(cls=Command)
@click.option("--built", type=_FOLDER, required=True, help="The artifact of the build, with its templates.")
@click.option("--proven", type=_FOLDER, required=True, help="The artifact of the proof, with its report.")
@options.machine_readable
def sign(built: Path, proven: Path, machine: bool) -> None:
    """Sign what this release deploys.

    Writes dist/packages/provenance.json: an in-toto statement with the digest of every package, template and
    settings file, in an envelope signed with the KMS key PROVENANCE_KEY.

    \b
    Examples:
      PROVENANCE_KEY=ARN payments pipeline sign --built DIR --proven DIR
    """
    count = publish_release.sign(built, proven)
    terminal.finish(f"{count} files are signed", {"files": count}, machine=machine)
