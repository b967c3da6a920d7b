"""What people answered about a release, on its page of evidence.

The page is written before it is asked. It is completed by the execution that was approved, after its last
answer and before production changes, so that an emergency is found with who took it and why.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Final

from pipelines.aws import docs_bucket
from pipelines.evidence.gather import EMERGENCY
from templates.capabilities import docs_distribution

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from pipelines.aws.accounts import Aws

_PLACE: Final = re.compile("<!-- answers -->.*?<!-- /answers -->", re.DOTALL)
"""Where the page's frame has room for them."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An approval that was given.

    Attributes:
        stage: Where it was asked.
        at: When it was given.
        who: The ARN of whoever gave it.
        why: What they said; empty for nothing.
        emergency: Whether it took the release past its deployment window.
    """

    stage: str
    at: datetime
    who: str
    why: str
    emergency: bool


def given(actions: Iterable[dict[str, Any]]) -> list[Answer]:
    """Return the approvals among an execution's actions, as ListActionExecutions tells them, by age."""
    answers = [
        Answer(
            action["stageName"],
            action["lastUpdateTime"],
            action.get("updatedBy") or "unknown",
            (action["output"].get("executionResult", {}).get("externalExecutionSummary") or "").strip(),
            action["input"].get("resolvedConfiguration", {}).get("CustomData", "").startswith(EMERGENCY),
        )
        for action in actions
        if (action["input"]["actionTypeId"]["category"], action["status"]) == ("Approval", "Succeeded")
    ]
    return sorted(answers, key=lambda answer: answer.at)


def into_page(page: str, answers: Sequence[Answer]) -> str:
    """Return a page of evidence with these answers in place of those it had."""
    items = [
        f"<li>{'<b>EMERGENCY</b>, past the deployment window: ' if answer.emergency else ''}"
        f"{escape(answer.stage)}, {escape(answer.at.isoformat(sep=' ', timespec='minutes'))}: approved by "
        f"{escape(answer.who)}: {escape(answer.why or 'no reason given')}</li>"
        for answer in answers
    ]
    listed = f"<h2>What was answered</h2><ol>{''.join(items)}</ol>" if items else ""
    return _PLACE.sub(lambda _: f"<!-- answers -->{listed}<!-- /answers -->", page)


def publish(tools: Aws, execution: str, answers: Sequence[Answer]) -> None:
    """Complete the published page of an execution.

    Raises:
        ClientError: It cannot be read or written.
    """
    key = f"{docs_distribution.EVIDENCE}{execution}/index.html"
    page = docs_bucket.read(tools, key).decode()
    docs_bucket.write(tools, key, into_page(page, answers))
