"""What the embedded AWS is held to: each case of its tests, with the source of what it expects of AWS.

A source is the case's own (`source`), else a comment in the test, `# Recorded …` or the address of a page of
AWS's documentation, else the page that the module's docstring names. A test that names none says what we
believe.
"""

from __future__ import annotations

import inspect
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipelines.core.repository import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest

RECORDED, DOCUMENTED, OURS = "recorded", "documented", "ours"
_FOLDERS: Final = ("tests/integration/embedded", "tests/integration/codesuite", "environments/embedded/tests")
AREAS: Final = {
    "API Gateway": ("private_api",),
    "CloudFormation": ("stack_refusals", "stack_network", "stack_roles", "stack_workflows"),
    "CloudWatch": ("alarms", "alarm_evaluation", "logs"),
    "CodeArtifact": ("packages",),
    "CodeBuild": ("builds", "reports"),
    "CodeConnections": ("connections",),
    "CodePipeline": (
        *(
            "actions",
            "conditions",
            "execution_modes",
            "functions",
            "gates",
            "patterns",
            "requests",
            "rollback",
        ),
        *("schedules", "sources", "stage_rules", "triggers", "variables"),
    ),
    "EC2": ("vpc_peering",),
    "IAM": ("permissions", "cross_account"),
    "KMS": ("kms",),
    "Lambda": ("lambda",),
    "Step Functions": (
        *("workflow_conformance", "workflow_errors", "workflow_language", "workflow_states"),
        "workflow_map_runs",
        "workflow_versions",
    ),
}
"""The services that are held against AWS, and which test modules do it, without `test_`."""
_PAGE: Final = re.compile(r"https://docs\.aws\.amazon\.com/([^/\s]+)/latest/([^/\s]+)/[^\s)]+")
_GUIDES: Final = {
    "userguide": "user guide",
    "UserGuide": "user guide",
    "dg": "developer guide",
    "developerguide": "developer guide",
    "monitoring": "user guide",
    "logs": "Logs user guide",
    "ug": "user guide",
    "peering": "peering guide",
    "reference": "reference",
    "APIReference": "API reference",
    "apireference": "API reference",
}
_SERVICES: Final = {
    "AWSCloudFormation": "CloudFormation",
    "AmazonCloudWatch": "CloudWatch",
    "apigateway": "API Gateway",
    "codeartifact": "CodeArtifact",
    "codebuild": "CodeBuild",
    "codeconnections": "CodeConnections",
    "codepipeline": "CodePipeline",
    "kms": "KMS",
    "lambda": "Lambda",
    "service-authorization": "service authorization",
    "step-functions": "Step Functions",
    "vpc": "VPC",
}
_RECORDINGS: Final = "LocalStack's recordings of AWS"


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a test's case rests on.

    Attributes:
        area: The service that it is about.
        kind: `recorded`, `documented` or `ours`.
        sources: What it was compared with, as `Step Functions developer guide`.
    """

    area: str
    kind: str
    sources: tuple[str, ...] = ()


def files() -> list[Path]:
    """Return the test modules of all areas."""
    names = {f"test_{name}.py" for stems in AREAS.values() for name in stems}
    return sorted(path for folder in _FOLDERS for path in (ROOT / folder).glob("*.py") if path.name in names)


def expectation(item: pytest.Function) -> Expectation:
    """Return what one collected case rests on."""
    stem = Path(item.path).stem.removeprefix("test_")
    area = next(area for area, stems in AREAS.items() if stem in stems)
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    own = next((str(value.source) for value in parameters if hasattr(value, "source")), None)
    if own is not None:
        documented = own.startswith("API reference")
        return (
            Expectation(area, DOCUMENTED, (f"{area} {own.partition(':')[0]}",))
            if documented
            else _recorded(area)
        )
    text = inspect.getsource(item.function)
    if re.search(r"# Recorded\b", text):
        return _recorded(area)
    pages = _pages(text) or _pages(inspect.getdoc(item.module) or "")
    if pages or re.search(r"# Documented\b", text):
        return Expectation(area, DOCUMENTED, tuple(pages))
    return Expectation(area, OURS)


def summary(expectations: Iterable[Expectation]) -> dict[str, dict[str, Any]]:
    """Return by area {cases, recorded, documented, ours, compared: the sources, the most used first}."""
    by_area: dict[str, list[Expectation]] = defaultdict(list)
    for each in expectations:
        by_area[each.area].append(each)
    return {
        area: {
            "cases": len(cases),
            **{kind: sum(case.kind == kind for case in cases) for kind in (RECORDED, DOCUMENTED, OURS)},
            "compared": _by_use(source for case in cases for source in case.sources),
        }
        for area, cases in sorted(by_area.items())
    }


def _by_use(sources: Iterable[str]) -> list[str]:
    return [source for source, _ in sorted(Counter(sources).items(), key=lambda used: (-used[1], used[0]))]


def _recorded(area: str) -> Expectation:
    return Expectation(area, RECORDED, (_RECORDINGS,))


def _pages(text: str) -> list[str]:
    """Return the guides that a text names pages of, each once."""
    named = (
        f"{_SERVICES.get(service, service)} {_GUIDES.get(guide, guide)}"
        for service, guide in _PAGE.findall(text)
    )
    return list(dict.fromkeys(named))
