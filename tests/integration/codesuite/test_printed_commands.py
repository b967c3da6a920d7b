"""What is printed to be pasted is pasted: each command runs as it stands, in a shell that knows nothing."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest
from codepipeline_workbench import Workshop, approve, commands, stage

from pipelines.aws import accounts
from pipelines.cli import embedded as up
from pipelines.cli import rehearse
from pipelines.core.repository import ROOT
from pipelines.promotion import control

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from embedded_aws import instance


@pytest.fixture
def paste(tmp_path: Path) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Run text in a shell of a person: `payments` and `aws` are there, no credentials, region or endpoint."""
    tools = [str(ROOT / ".venv" / "bin"), str(ROOT / ".cache" / "awscli" / "bin")]
    environment = {
        "PATH": os.pathsep.join([*tools, "/usr/local/bin", "/usr/bin", "/bin"]),
        "HOME": str(tmp_path),
        "AWS_EC2_METADATA_DISABLED": "true",
        "COLUMNS": "80",
        "NO_COLOR": "1",
    }

    def run(text: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", "-ec", text],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def printed_commands(text: str) -> list[str]:
    """The commands in a text: what is indented by two spaces, with the lines that it goes on in."""
    joined = re.sub(r" *\\\n *", " ", text)
    return re.findall(r"^  ((?:payments|aws|AWS_)\S* .*?)(?: {3,}.*)?$", joined, re.MULTILINE)


@pytest.fixture
def gate(
    workshop: Workshop, pipelines_stack: Callable[[str], None], embedded: instance.Instance
) -> tuple[str, str, str]:
    """A release that waits for an answer: its pipeline, its execution, and the endpoint."""
    name = workshop.create(
        stage("Source", workshop.source(workshop.repository())),
        stage("Approve", approve(configuration={"CustomData": "3 changes"})),
        stage("Deploy", commands("true")),
    )
    pipelines_stack(name)
    execution = workshop.start(name)
    workshop.approval(name, execution)
    return name, execution, embedded.endpoint


@pytest.mark.parametrize(
    "answer",
    [
        (0, "payments pipeline approve", "Succeeded"),
        (1, "payments pipeline reject", "Failed"),
        (2, "AWS_ACCESS_KEY_ID=", "Succeeded"),
    ],
)
def test_each_command_that_a_held_rehearsal_prints_answers_its_gate(
    workshop: Workshop,
    gate: tuple[str, str, str],
    paste: Callable[[str], subprocess.CompletedProcess[str]],
    answer: tuple[int, str, str],
) -> None:
    # Given what a rehearsal prints that leaves its gate open
    (name, execution, endpoint), (number, begins, ends) = gate, answer
    tools = accounts.connect_tools(endpoint)
    [question] = control.pending_approvals(tools, name, execution)
    *answers, watch = printed_commands(rehearse.how_to_answer(question, name, tools))
    assert len(answers) == 3
    assert answers[number].startswith(begins)
    # When one of the answers is pasted
    done = paste(answers[number])
    # Then it is the answer
    assert done.returncode == 0, done.stderr
    assert workshop.finished(name, execution)["status"] == ends
    # And what is printed to watch it shows how it ended, with nothing cut off at 80 columns
    seen = paste(watch)
    assert seen.returncode == 0, seen.stderr
    assert execution in seen.stdout
    assert ends in seen.stdout


def test_the_answers_that_a_status_prints_can_be_pasted(
    workshop: Workshop,
    gate: tuple[str, str, str],
    paste: Callable[[str], subprocess.CompletedProcess[str]],
) -> None:
    # Given the status as a person sees it
    name, execution, endpoint = gate
    status = paste(f"payments pipeline status release --endpoint-url {endpoint}")
    # When the first of its commands is pasted
    approval, _ = printed_commands(status.stdout)
    done = paste(approval)
    # Then the release goes on
    assert done.returncode == 0, done.stderr
    workshop.succeeded(name, execution)
    # And when it is pasted once more, that is refused, with a command that reaches the same place
    again = paste(approval)
    [offered] = re.findall(r"→ (payments .*)", again.stderr)
    assert again.returncode == 1
    assert execution in paste(offered).stdout


def test_what_is_offered_for_an_empty_production_makes_a_release(
    workshop: Workshop,
    pipelines_stack: Callable[[str], None],
    embedded: instance.Instance,
    paste: Callable[[str], subprocess.CompletedProcess[str]],
) -> None:
    # Given pipelines, and a production without a stack
    name = workshop.create(
        stage("Source", workshop.source(workshop.repository())), stage("Deploy", commands("true"))
    )
    pipelines_stack(name)
    # When somebody asks for an order there, and pastes what is offered
    asked = paste(f"payments order show order-1 -e prod --stack nowhere --endpoint-url {embedded.endpoint}")
    assert asked.returncode == 1
    assert "There is no stack nowhere in account 333333333333" in " ".join(asked.stderr.split())
    [offered] = re.findall(r"→ (payments .*(?:\n\S.*)?)", asked.stderr)
    done = paste(offered.replace("\n", " "))
    # Then a release runs, and nobody deploys by hand
    assert done.returncode == 0, done.stderr
    [execution] = re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", done.stderr)
    workshop.succeeded(name, execution)


def test_the_ways_in_that_up_prints_can_be_pasted_as_one(
    embedded: instance.Instance, paste: Callable[[str], subprocess.CompletedProcess[str]]
) -> None:
    # When all of its lines are pasted into one shell
    lines = re.findall(r"^  (?:export|aws) .*$", up.ways_in(embedded.endpoint, "branch"), re.MULTILINE)
    done = paste("\n".join(lines))
    # Then each of the three lists answers
    assert done.returncode == 0, done.stderr
    for answer in ("Stacks", "stateMachines", "Functions"):
        assert f'"{answer}"' in done.stdout
