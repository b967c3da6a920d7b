"""The page from nothing to a first release: its commands, in order, on an empty AWS.

In one account with Atlas's side played, and in five accounts with a cluster of your own.

What a build checks is made small; everything else is the page's, and the pipelines' own.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from embedded_aws import instance
from environments import schema
from environments.groupings import PROMOTED
from pipelines.aws.accounts import Aws
from pipelines.core.repository import CACHE
from pipelines.deploy import embedded_overrides
from pipelines.promotion import running_stack
from pipelines.rehearsal import rehearsal
from pipelines.setup.questions import questions
from tests.pipelines.setup.test_setup import BLOCK, IN_ONE_ACCOUNT, OWN, PAGE
from tests.proofs import small_builds
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Adopter:
    """Somebody who follows the page in a copy of the repository, with a profile for each account."""

    def __init__(self, home: Path, local: instance.Instance, answers: dict[str, str]) -> None:
        self.local, self.answers = local, answers
        self.checkout = home / "checkout"
        rehearsal.scratch_repository(self.checkout, "main")
        self.git("init", "--quiet", "--bare", "--initial-branch", "main", str(home / "origin"))
        self.git("remote", "add", "origin", str(home / "origin"))
        config = home / "aws"
        config.write_text(
            "".join(
                f"[profile {name}]\naws_access_key_id = {account}\naws_secret_access_key = any\n"
                f"region = {answers['region']}\n"
                for name, account in ((name, answers[f"{name}_account"]) for name in ("tools", *PROMOTED))
            )
        )
        self.environment = os.environ | {
            "AWS_CONFIG_FILE": str(config),
            "AWS_ENDPOINT_URL": local.endpoint,
            "AWS_PROFILE": "tools",
            "MONGODB_URI": local.mongodb_uri,
            "STRIPE_API_BASE": local.card_gateway or "",
            "PAYMENTS_CACHE": str(CACHE),
            "PYTHONPATH": f"{self.checkout}:{self.checkout / 'lambdas'}",
            "PATH": f"{CACHE / 'awscli' / 'bin'}:{os.environ['PATH']}",
            **{
                f"GIT_{who}_{what}": "adopter@example.org"
                for who in ("AUTHOR", "COMMITTER")
                for what in ("NAME", "EMAIL")
            },
        }

    def git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self.checkout, check=True)  # noqa: S607 - this machine's git

    def status(self) -> dict[str, Any]:
        """Return what `payments pipeline status release` says to a machine."""
        told: dict[str, Any] = json.loads(self.runs("payments pipeline status release --json"))
        return told

    def running(self, name: str) -> dict[str, str]:
        """Return the digests of what an environment runs."""
        environment = schema.load(name, self.checkout / "environments")
        return running_stack.digests(Aws(environment, self.local.endpoint), environment.default_stack)

    def runs(self, script: str, answers: str = "") -> str:
        """Paste a block of the page, `payments` being the checkout's, and return what it printed."""
        payments = f'payments() {{ {sys.executable} -m pipelines.cli "$@"; }}'
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"{payments}\n{script}"],  # noqa: S607 - the reader's own bash
            cwd=self.checkout,
            env=self.environment,
            input=answers,
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
        )
        assert ran.returncode == 0, f"{script}\n{ran.stdout[-3000:]}\n{ran.stderr[-6000:]}"
        return ran.stdout


@pytest.fixture(params=[IN_ONE_ACCOUNT, OWN], ids=["one account, Atlas", "five accounts, own cluster"])
def adopter(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Adopter]:
    root = tmp_path / "embedded"
    local = instance.start(root, attached=True)
    instance.set_minute(root, 60 / embedded_overrides.SPEEDUP)
    made = Adopter(tmp_path, local, request.param)
    instance.register_repository(root, made.answers["repository"], tmp_path / "origin")
    yield made
    instance.stop(root)


def written_out(block: str) -> str:
    """Fill in what the page leaves to its reader: profiles, and the environment of the example."""
    return re.sub(r"(\w+)=PROFILE", r"\1=\1", block)


def test_the_page_word_for_word_ends_with_a_release_in_production(adopter: Adopter) -> None:
    blocks = [written_out(block) for block in BLOCK.findall(PAGE.read_text(encoding="utf-8"))]
    init, commit, deploy, connect, subscribe, doctor, release = blocks
    start, status, approve = release.splitlines()
    for path, text in small_builds.files().items():
        (adopter.checkout / path).write_text(text, encoding="utf-8")
    # Given the answers to what is asked
    asked = [question.name for question in questions() if question.asked(adopter.answers)]
    adopter.runs(init, "".join(f"{adopter.answers[name]}\n" for name in asked))
    adopter.runs(commit)
    # When everything is deployed, and each database of Atlas is connected, as the page says
    adopter.runs(deploy)
    for name in PROMOTED if adopter.answers["database"] == "atlas" else ():
        adopter.runs(connect.replace("prod", name))
    adopter.runs(subscribe)
    # Then nothing that is looked at is wrong
    adopter.runs(doctor)
    # When the first release is started, and approved once it waits for it
    adopter.runs(start)
    wait_until(lambda: adopter.status()["waiting"], lambda: adopter.runs(status), seconds=600, every=3)
    adopter.runs(approve)
    # Then it is in production, as staging runs it
    wait_until(
        lambda: [run for run in adopter.status()["executions"] if run["status"] == "Succeeded"],
        lambda: adopter.runs(status),
        seconds=600,
        every=3,
    )
    assert adopter.running("prod") == adopter.running("staging") != {}
