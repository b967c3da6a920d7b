"""E9006: whoever is woken knows what to do."""

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
        named = _RUNBOOK.findall(json.dumps(alarm.get("AlarmDescription", "")))
        if not named:
            yield Fault(path, f"its AlarmDescription names no runbook in {RUNBOOKS}/")
        for runbook in named:
            if not (ROOT / runbook).is_file():
                yield Fault((*path, "AlarmDescription"), f"there is no runbook {runbook}")


RUNBOOK: Final = HouseRule(
    "E9006",
    "Every alarm names a runbook that exists",
    "An alarm at night without a runbook is answered by guessing.",
    _without_runbook,
)
