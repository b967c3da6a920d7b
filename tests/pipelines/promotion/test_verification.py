"""Between an approval and production: each way in which a release is not what was approved is refused."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from environments import schema
from pipelines.aws import accounts, build_environment
from pipelines.build.package_manifest import Image, Package, StoredPackages
from pipelines.core.refusals import Refused
from pipelines.deploy import payment_methods
from pipelines.evidence import answers, gather, stack_changes
from pipelines.evidence.answers import Answer
from pipelines.evidence.stack_changes import Change, StackChanges
from pipelines.promotion import checks, records, running_stack, verification
from pipelines.promotion.records import Run
from pipelines.promotion.verification import NotAsApproved, Release
from templates.capabilities.stack_interface import IMAGE_DIGEST

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_PROD = schema.load("prod")
_NETWORK, _STACK = _PROD.network_stack, _PROD.default_stack
_SHA256 = "1" * 64
_RELEASE = Release(
    {"data_api": Package("data_api.zip", f"lambdas/data_api/{_SHA256}.zip", _SHA256, 1, "", "", "")},
    StoredPackages("store", {"data_api": "v1"}),
    Image("registry/functions", f"sha256:{'2' * 64}"),
    {},
)
_TEMPLATES: dict[str, dict[str, Any]] = {
    "network": {"Resources": {"Vpc": {}}},
    "payments": {"Resources": {"DataApi": {}}},
}
_CHANGE = Change(_STACK, "DataApi", "AWS::Lambda::Function", "Modify", properties=("Code",))
_ZIP_PARAMETERS = {"DataApiCodeKey": f"lambdas/data_api/{_SHA256}.zip", "DataApiCodeVersion": "v1"}
_NO_STATE = {"template": "0" * 64, "parameters": {}, "tags": {}}


@dataclass
class Production:
    """Production's account: its stacks as they are, and the change sets that are prepared for them."""

    folder: Path
    zips: bool = True
    present: dict[str, Any] = field(default_factory=lambda: {_NETWORK: _NO_STATE, _STACK: _NO_STATE})

    def __post_init__(self) -> None:
        """Prepare what the release would deploy, and write down what was reviewed."""
        for name, template in _TEMPLATES.items():
            path = self.folder / "dist" / "templates" / "prod" / f"{name}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(template))
        parameters = _ZIP_PARAMETERS if self.zips else {IMAGE_DIGEST: f"sha256:{'2' * 64}"}
        self.prepared = {
            _NETWORK: StackChanges(_NETWORK, [], after=_TEMPLATES["network"]),
            _STACK: StackChanges(_STACK, [_CHANGE], after=_TEMPLATES["payments"], parameters=parameters),
        }
        environment = _PROD.as_zips() if self.zips else _PROD.model_copy(deep=True)
        if not self.zips:
            environment.functions.__dict__["packaging"] = "image"
        self.aws: Any = SimpleNamespace(environment=environment)

    def review(self) -> dict[str, Any]:
        """Return the record of a review of what is prepared now, as it comes back from an artifact."""
        record: dict[str, Any] = json.loads(
            json.dumps({"stacks": records.review(self.aws, self.prepared.values())})
        )
        return record

    def prepare(self, **other: Any) -> None:
        """Prepare another change set for the payments stack."""
        self.prepared[_STACK] = replace(self.prepared[_STACK], **other)

    def move(self) -> None:
        """Change the payments stack, as another release or a person does."""
        self.present[_STACK] = _NO_STATE | {"template": "9" * 64}


@pytest.fixture
def production(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Production:
    made = Production(tmp_path)
    monkeypatch.setattr(records, "state", lambda _, stack: made.present[stack])
    monkeypatch.setattr(stack_changes, "read", lambda _aws, stack, _name: made.prepared[stack])
    return made


@pytest.mark.parametrize(
    ("packaging", "code"), [("zip", _SHA256), ("image", "2" * 64)], ids=["zips", "an image"]
)
def test_staging_has_to_have_run_this_release(packaging: str, code: str) -> None:
    # Given what staging ran, by the record of the execution that smoked it
    environment: Any = SimpleNamespace(functions=SimpleNamespace(packaging=packaging))
    verification.check_staging(_RELEASE, {"DataApi code": code}, environment)
    # When it was one hexadecimal digit of a digest else, or nothing, then the release is refused
    for running in ({"DataApi code": code[:-1] + "0"}, {}):
        with pytest.raises(NotAsApproved, match="staging ran data_api as"):
            verification.check_staging(_RELEASE, running, environment)


def test_what_was_reviewed_is_this_release_and_nothing_moved(production: Production, tmp_path: Path) -> None:
    review = production.review()
    assert verification.check_review(production.aws, _RELEASE, review, tmp_path) == []


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("DataApiCodeKey", "lambdas/data_api/other.zip"), ("DataApiCodeVersion", "v2")],
)
def test_a_review_of_other_code_is_refused(
    production: Production, tmp_path: Path, parameter: str, value: str
) -> None:
    production.prepare(parameters=_ZIP_PARAMETERS | {parameter: value})
    with pytest.raises(NotAsApproved, match="would run data_api from"):
        verification.check_review(production.aws, _RELEASE, production.review(), tmp_path)


def test_a_review_of_another_image_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given an environment whose functions are an image
    production = Production(tmp_path, zips=False)
    monkeypatch.setattr(records, "state", lambda _, stack: production.present[stack])
    assert verification.check_review(production.aws, _RELEASE, production.review(), tmp_path) == []
    # When the review was of another image, or the release holds none
    review = production.review()
    review["stacks"][_STACK]["after"]["parameters"][IMAGE_DIGEST] = f"sha256:{'3' * 64}"
    for release, record in ((_RELEASE, review), (replace(_RELEASE, image=None), production.review())):
        with pytest.raises(NotAsApproved, match="would run the image"):
            verification.check_review(production.aws, release, record, tmp_path)


@pytest.mark.parametrize("stack", ["network", "payments"])
def test_a_template_that_is_not_the_reviewed_one_is_refused(
    production: Production, tmp_path: Path, stack: str
) -> None:
    # Given a review, and a template in Build's artifact that changed after it
    review = production.review()
    changed = _TEMPLATES[stack] | {"Description": "evil"}
    (tmp_path / "dist" / "templates" / "prod" / f"{stack}.json").write_text(json.dumps(changed))
    # Then it is refused
    with pytest.raises(NotAsApproved, match="another template was reviewed than was signed"):
        verification.check_review(production.aws, _RELEASE, review, tmp_path)


def test_prepared_change_sets_are_the_reviewed_ones(production: Production) -> None:
    verification.check_prepared(production.aws, production.review(), "release", rollback=False)


@pytest.mark.parametrize(
    "other",
    [
        {"changes": [replace(_CHANGE, replacement="yes")]},
        {"after": {"Resources": {}}},
        {"parameters": _ZIP_PARAMETERS | {"DataApiCodeVersion": "v2"}},
        {"tags": {"owner": "evil"}},
    ],
    ids=["other changes", "another template", "other code", "other tags"],
)
def test_a_prepared_change_set_that_nobody_reviewed_is_refused(
    production: Production, other: dict[str, Any]
) -> None:
    # Given a review, after which another change set was prepared
    review = production.review()
    production.prepare(**other)
    # Then it is refused before it is executed
    with pytest.raises(NotAsApproved, match="Production was not changed"):
        verification.check_prepared(production.aws, review, "release", rollback=False)


def test_production_that_moved_since_the_approval_is_refused_and_a_rollback_is_not(
    production: Production,
) -> None:
    # Given a review, after which production moved
    review = production.review()
    production.move()
    # Then the release is refused
    with pytest.raises(NotAsApproved, match="since the approval, payments-prod: another template"):
        verification.check_prepared(production.aws, review, "release", rollback=False)
    # And a rollback, which comes from wherever production is, is judged by where it leads to
    verification.check_prepared(production.aws, review, "release", rollback=True)
    production.prepare(parameters={})
    with pytest.raises(NotAsApproved, match="other parameters"):
        verification.check_prepared(production.aws, review, "release", rollback=True)


def test_a_rollback_of_what_changed_nothing_changes_nothing(production: Production) -> None:
    production.prepare(changes=[])
    verification.check_unchanged(production.aws, "release")
    production.prepare(changes=[_CHANGE])
    with pytest.raises(NotAsApproved, match="payments-prod would be changed by the rollback"):
        verification.check_unchanged(production.aws, "release")


@dataclass
class Pipeline:
    """What the checks of a release's builds are told, with everything but their own logic as it has to be.

    Attributes:
        review: The record of what was reviewed.
        inside: What is in production's stage.
        executed: The executions that began to deploy.
        asked: Whose unfinished orders were asked for.
        past_window: Whether somebody overrode its deployment window.
        reason: What was said with the second approval.
        completed: What the evidence was completed with.
        docs_are_out: Whether it cannot be written.
    """

    review: dict[str, Any]
    inside: Run | None = None
    executed: set[str] = field(default_factory=set)
    past_window: bool = False
    reason: str = ""
    staging: dict[str, str] = field(default_factory=lambda: {"DataApi code": _SHA256})
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    completed: list[str] = field(default_factory=list)
    docs_are_out: bool = False

    def complete(self, _tools: Any, execution: str, given: Sequence[Answer]) -> None:
        """Keep what the evidence would say."""
        if self.docs_are_out:
            raise ClientError({"Error": {"Code": "SlowDown", "Message": "try later"}}, "PutObject")
        self.completed += [f"{execution}: {answer.why}" for answer in given]


def _answered(why: str) -> Answer:
    return Answer("ApproveAgain", datetime(2026, 11, 23, 8, 0, tzinfo=UTC), "arn:ada", why, emergency=True)


@pytest.fixture
def pipeline(production: Production, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    made = Pipeline(production.review())

    def read(_tools: Any, _pipeline: str, _execution: str, action: str) -> dict[str, Any]:
        return made.review if action == records.REVIEW else {"staging": made.staging}

    monkeypatch.setattr(records, "read", read)
    monkeypatch.setattr(records, "run_in", lambda *_: made.inside)
    monkeypatch.setattr(records, "executed", lambda _t, _p, execution, _s: execution in made.executed)
    monkeypatch.setattr(gather, "past_window", lambda *_: made.past_window)
    monkeypatch.setattr(records, "answers", lambda *_: [_answered(made.reason)])
    monkeypatch.setattr(answers, "publish", made.complete)
    monkeypatch.setattr(checks, "DIST", tmp_path)
    monkeypatch.setattr(accounts, "connect_tools", lambda: None)
    monkeypatch.setattr(build_environment, "looking_at", lambda _: production.aws)
    monkeypatch.setattr(verification, "read_release", lambda *_: _RELEASE)
    monkeypatch.setattr(payment_methods, "check_release", lambda *asked: made.asked.append(asked))
    variables = {"CODEBUILD_INITIATOR": "codepipeline/releases", "PROVENANCE_KEY": "key", "EXECUTION": "F"}
    for name, value in {**variables, "PREPARED": "release"}.items():
        monkeypatch.setenv(name, value)
    return made


def _check(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv(checks.VARIABLE, name)
    return checks.run(checks.Artifacts(folder, folder))


def test_an_approved_release_goes_on_when_nothing_moved(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del pipeline
    assert "production is as it was then" in _check("approved", tmp_path, monkeypatch)
    assert (tmp_path / "record" / checks.MOVED).read_text().strip() == "none"


@pytest.mark.parametrize("what", ["production", "another release"])
def test_it_is_asked_for_again_when_something_moved(
    what: str, production: Production, pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given an approved release, after whose approval something moved
    if what == "production":
        production.move()
    else:
        pipeline.inside = Run("G", "G", rollback=False, under_way=True)
    # Then the pipeline is told to ask again, and why
    assert "so it is asked for again" in _check("approved", tmp_path, monkeypatch)
    assert (tmp_path / "record" / checks.MOVED).read_text().strip() == "yes"
    why = (tmp_path / "record" / checks.SUMMARY).read_text()
    assert ("payments-prod" if what == "production" else "execution G") in why
    # And after the second approval it is refused, with what to do, before anything changed
    with pytest.raises(Refused, match="Production was not changed") as refusal:
        _check("approved-again", tmp_path, monkeypatch)
    assert "retry release --whole" in str(refusal.value.hint)


def test_a_release_past_its_window_is_asked_about_once_more_and_goes_on_with_a_reason_alone(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given an approved release whose deployment window somebody overrode
    pipeline.past_window = True
    # Then the pipeline is told to ask again, and that it is an emergency
    assert _check("approved", tmp_path, monkeypatch).startswith(gather.EMERGENCY)
    assert (tmp_path / "record" / checks.MOVED).read_text().strip() == "yes"
    # And it is refused where nobody said why, and goes on where somebody did
    with pytest.raises(Refused, match="nobody said why"):
        _check("approved-again", tmp_path, monkeypatch)
    pipeline.reason = "the fix of an outage"
    assert "production is as it was then" in _check("approved-again", tmp_path, monkeypatch)


def test_why_it_is_asked_for_again_fits_a_variable_of_the_pipeline(
    production: Production, pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given an approved release, after whose approval more tags changed than a variable can name
    tags = {f"tag-{number:03}": "other" for number in range(300)}
    production.present[_STACK] = _NO_STATE | {"tags": tags}
    told = _check("approved", tmp_path, monkeypatch)
    # Then the variable holds the first thousand characters (CodePipeline quotas)
    summary = (tmp_path / "record" / checks.SUMMARY).read_text()
    assert summary == told[:1000] + "\n"
    assert pipeline.completed == []


@pytest.mark.parametrize("docs_are_out", [False, True])
def test_the_evidence_says_who_approved_and_why_before_production_changes_and_holds_no_release_back(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, docs_are_out: bool
) -> None:
    # Given a release in production's stage, past its window
    pipeline.inside = Run("F", "F", rollback=False, under_way=True)
    pipeline.reason, pipeline.docs_are_out = "the fix of an outage", docs_are_out
    # When its change sets are looked at the last time; Then the evidence is complete, or it is told that not
    told = _check("prepared", tmp_path, monkeypatch)
    assert pipeline.completed == ([] if docs_are_out else ["F: the fix of an outage"])
    assert ("does not say who approved" in told) == docs_are_out


@pytest.mark.parametrize("check", ["approved", "approved-again", "prepared"])
def test_what_staging_did_not_run_is_refused_by_every_check(
    check: str, pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.inside = Run("F", "F", rollback=False, under_way=False)
    pipeline.staging = {"DataApi code": "7" * 64}
    with pytest.raises(NotAsApproved, match="staging ran data_api as"):
        _check(check, tmp_path, monkeypatch)


def test_the_last_look_refuses_what_moved_and_what_nobody_reviewed(
    production: Production, pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a release in production's stage
    pipeline.inside = Run("F", "F", rollback=False, under_way=True)
    assert "the approved ones" in _check("prepared", tmp_path, monkeypatch)
    # Then it was asked whether an unfinished order would lose its payment method
    assert pipeline.asked == [(production.aws, production.aws.environment.default_stack)]
    # When its review and its change set are of other code, it is refused
    genuine = dict(production.prepared)
    production.prepare(parameters=_ZIP_PARAMETERS | {"DataApiCodeVersion": "v2"})
    pipeline.review = production.review()
    with pytest.raises(NotAsApproved, match="would run data_api from"):
        _check("prepared", tmp_path, monkeypatch)
    # And when its change set is not the reviewed one, or production moved since the review
    changes: list[Callable[[], None]] = [
        lambda: production.prepare(tags={"owner": "evil"}),
        production.move,
    ]
    for change in changes:
        production.prepared = dict(genuine)
        pipeline.review = production.review()
        change()
        with pytest.raises(NotAsApproved):
            _check("prepared", tmp_path, monkeypatch)


def test_the_rollback_of_a_release_that_changed_nothing_may_change_nothing(
    production: Production, pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given an automatic rollback to E after F failed
    pipeline.inside = Run("E", "back", rollback=True, under_way=True, failed="F")
    # Then it is refused where F had changed nothing and it would change something
    with pytest.raises(NotAsApproved, match="would be changed by the rollback"):
        _check("prepared", tmp_path, monkeypatch)
    # And goes on where F had begun to deploy, or where there is nothing to change
    pipeline.executed = {"F"}
    assert "goes back to what was approved in execution E" in _check("prepared", tmp_path, monkeypatch)
    pipeline.executed = set()
    production.prepare(changes=[])
    pipeline.review = production.review()
    assert "had changed nothing" in _check("prepared", tmp_path, monkeypatch)


def test_what_production_runs_is_compared_with_what_staging_ran(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a release that was deployed
    pipeline.inside = Run("F", "F", rollback=False, under_way=True)
    running = dict(pipeline.staging)
    monkeypatch.setattr(running_stack, "read", lambda *_: running)
    assert "runs what staging ran" in _check("running", tmp_path, monkeypatch)
    # When production runs something else, something more or something less
    for other in ({"DataApi code": "7" * 64}, running | {"Open routes": "1"}, {}):
        monkeypatch.setattr(running_stack, "read", lambda *_, other=other: other)
        # Then the check fails, and so does its stage
        with pytest.raises(NotAsApproved, match="does not run what staging ran"):
            _check("running", tmp_path, monkeypatch)


def test_a_check_that_nobody_knows_is_refused(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del pipeline
    with pytest.raises(Refused, match="CHECK is 'none'"):
        _check("none", tmp_path, monkeypatch)


def test_what_staging_runs_is_recorded_when_it_is_this_release(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given what staging runs after it was deployed, and a build that made nothing before
    dist = tmp_path / "new" / "dist"
    monkeypatch.setattr(records, "DIST", dist)
    monkeypatch.setattr(checks, "DIST", dist)
    monkeypatch.setattr(running_stack, "read", lambda _aws, _stack: pipeline.staging)
    # Then this release is recorded with its digest, and another is refused
    sentence = _check("record", tmp_path, monkeypatch)
    assert sentence.startswith("Staging runs this release; 1 digests")
    assert json.loads((dist / "record" / "record.json").read_text()) == {"staging": pipeline.staging}
    pipeline.staging = {"DataApi code": "7" * 64}
    with pytest.raises(NotAsApproved, match="staging ran data_api as"):
        _check("record", tmp_path, monkeypatch)
