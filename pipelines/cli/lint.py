"""`payments lint`: what AWS would refuse, found before AWS does."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from itertools import chain
from multiprocessing import get_context
from pathlib import Path

import click

from environments import groupings, schema
from environments import tools as tools_file
from pipelines.cli import options, terminal
from pipelines.core.refusals import Refused
from pipelines.lint import repository_templates
from pipelines.lint.files import lint_files
from pipelines.lint.findings import Finding, Level, Unreadable
from pipelines.lint.house_rules import tags as stack_tags


@click.command()
@click.argument("what", nargs=-1, metavar="[ENVIRONMENT|TEMPLATE]…")
@click.option("--strict", is_flag=True, help="Fail on warnings and advice, too.")
@click.option("--ignore", "ignored", multiple=True, metavar="ID", help="Pass a rule over; may be repeated.")
@options.machine_readable
def lint(what: tuple[str, ...], strict: bool, ignored: tuple[str, ...], machine: bool) -> None:
    """Check templates, workflow definitions and pipelines.

    Those of the ENVIRONMENTs, or all of ours, the pipelines' and the bootstrap stacks' among them. A
    TEMPLATE is any file, ours or not: CloudFormation in JSON or YAML, the input of `aws codepipeline
    create-pipeline`, or a state machine's definition; its pipelines and state machines are checked. Of a
    stack's template configuration, as dist/settings holds them, the tags are. It fails on errors alone.

    \b
    Examples:
      payments lint
      payments lint prod template.yml
      payments lint template.yml --strict --ignore P402
    """
    files = [Path(name) for name in what if _is_file(name)]
    names = [name for name in what if not _is_file(name)] or ([] if files else repository_templates.names())
    for name in names:
        if name != repository_templates.PIPELINES:
            schema.load(name)  # refuses what does not exist before anything is judged
    findings = sorted([*_in_files(files), *_in_ours(names), *_groupings(names)], key=str)
    findings = [finding for finding in findings if finding.rule not in ignored]
    if machine:
        terminal.as_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            terminal.out.print(str(finding), markup=False)
    looked_at = ", ".join([*names, *map(str, files)])
    counts = Counter(finding.level for finding in findings)
    summary = ", ".join(f"{count} {level}" for level, count in sorted(counts.items())) or "no findings"
    if counts[Level.ERROR] or (findings and strict):
        raise Refused(f"The templates of {looked_at}: {summary}")
    terminal.done(f"The templates of {looked_at}: {summary}")


def _is_file(name: str) -> bool:
    return "/" in name or Path(name).suffix != "" or Path(name).is_file()


def _in_files(files: list[Path]) -> list[Finding]:
    try:
        settings = [path for path in files if stack_tags.is_template_configuration(path)]
        findings: list[Finding] = [*lint_files(path for path in files if path not in settings)]
    except Unreadable as unreadable:
        raise Refused(str(unreadable)) from unreadable
    return [*findings, *(finding for path in settings for finding in stack_tags.findings(path))]


def _groupings(names: list[str]) -> list[Finding]:
    """Return what does not work in how the environments are spread over accounts, when all are looked at."""
    if not set(groupings.PROMOTED) <= set(names):
        return []
    promoted = {name: schema.load(name) for name in groupings.PROMOTED}
    return [
        Finding("environments", problem.key, "grouping", problem.rule)
        for problem in groupings.problems(promoted, tools_file.load())
    ]


def _in_ours(names: list[str]) -> list[Finding]:
    if not names:
        return []
    # cfn-lint takes more than a second a template, on one core. Forking would copy threads' locks.
    with terminal.progress("linting"), ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        return list(chain.from_iterable(pool.map(repository_templates.findings, names)))
