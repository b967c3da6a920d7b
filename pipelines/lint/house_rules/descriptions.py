"""E9006 and E9008: an alarm names its runbook, and everything that a person meets is described."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from pipelines.core.repository import ROOT
from pipelines.lint.house_rules.rule import Fault, HouseRule, properties
from templates.capabilities.alarms import RUNBOOKS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.lint.house_rules.rule import Json


_RUNBOOK: Final = re.compile(re.escape(RUNBOOKS) + r"/[a-z0-9-]+\.md")


def _without_runbook(template: Json) -> Iterator[Fault]:
    for name, alarm in properties(template, "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"):
        path = ("Resources", name, "Properties")
        runbooks = _RUNBOOK.findall(json.dumps(alarm.get("AlarmDescription", "")))
        if not runbooks:
            yield Fault(path, f"its AlarmDescription names no runbook in {RUNBOOKS}/")
        for runbook in runbooks:
            if not (ROOT / runbook).is_file():
                yield Fault((*path, "AlarmDescription"), f"there is no runbook {runbook}")


RUNBOOK: Final = HouseRule(
    "E9006",
    "Every alarm names a runbook that exists",
    "An alarm at night without a runbook is answered by guessing.",
    _without_runbook,
)


def _undescribed(template: Json) -> Iterator[Fault]:
    if not template.get("Description"):
        yield Fault((), "the template has no Description")
    for kind in ("Parameters", "Outputs"):
        for name, part in template.get(kind, {}).items():
            if not part.get("Description"):
                yield Fault((kind, name), f"{kind.lower().rstrip('s')} without a Description")


DESCRIBED: Final = HouseRule(
    "E9008",
    "Templates, parameters and outputs are described",
    "The console, the reference and an approver show nothing else of them.",
    _undescribed,
)
