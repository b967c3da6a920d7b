"""All of a release that is seeded with everything: each fact is on the page, in its place and in words."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.aws import accounts, docs_bucket
from pipelines.build import provenance
from pipelines.core.refusals import Refused
from pipelines.evidence import evidence as facts
from pipelines.evidence import exposure, gather, page, reports, risks, stack_changes
from pipelines.evidence.commits import Commit
from pipelines.evidence.evidence import Target
from pipelines.evidence.exposure import Grant, Opening
from pipelines.evidence.reports import Baseline, Suite
from pipelines.evidence.risks import Severity
from pipelines.evidence.stack_changes import Change, Drift, StackChanges
from pipelines.orders.smoke import SmokeCheck, SmokeReport
from templates.capabilities import docs_distribution
from tests.sample_evidence import AT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipelines.evidence.evidence import Evidence

ROLE = {
    "Type": "AWS::IAM::Role",
    "Properties": {
        "AssumeRolePolicyDocument": {
            "Statement": {
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Principal": {"Service": "lambda.amazonaws.com"},
            }
        },
        "Policies": [
            {
                "PolicyDocument": {
                    "Statement": [
                        {"Effect": "Allow", "Action": f"s3:{verb}Object", "Resource": "arn:a"}
                        for verb in ("Get", "Put", "Tag", "Head", "List")
                    ]
                    + [
                        {
                            "Effect": "Allow",
                            "Action": "sqs:Send",
                            "Resource": f"arn:{name}",
                            "Condition": {"x": name},
                        }
                        for name in "bcde"
                    ]
                }
            }
        ],
    },
}
STACK = StackChanges(
    "payments-prod",
    [
        Change("payments-prod", "Added", "AWS::Lambda::Alias", "Add"),
        Change("payments-prod", "Table", "AWS::SQS::Queue", "Modify", "yes", properties=("Name", "tags")),
        Change("payments-prod", "Maybe", "AWS::Lambda::Alias", "Modify", "perhaps", properties=("Name",)),
        Change("payments-prod", "Tagged", "AWS::Lambda::Alias", "Modify", properties=("tags",)),
    ],
    before={"Resources": {"Added": {"Type": "AWS::Lambda::Alias"}}},
    after={"Resources": {"Role": ROLE}},
)


class _Rows(HTMLParser):
    """The tables, facts and links of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.facts: list[str] = []
        self.links: list[str] = []
        self.code: list[str] = []
        self._into: list[str] | None = None
        self._coded = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._coded = tag == "code"
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
            self._into = self.rows[-1]
        elif tag in ("dt", "dd"):
            self.facts.append("")
            self._into = self.facts

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "dt", "dd"):
            self._into = None

    def handle_data(self, data: str) -> None:
        if self._into is not None:
            self._into[-1] += data
        if self._coded:
            self.code.append(data)


def _rich(evidence: Callable[..., Evidence]) -> Evidence:
    return evidence(
        stacks=[STACK, StackChanges("payments-network", [])],
        risks=risks.assess([STACK]),
        baseline=Baseline(400, 0.90),
        target=Target(
            "payments", "prod", "111122223333", "eu-west-1", "release-pipeline", "http://127.0.0.1:1"
        ),
        drift=[
            Drift("payments-prod", ("DataApi",)),
            Drift("payments-network", exists=False),
            Drift("docs", unknown="denied"),
        ],
        commits=[Commit("0123456789abcdef", "Add", AT), Commit("f" * 40, "Old", AT, released=True)],
        dollars=7.3,
        emergency=True,
    )


def test_a_page_has_every_fact_in_its_place(evidence: Callable[..., Evidence]) -> None:
    # Given the page of a release with a bit of everything
    release, parsed = _rich(evidence), _Rows()
    text = page.html(release)
    parsed.feed(text)
    # Then the first screen has the facts
    assert dict(zip(parsed.facts[::2], parsed.facts[1::2], strict=True)) == {
        "Emergency": "past the deployment window; whoever approves says why, and it is added here",
        "Risks": "2 high, 1 medium",
        "Tests": "412 passed, 0 failed, 91.4% of lines covered (+1.4 points)",
        "Money path": "2300 tests passed, 0 failed; 9011 single faults; 88 of 88 mutants caught",
        "Smoke": "1 of 1 checks passed in staging",
        "Drift": "payments-prod/DataApi, docs not checked, payments-network does not exist yet",
        "Cost": "+7.30 USD a month, fixed",
        "payments-prod": "1 added, 3 changed, 1 of them only in their tags, 1 of them replaced",
        "payments-network": "does not exist yet: nothing changes",
    }
    assert "prod, account 111122223333, eu-west-1" in text
    assert "<h1" in text
    assert "care" in re.findall(r'class="([^"]*)"', text)
    # And the tables have the rest
    assert ["0123456789ab", "Add", "2026-11-23 08:00+00:00", ""] in parsed.rows
    assert ["f" * 12, "Old", "2026-11-23 08:00+00:00", "in production"] in parsed.rows
    assert ["Added", "Add", "", "AWS::Lambda::Alias", "", "payments-prod"] in parsed.rows
    assert ["Table", "Modify", "replaced", "AWS::SQS::Queue", "Name, tags", "payments-prod"] in parsed.rows
    assert [
        "Maybe",
        "Modify",
        "perhaps replaced",
        "AWS::Lambda::Alias",
        "Name",
        "payments-prod",
    ] in parsed.rows
    assert ["Role", "", "sqs:Send", "arn:b", '{"x": "b"}'] in parsed.rows
    assert ["passed", "happy order", "stock 5 to 4"] in parsed.rows
    assert ["payments-prod", "DataApi", ""] in parsed.rows
    assert ["payments-network", "does not exist yet", ""] in parsed.rows
    assert ["docs", "not known", "denied"] in parsed.rows
    assert ["packages/reserve_products.zip", "a" * 64] in parsed.rows
    # Which are typed, as what is pasted is
    assert {"0123456789ab", "arn:b", '{"x": "b"}', "a" * 64} <= set(parsed.code)
    assert not {"Add", "sqs:Send", "packages/reserve_products.zip", "Role"} & set(parsed.code)
    assert "git log --oneline ffffffffffff..0123456789ab" in parsed.code
    for command in facts.answers("release", release.execution, "http://127.0.0.1:1"):
        assert command in text


def test_a_release_with_nothing_beside_it_says_none(evidence: Callable[..., Evidence]) -> None:
    text = page.html(evidence(commits=[Commit("0123456789abcdef", "Add", AT)], digests={}))
    assert "git log --oneline 0123456789ab</code>" in text
    # Changes, permissions and signed files are tables without a row
    assert text.count("<p>None.</p>") == 3
    assert "None found: nothing new" in text
    assert "Emergency" not in text


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({"tests": None}, "REJECT: there is no test report"),
        ({"tests": Suite(5, 0, ("a", "b"), 1.0)}, "REJECT: 2 tests failed"),
        (
            {"tests": None, "smoke": SmokeReport("arn", passed=False, checks=[])},
            "REJECT: there is no test report; smoke failed in staging",
        ),
        (
            {"coverage": None, "commits": []},
            "LOOK CLOSELY: coverage was not measured; the commits are not known",
        ),
        (
            {"commits": [Commit("0" * 40, "Old", AT, released=True)]},
            "LOOK CLOSELY: the commits are not known",
        ),
        ({"smoke": SmokeReport("arn", passed=True, checks=[])}, "LOOK CLOSELY: smoke names no check"),
        (
            {"drift": [Drift("docs", unknown="denied")]},
            "LOOK CLOSELY: the drift of docs could not be checked",
        ),
        ({"emergency": True}, "LOOK CLOSELY"),
    ],
)
def test_the_first_line_says_why(
    evidence: Callable[..., Evidence], changes: dict[str, Any], reasons: str
) -> None:
    text = facts.text(evidence(**changes))
    assert text.splitlines()[0] == reasons
    assert escape_free(reasons.partition(": ")[2]) in re.sub(r"\s+", " ", page.html(evidence(**changes)))


def escape_free(words: str) -> str:
    """Return words that need no escaping as they are."""
    assert not set("<>&\"'") & set(words)
    return words


@pytest.mark.parametrize(
    ("now", "before", "words"),
    [(0.914, 0.9, "(+1.4 points)"), (0.5, 1.0, "(-50.0 points)"), (0.9, 0.9, "(as before)")],
)
def test_coverage_is_compared_in_points(
    evidence: Callable[..., Evidence], now: float, before: float, words: str
) -> None:
    compared = evidence(coverage=now, baseline=Baseline(1, before))
    assert facts.tests_of(compared).endswith(words)


def test_what_is_written_beside_the_page_is_what_the_next_release_is_compared_with(
    evidence: Callable[..., Evidence], tmp_path: Path
) -> None:
    # Given a release of which a test failed
    release = evidence(tests=Suite(412, 3, ("a.b",), 80.0))
    gather.write(release, tmp_path / "new" / "evidence")
    written = {path.name: path.read_text() for path in (tmp_path / "new" / "evidence").iterdir()}
    # Then
    assert written["index.html"] == page.html(release)
    assert json.loads(written["figures.json"]) == {"tests": 411, "coverage": 0.914}
    assert written["summary.txt"] == facts.text(release) + "\n"
    assert written["smoke.xml"].startswith("<?xml")
    assert written["smoke.xml"] == reports.junit(release.smoke, "smoke.staging")
    # A release without a report has no test that passed
    assert gather.figures_of(replace(release, tests=None)) == {"tests": 0, "coverage": 0.914}


def test_reports_are_read_with_their_names_their_time_and_what_did_not_run(tmp_path: Path) -> None:
    report = tmp_path / "tests.xml"
    report.write_text(
        '<testsuites><testsuite time="1.5"><testcase classname="tests.unit.test_a" name="one"/>'
        '<testcase classname="tests.unit.test_a" name="two"><failure/></testcase></testsuite>'
        '<testsuite><testcase classname="tests.site.test_b" name="three"><error/></testcase>'
        '<testcase classname="tests.site.test_b" name="four"><skipped/></testcase></testsuite></testsuites>'
    )
    suite = reports.tests(report)
    failed = ("tests.unit.test_a.two", "tests.site.test_b.three")
    assert suite == Suite(3, 1, failed, 1.5, {"unit": 2, "site": 1}, reasons={"": 1})
    assert reports.tests(tmp_path / "none.xml") is None
    report.write_text("<testsuites")
    with pytest.raises(Refused, match="is no report"):
        reports.tests(report)


def test_a_smoke_run_is_a_report_of_its_checks_or_of_why_it_has_none() -> None:
    checks = [SmokeCheck("paid", True, ""), SmokeCheck("held", False, "2 missing")]
    ran = reports.junit(SmokeReport("arn", passed=False, checks=checks), "smoke.staging")
    assert '<testsuite name="smoke.staging" tests="2" failures="1" time="0">' in ran
    assert '<testcase classname="smoke.staging" name="held" time="0"><failure message="2 missing" />' in ran
    died = reports.junit(SmokeReport("arn", False, [], "States.Timeout", "10 s"), "smoke.staging")
    assert 'tests="1" failures="1"' in died
    assert '<error message="States.Timeout 10 s" />' in died
    assert 'message="no checks"' in reports.junit(SmokeReport("arn", passed=False, checks=[]), "s")
    assert 'tests="0" failures="0"' in reports.junit(SmokeReport("arn", passed=True, checks=[]), "s")


class CodeBuild:
    """Two builds, one of which made two reports."""

    def batch_get_builds(self, ids: list[str]) -> dict[str, Any]:
        return {
            "builds": [{"id": each, **({"reportArns": ["r1", "r2"]} if each == "b" else {})} for each in ids]
        }

    def batch_get_reports(self, reportArns: list[str]) -> dict[str, Any]:  # noqa: N803 - boto3's name
        assert reportArns == ["r1", "r2"]
        tests = {"statusCounts": {"SUCCEEDED": 7, "FAILED": 1, "SKIPPED": 0}}
        group = "arn:aws:codebuild:eu-west-1:1:report-group/tests"
        both = {"type": "TEST", "status": "FAILED", "testSummary": tests}
        covered = {
            "type": "CODE_COVERAGE",
            "status": "SUCCEEDED",
            "codeCoverageSummary": {"lineCoveragePercentage": 91.6},
        }
        return {
            "reports": [
                {"reportGroupArn": group, "arn": "r1", **both},
                {"reportGroupArn": group, "arn": "r2", **covered},
            ]
        }


def test_reports_of_builds_say_whether_they_are_green_and_what_they_count() -> None:
    tools: Any = type("Tools", (), {"client": lambda *_: CodeBuild()})()
    assert reports.reports_of(tools, ["a", "b"]) == [
        reports.Report("tests", "r1", False, "7 succeeded, 1 failed"),
        reports.Report("tests", "r2", True, "92% of lines covered"),
    ]
    assert reports.reports_of(tools, ["a"]) == reports.reports_of(tools, []) == []


@pytest.mark.parametrize(
    ("grant", "wide"),
    [
        (Grant("R", "Allow", "s3:GetObject", "arn:a"), False),
        (Grant("R", "Allow", "s3:Get*", "arn:a"), True),
        (Grant("R", "Allow", "s3:GetObject", "*"), True),
        (Grant("R", "Allow", "s3:GetObject", "*", condition="{}"), False),
        (Grant("R", "Allow", "kms:Decrypt", "*", who="AWS: arn:role"), False),
        (Grant("R", "Allow", "xray:PutTraceSegments", "*"), False),
        (Grant("R", "Allow", "s3:GetObject", "arn:a", who="*"), True),
        (Grant("R", "Allow", "s3:GetObject", "arn:a", who="AWS: *"), True),
        (Grant("R", "Allow", "s3:GetObject", "arn:a", who="AWS: *", condition="{}"), False),
        (Grant("R", "Allow", "*", "arn:a"), True),
    ],
)
def test_a_grant_is_wide_when_it_names_everything_everyone_or_every_action(grant: Grant, wide: bool) -> None:
    assert grant.wide is wide


def _opened(kind: str, **properties: Any) -> set[Opening]:
    return exposure.openings_of({"Resources": {"X": {"Type": kind, "Properties": properties}}})


@pytest.mark.parametrize(
    ("kind", "properties", "opening"),
    [
        (
            "AWS::EC2::SecurityGroupIngress",
            {"CidrIp": "0.0.0.0/0", "FromPort": 443, "ToPort": 443, "IpProtocol": "tcp"},
            ("lets traffic from 0.0.0.0/0 through on port 443", True),
        ),
        (
            "AWS::EC2::SecurityGroupEgress",
            {"DestinationSecurityGroupId": {"Ref": "Api"}, "FromPort": 1, "ToPort": 2},
            ("lets traffic to ${Api} through on ports 1 to 2", False),
        ),
        (
            "AWS::EC2::SecurityGroupEgress",
            {"CidrIpv6": "::/0", "IpProtocol": "-1"},
            ("lets traffic to ::/0 through on every port", True),
        ),
        (
            "AWS::EC2::SecurityGroupIngress",
            {"IpProtocol": "tcp"},
            ("lets traffic from anywhere through on ports all to all", False),
        ),
        (
            "AWS::EC2::SecurityGroup",
            {"SecurityGroupIngress": [{"CidrIp": "10.0.0.0/8", "FromPort": 1, "ToPort": 1}]},
            ("lets traffic from 10.0.0.0/8 through on port 1", False),
        ),
        (
            "AWS::EC2::Route",
            {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "n"},
            ("routes 0.0.0.0/0 by its NatGatewayId", True),
        ),
        (
            "AWS::EC2::Route",
            {"DestinationCidrBlock": "10.0.0.0/8", "VpcPeeringConnectionId": "p"},
            ("routes 10.0.0.0/8 by its VpcPeeringConnectionId", False),
        ),
        ("AWS::EC2::Subnet", {"MapPublicIpOnLaunch": True}, ("gives its hosts public addresses", True)),
        ("AWS::EC2::Subnet", {"MapPublicIpOnLaunch": False}, None),
        ("AWS::Lambda::Url", {"AuthType": "NONE"}, ("answers at a public address", True)),
        ("AWS::Lambda::Url", {"AuthType": "AWS_IAM"}, None),
        ("AWS::EC2::NatGateway", {}, ("lets hosts reach the internet", True)),
        ("AWS::ApiGateway::RestApi", {}, ("is an API that answers outside of the VPC (EDGE)", True)),
        ("AWS::ApiGateway::RestApi", {"EndpointConfiguration": {"Types": ["PRIVATE"]}}, None),
        (
            "AWS::S3::Bucket",
            {"PublicAccessBlockConfiguration": {"BlockPublicAcls": True, "BlockPublicPolicy": "true"}},
            ("is a bucket without RestrictPublicBuckets", True),
        ),
        ("AWS::Lambda::Function", {"SecurityGroupIngress": [{}]}, None),
    ],
)
def test_an_opening_is_said_with_what_it_opens_and_whether_to_everywhere(
    kind: str, properties: dict[str, Any], opening: tuple[str, bool] | None
) -> None:
    assert _opened(kind, **properties) == ({Opening("X", *opening)} if opening else set())


def test_a_new_role_is_said_with_what_it_may_and_who_may_assume_it() -> None:
    [unbounded] = [risk for risk in risks.assess([STACK]) if risk.kind == risks.NEW_PERMISSIONS]
    assert unbounded.severity is Severity.HIGH
    assert unbounded.what == (
        "new AWS::IAM::Role would allow s3:GetObject, s3:HeadObject, s3:ListObject and 2 more on arn:a; "
        "sqs:Send on arn:b under a condition; sqs:Send on arn:c under a condition; and 2 more; "
        "assumed by Service: lambda.amazonaws.com; it has no permissions boundary"
    )
    # With a boundary it is less to look at
    properties = ROLE["Properties"] | {"PermissionsBoundary": {"Ref": "Boundary"}}  # type: ignore[operator]
    bounded = replace(STACK, after={"Resources": {"Role": {**ROLE, "Properties": properties}}})
    [risk] = [risk for risk in risks.assess([bounded]) if risk.kind == risks.NEW_PERMISSIONS]
    assert (risk.severity, "boundary" in risk.what) == (Severity.MEDIUM, False)
    assert exposure.boundaries(bounded.after) == {("Role", "${Boundary}")}
    # One that exists and loses it is told, too
    lost = replace(bounded, before=bounded.after, after=STACK.after)
    [loss] = [risk for risk in risks.assess([lost]) if risk.kind == risks.IAM]
    assert (loss.severity, loss.what) == (
        Severity.HIGH,
        "would lose or change its permissions boundary ${Boundary}",
    )


def test_openings_of_what_exists_and_of_what_is_new_are_told_apart() -> None:
    everywhere = {"CidrIp": "0.0.0.0/0", "IpProtocol": "-1"}
    inside = {"CidrIp": "10.0.0.0/8", "FromPort": 1, "ToPort": 1}
    group = {"Type": "AWS::EC2::SecurityGroup", "Properties": {}}
    opened = {**group, "Properties": {"SecurityGroupIngress": [inside]}}
    new = {**group, "Properties": {"SecurityGroupIngress": [inside, everywhere]}}
    inwards = "lets traffic from 10.0.0.0/8 through on port 1"
    stack = StackChanges(
        "net", [], before={"Resources": {"Old": group}}, after={"Resources": {"Old": opened, "New": new}}
    )
    assert [(risk.severity, risk.place, risk.what) for risk in risks.assess([stack])] == [
        (
            Severity.HIGH,
            "net/New",
            f"is new and lets traffic from 0.0.0.0/0 through on every port; {inwards}",
        ),
        (Severity.MEDIUM, "net/Old", f"newly {inwards}"),
    ]


@given(st.lists(st.sampled_from(["Add", "Remove", "Modify"]), max_size=9))
def test_cost_is_what_comes_less_what_goes(actions: list[Any]) -> None:
    kind, price = next(iter(stack_changes.MONTHLY_PRICES.items()))
    changes = [Change("s", f"r{n}", kind, action) for n, action in enumerate(actions)]
    free = Change("s", "free", "AWS::IAM::Role", "Add")
    cost = stack_changes.fixed_cost([StackChanges("s", [*changes, free])])
    assert cost == pytest.approx(price * (actions.count("Add") - actions.count("Remove")))


@pytest.mark.parametrize(
    ("change", "only_tags"),
    [
        (Change("s", "r", "t", "Modify", properties=("tags",)), True),
        (Change("s", "r", "t", "Modify", properties=("Name", "tags")), False),
        (Change("s", "r", "t", "Modify", "yes", properties=("tags",)), False),
        (Change("s", "r", "t", "Add", properties=("tags",)), False),
    ],
)
def test_a_change_of_tags_alone_is_known(change: Change, only_tags: bool) -> None:
    assert change.only_tags is only_tags


def test_what_does_not_fit_into_an_approval_is_counted(evidence: Callable[..., Evidence]) -> None:
    # Given more risks than an approval's thousand characters hold
    many = [risks.Risk(Severity.HIGH, risks.IAM, f"payments-prod/Role{n:02}", "x" * 90) for n in range(30)]
    # When
    text = facts.text(evidence(risks=many))
    # Then it ends with how many there are beside those that it names
    named = sum(line.startswith("! ") for line in text.splitlines())
    assert 0 < named < 30
    assert len(text) <= 1000
    assert text.splitlines()[-1] == f"… {31 - named} more on the page"


def test_what_is_published_comes_before_the_page_that_links_to_it(
    evidence: Callable[..., Evidence], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given evidence that is written, and a docs bucket
    release = evidence()
    gather.write(release, tmp_path)
    uploaded: list[tuple[str, str]] = []

    def upload(_: object, path: Path, key: str) -> None:
        uploaded.append((path.relative_to(tmp_path).as_posix(), key))

    monkeypatch.setattr(docs_bucket, "upload", upload)
    monkeypatch.setattr(accounts, "connect_tools", lambda: None)
    monkeypatch.setenv("DOCS_URL", "https://docs.example.org")
    # When
    address = gather.publish(release, tmp_path, tmp_path)
    # Then the next release finds the figures, and an approver the statement and the page
    place = f"{docs_distribution.EVIDENCE}{release.execution}"
    assert uploaded == [
        (f"dist/packages/{provenance.FILE}", f"{place}/{provenance.FILE}"),
        ("figures.json", f"{place}/figures.json"),
        ("index.html", f"{place}/index.html"),
    ]
    assert address == f"https://docs.example.org/{place}/index.html"
