"""`payments pipeline`: the promotion pipelines, as people use them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from pipelines.cli import deferral, options, pipeline_builds
from pipelines.cli.grammar import Verbs
from pipelines.core.refusals import Refused
from pipelines.promotion.pipeline_outputs import OUTPUTS

with deferral.until_run():
    from environments import groupings
    from environments import tools as tools_file
    from pipelines.aws import accounts
    from pipelines.cli import local_aws, terminal, views
    from pipelines.deploy import embedded_overrides, pipelines
    from pipelines.promotion import control, failure_report

if TYPE_CHECKING:
    from environments.schema import Environment
    from environments.tools import Tools
    from pipelines.aws.accounts import Aws
    from pipelines.promotion.control import PendingApproval

_which = click.argument("which", type=click.Choice(list(OUTPUTS)), default="release")


@click.group(cls=Verbs)
def pipeline() -> None:
    """Run the promotion pipelines: status, approvals, retries and rollbacks."""


for _command in (
    pipeline_builds.write_settings,
    pipeline_builds.sign,
    pipeline_builds.evidence,
    pipeline_builds.verify,
):
    pipeline.add_command(_command)


@pipeline.command()
@options.endpoint_url
@options.profiles
@options.machine_readable
def deploy(endpoint_url: str | None, profiles: tuple[str, ...], machine: bool) -> None:
    """Deploy the pipelines.

    First, in each account that they deploy to, the roles that they take on there and the network; then the
    docs site, and the pipelines. A release never does this.

    \b
    Examples:
      payments pipeline deploy --profile tools=TOOLS --profile prod=PROD
    """
    profile_names = options.profiles_by_account(profiles)
    tools = tools_file.load()
    tools_aws = options.with_profile(accounts.connect_tools(endpoint_url, tools), profile_names.get("tools"))
    targets = {
        name: options.with_profile(local_aws.connect(name, endpoint_url), profile_names.get(name))
        for name in groupings.PROMOTED
    }
    _refuse_grouping({name: target.environment for name, target in targets.items()}, tools)
    with terminal.progress("deploying the pipelines") as reporter:
        variables = embedded_overrides.variables(targets) if tools_aws.embedded else {}
        changes = pipelines.deploy(tools_aws, targets, tools, variables=variables, reporter=reporter)
    if machine:
        terminal.as_json(changes)
        return
    for name, change in changes.items():
        terminal.done(f"{name} {change}")


@pipeline.command()
@_which
@options.endpoint_url
@options.machine_readable
def start(which: str, endpoint_url: str | None, machine: bool) -> None:
    """Start a pipeline with the head of its branch.

    \b
    Examples:
      payments pipeline start release
    """
    tools, name = _tools_and_name(which, endpoint_url)
    with terminal.progress("starting the pipeline"):
        execution = control.start(tools, name)
    result = {"pipeline": name, "execution": execution}
    terminal.finish(f"{name} started: {execution}", result, machine=machine)


@pipeline.command()
@_which
@options.endpoint_url
@options.machine_readable
def status(which: str, endpoint_url: str | None, machine: bool) -> None:
    """Show where a pipeline is, what waits for whom, and how its last executions ended.

    \b
    Examples:
      payments pipeline status branch
      payments pipeline status release --json
    """
    tools, name = _tools_and_name(which, endpoint_url)
    with terminal.progress("reading the pipeline"):
        stages = control.state(tools, name)
        last = control.executions(tools, name)
        waiting = control.pending_approvals(tools, name)
    if machine:
        approvals = [asdict(question) for question in waiting]
        terminal.as_json({"pipeline": name, "stages": stages, "executions": last, "waiting": approvals})
        return
    views.print_state(stages, last)
    newest = next((run for run in last if run.get("executionType") != "ROLLBACK"), None)
    if newest and newest["status"] == "Failed":
        views.print_failure_report(failure_report.explain(tools, name, newest["pipelineExecutionId"], which))
    views.print_questions(waiting, which, endpoint_url)


@pipeline.command()
@_which
@options.endpoint_url
@click.option("--execution", metavar="ID", help="Which one, when several wait.")
@click.option("--summary", default="approved with payments", help="Why.")
@options.machine_readable
def approve(which: str, endpoint_url: str | None, execution: str | None, summary: str, machine: bool) -> None:
    """Approve what waits.

    \b
    Examples:
      payments pipeline approve release --summary "sale is over"
    """
    _answer(which, endpoint_url, execution, summary, yes=True, machine=machine)


@pipeline.command()
@_which
@options.endpoint_url
@click.option("--execution", metavar="ID", help="Which one, when several wait.")
@click.option("--summary", required=True, help="Why; whoever made the release reads it.")
@options.machine_readable
def reject(which: str, endpoint_url: str | None, execution: str | None, summary: str, machine: bool) -> None:
    """Reject what waits; production stays as it is.

    \b
    Examples:
      payments pipeline reject release --summary "wait for the sale to end"
    """
    _answer(which, endpoint_url, execution, summary, yes=False, machine=machine)


@pipeline.command()
@_which
@options.endpoint_url
@click.option("--stage", metavar="NAME", help="The stage, where several have failed.")
@click.option("--whole", is_flag=True, help="Repeat the whole stage, not only the actions that failed.")
@options.machine_readable
def retry(which: str, endpoint_url: str | None, stage: str | None, *, whole: bool, machine: bool) -> None:
    """Run a failed stage again, with the artifacts that it failed with.

    \b
    Examples:
      payments pipeline retry release
      payments pipeline retry release --stage Production --whole
    """
    tools, name = _tools_and_name(which, endpoint_url)
    with terminal.progress("starting the stage again"):
        again, execution = control.retry(tools, name, stage, whole=whole)
    result = {"pipeline": name, "stage": again, "execution": execution}
    terminal.finish(f"{again} of {execution} runs again.", result, machine=machine)


@pipeline.command()
@options.endpoint_url
@options.machine_readable
def emergency(endpoint_url: str | None, machine: bool) -> None:
    """Take the release that waits for its deployment window past it; it is asked about once more.

    Who approves then says why with --summary, and both stay with the execution and on the page of delivery.

    \b
    Examples:
      payments pipeline emergency
    """
    tools, name = _tools_and_name("release", endpoint_url)
    with terminal.progress("overriding the window"):
        execution = control.override_window(tools, name)
    result = {"pipeline": name, "execution": execution}
    terminal.finish(
        f"{execution} goes on past its window. Say why when it asks: payments pipeline approve release "
        f"--execution {execution} --summary WHY",
        result,
        machine=machine,
    )


@pipeline.command()
@click.argument("stage", type=click.Choice(["Staging", "Production"]))
@options.endpoint_url
@click.option("--to", metavar="ID", help="The execution to go back to. [default: the last one before]")
@options.machine_readable
def rollback(stage: str, endpoint_url: str | None, to: str | None, machine: bool) -> None:
    """Roll STAGE of the release pipeline back to an earlier release.

    \b
    Examples:
      payments pipeline rollback Production
    """
    tools, name = _tools_and_name("release", endpoint_url)
    with terminal.progress("starting the rollback"):
        execution = control.rollback(tools, name, stage, to)
    result = {"pipeline": name, "stage": stage, "execution": execution}
    terminal.finish(f"{stage} goes back: {execution}", result, machine=machine)


def _refuse_grouping(environments: dict[str, Environment], tools: Tools) -> None:
    """Refuse to deploy to accounts that may not be shared like this."""
    for problem in groupings.problems(environments, tools):
        raise Refused(f"{problem.key} {problem.rule}.", "payments lint")


def _answer(
    which: str, endpoint_url: str | None, execution: str | None, summary: str, *, yes: bool, machine: bool
) -> None:
    tools, name = _tools_and_name(which, endpoint_url)
    with terminal.progress("answering"):
        question = _only_question(control.pending_approvals(tools, name), which, execution)
        control.answer(tools, name, question, yes=yes, summary=summary)
    result = {"pipeline": name, "execution": question.execution, "approved": yes, "summary": summary}
    verdict = "is approved and goes on" if yes else "is rejected and ends here"
    terminal.finish(f"{question.execution} {verdict}.", result, machine=machine)


def _only_question(waiting: list[PendingApproval], which: str, execution: str | None) -> PendingApproval:
    matching = [question for question in waiting if execution in {None, question.execution}]
    if not matching:
        raise Refused(
            f"Nothing in the pipeline {which} waits for an answer.", f"payments pipeline status {which}"
        )
    if len(matching) > 1:
        listed = ", ".join(question.execution for question in matching)
        raise Refused(f"Several wait: {listed}.", "Choose one with --execution.")
    return matching[0]


def _tools_and_name(which: str, endpoint_url: str | None) -> tuple[Aws, str]:
    tools = accounts.connect_tools(endpoint_url)
    return tools, control.name_of(tools, which)
