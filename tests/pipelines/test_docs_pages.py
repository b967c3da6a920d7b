"""What generated pages say of small templates, definitions and schemas, word by word."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
import pytest

from pipelines.core.repository import ROOT
from pipelines.core.zone import Trust
from pipelines.definitions.projects import COMPUTE_TYPES
from pipelines.docs_site import markdown, openapi, repository_facts, stacks
from pipelines.docs_site.markdown import Drift
from pipelines.docs_site.pages import (
    commands,
    cost,
    data_api,
    environments,
    failures,
    promotion,
    stack_pages,
    topology,
)
from pipelines.docs_site.pages import workflows as workflow_pages
from pipelines.docs_site.stacks import Stack

if TYPE_CHECKING:
    from pathlib import Path

_RETRY = {
    "ErrorEquals": ["Throttled"],
    "MaxAttempts": 3,
    "IntervalSeconds": 90,
    "BackoffRate": 2,
    "MaxDelaySeconds": 3600,
    "JitterStrategy": "FULL",
}
_DEFINITION: dict[str, Any] = {
    "StartAt": "Pay",
    "States": {
        "Pay": {
            "Type": "Task",
            "TimeoutSeconds": 10,
            "Retry": [_RETRY],
            "Catch": [{"ErrorEquals": ["Declined", "States.ALL"], "Next": "Undo"}],
            "Next": "Enough?",
        },
        "Enough?": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $paid %}", "Next": "Paid"}],
            "Default": "Failed",
        },
        "Undo": {"Type": "Task", "Retry": [_RETRY | {"IntervalSeconds": 120}], "Next": "Failed"},
        "Paid": {"Type": "Succeed"},
        "Failed": {"Type": "Fail", "Error": "NotPaid"},
    },
}


def cells(made: str) -> list[list[str]]:
    """The rows of the tables in a page, without their headings, and without marks of code."""
    rows = [line.strip("| ").split(" | ") for line in made.splitlines() if line.startswith("| ")]
    plain = [[cell.replace("<code>", "").replace("</code>", "").strip() for cell in row] for row in rows]
    rule = [number for number, row in enumerate(plain) if set(row) == {"---"}]
    return [row for number, row in enumerate(plain) if number not in rule and number + 1 not in rule]


def test_a_workflow_is_drawn_by_what_each_state_is_for() -> None:
    # Then a choice, what undoes, and the two ends have shapes of their own, and failures dotted arrows
    assert workflow_pages.diagram(_DEFINITION).splitlines() == [
        "flowchart TB",
        '    s0["Pay"]',
        '    s1{"Enough?"}',
        '    s2[\\"Undo"\\]',
        '    s3(["✓ Paid"])',
        '    s4(["✗ Failed"])',
        "    classDef back stroke:#c77700,stroke-width:3px",
        "    class s2 back",
        "    classDef placed stroke:#1f9d57,stroke-width:4px",
        "    class s3 placed",
        "    classDef failed stroke:#d64545,stroke-width:4px",
        "    class s4 failed",
        "    start((( ))) --> s0",
        "    s0 --> s1",
        '    s0 -. "Declined<br>any other error" .-> s2',
        "    s1 -- yes --> s3",
        "    s1 -- no --> s4",
        "    s2 --> s4",
    ]


def test_a_state_s_facts_are_its_retries_and_where_it_goes() -> None:
    facts = workflow_pages.facts(_DEFINITION)
    retries = "Retries<br>3 times, after 90 s, growing 2 times, at most 1 h, full jitter"
    assert cells(facts["Pay"]) == [
        ["Type", "Task"],
        ["Time-out", "10 s"],
        [retries, "Throttled"],
        ["Goes to Undo on", "Declined, States.ALL"],
        ["Then", "Enough?"],
    ]
    assert cells(facts["Undo"])[1][0] == retries.replace("90 s", "2 min")
    assert cells(facts["Enough?"])[1:] == [["Goes to Paid if", "$paid"], ["Otherwise", "Failed"]]
    assert cells(facts["Failed"]) == [["Type", "Fail"], ["Fails with", "NotPaid"]]
    # And all states have a line, which leads to theirs
    assert [row[0] for row in cells(workflow_pages.overview(_DEFINITION))] == [
        "[Pay](#pay)",
        "[Enough?](#enough)",
        "[Undo](#undo)",
        "[Paid](#paid)",
        "[Failed](#failed)",
    ]


def _stack(name: str = "network", **resources: dict[str, Any]) -> Stack:
    return Stack(name, f"templates/{name}.py", {"Resources": resources, "Description": "A stack"})


def _resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


def _egress(to: dict[str, Any], port: int, why: str) -> dict[str, Any]:
    return to | {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "Description": why}


def test_the_topology_draws_an_arrow_for_what_a_security_group_lets_pass() -> None:
    # Given a network in which steps reach the endpoint, and the data API reaches the database
    network = _stack(
        Vpc=_resource("AWS::EC2::VPC", CidrBlock="10.0.0.0/16"),
        Steps=_resource(
            "AWS::EC2::SecurityGroup",
            GroupDescription="Step functions",
            SecurityGroupEgress=[_egress({"DestinationSecurityGroupId": {"Ref": "Door"}}, 443, "asks")],
        ),
        Door=_resource("AWS::EC2::SecurityGroup", GroupDescription="The endpoint", SecurityGroupEgress=[]),
        DataApi=_resource(
            "AWS::EC2::SecurityGroup",
            GroupDescription="The data API",
            SecurityGroupEgress=[
                _egress({"CidrIp": "10.9.0.0/16"}, 27017, "reads and writes"),
                _egress({"CidrIp": "0.0.0.0/0"}, 443, "pays"),
                _egress({"CidrIp": "127.0.0.1/32"}, 86, "nothing else") | {"IpProtocol": "icmp"},
            ],
        ),
        Endpoint=_resource(
            "AWS::EC2::VPCEndpoint", ServiceName="aws.execute-api", SecurityGroupIds=[{"Ref": "Door"}]
        ),
        Local=_resource("AWS::EC2::Route", DestinationCidrBlock="0.0.0.0/0"),
        Peering=_resource(
            "AWS::EC2::Route", DestinationCidrBlock="10.9.0.0/16", VpcPeeringConnectionId="pcx"
        ),
        Nat=_resource("AWS::EC2::NatGateway"),
    )

    def function(group: str) -> dict[str, Any]:
        imported = {"Fn::ImportValue": {"Fn::Sub": f"${{NetworkStack}}-{group}Id"}}
        return _resource("AWS::Lambda::Function", VpcConfig={"SecurityGroupIds": [imported]})

    payments = _stack(
        "payments",
        ReserveFunction=function("Steps"),
        DataApiFunction=function("DataApi"),
        Api=_resource("AWS::ApiGateway::RestApi"),
    )
    # When its page is made
    page = topology.topology_page(network, payments)
    # Then
    drawing = page.partition("```mermaid\n")[2].partition("```")[0]
    assert drawing.splitlines() == [
        "flowchart TB",
        '    workflow(["Payment workflow"])',
        '    subgraph vpc["VPC 10.0.0.0/16"]',
        '        Steps["ReserveFunction"]',
        '        Door["Endpoint<br>execute-api endpoint"]',
        '        DataApi["DataApiFunction"]',
        "    end",
        '    subgraph database["The database\'s VPC, in Atlas"]',
        '        mongodb[("MongoDB<br>10.9.0.0/16")]',
        "    end",
        '    internet(["The internet, by the NAT gateway"])',
        '    Steps -->|"tcp 443"| Door',
        '    DataApi -->|"tcp 27017, peering"| mongodb',
        '    DataApi -->|"tcp 443"| internet',
        "    workflow -->|invokes| Steps",
        '    Api["Private REST API<br>(IAM)"]',
        "    Door --> Api",
        "    Api -->|invokes| DataApi",
    ]
    assert cells(page) == [
        ["Steps", "Step functions", "asks: tcp 443"],
        ["Door", "The endpoint", "nothing"],
        ["DataApi", "The data API", "reads and writes: tcp 27017<br>pays: tcp 443"],
    ]


def test_a_page_of_permissions_says_what_a_role_may_on_what_and_if() -> None:
    # Given a role that may read under a condition, must not delete, and may all but one thing
    stated: list[dict[str, Any]] = [
        {
            "Sid": "Read",
            "Effect": "Allow",
            "Action": "s3:GetObject",
            "Resource": {"Fn::Sub": "arn:${AWS::Partition}:s3:::b/*"},
            "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
        },
        {"Sid": "Keep", "Effect": "Deny", "NotAction": ["s3:ListBucket"], "NotResource": ["a", "b"]},
    ]
    role = _resource(
        "AWS::IAM::Role",
        AssumeRolePolicyDocument={"Statement": [{"Principal": {"Service": "lambda.amazonaws.com"}}]},
        Policies=[{"PolicyDocument": {"Statement": stated}}],
    )
    role["Metadata"] = {"Permissions": {"Read": "Reads what it runs.", "Keep": "Deletes nothing."}}
    drift = Drift()
    # When its page is made; Then each statement is told with its reason
    page = stack_pages.permissions_page(_stack("payments", Role=role), drift)
    assert drift.findings == []
    assert cells(page) == [
        [
            "Read<br>Reads what it runs.",
            "s3:GetObject",
            "arn:${AWS::Partition}:s3:::b/*<br>if aws:SourceAccount StringEquals ${AWS::AccountId}".translate(
                markdown._LITERALLY
            ),
        ],
        ["Keep<br>Deletes nothing.", "**Deny** everything but s3:ListBucket", "everything but a<br>b"],
    ]
    assert "Assumed by <code>lambda.amazonaws.com</code>." in page


def test_a_stack_s_page_lists_its_resources_by_type() -> None:
    stack = _stack(
        "docs", B=_resource("AWS::S3::Bucket"), K=_resource("AWS::KMS::Key"), A=_resource("AWS::S3::Bucket")
    )
    page = stack_pages.stack_page(stack, "", Drift())
    assert "3 resources in prod." in page
    assert cells(page) == [["AWS::KMS::Key", "K"], ["AWS::S3::Bucket", "B, A"]]


def test_what_cloudformation_fills_in_is_shown_by_its_name_and_all_else_in_one_order() -> None:
    assert stacks.shown({"Fn::GetAtt": ["Role", "Arn"]}) == "${Role.Arn}"
    assert stacks.shown({"b": 1, "a": {"Ref": "X"}}) == '{"a": {"Ref": "X"}, "b": 1}'


_OPENAPI: dict[str, Any] = {
    "info": {"description": "Private."},
    "paths": {
        "/orders/{order_id}/parts/{number}": {
            "put": {
                "summary": "Change a part.",
                "parameters": [{"name": "order_id", "in": "path", "schema": {"type": "string"}}],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/x/Part"}}}},
                "responses": {"200": {"description": "Done."}},
            }
        }
    },
    "components": {
        "schemas": {
            "Part": {
                "type": "object",
                "required": ["quantity", "step", "many", "state", "paid", "either", "some"],
                "properties": {
                    "quantity": {"type": "integer", "minimum": 1},
                    "step": {"type": ["string", "null"], "maxLength": 9},
                    "many": {"type": "integer", "minimum": 3, "maximum": 4000},
                    "state": {"type": "string", "enum": ["OPEN", "SHUT"]},
                    "paid": {"type": "boolean"},
                    "either": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
                    "some": {"type": "array", "items": {"type": "string", "description": "A word."}},
                    "left": {"type": "string"},
                },
            }
        }
    },
}


def test_an_example_of_a_request_has_what_its_schema_wants_and_no_more() -> None:
    [path] = _OPENAPI["paths"]
    made = data_api.example(_OPENAPI, "put", path)
    assert (made.method, made.path) == ("PUT", "/orders/order-1/parts/1")
    assert made.body == {
        "quantity": 2,
        "step": "Process order payment",
        "many": 3,
        "state": "OPEN",
        "paid": True,
        "either": 1,
        "some": ["some"],
    }


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/settlement", {"limit": 100}),
        ("/products/{product_id}/restocks/{restock_id}", {"quantity": 2}),
        ("/users/{user_id}/top-ups/{top_up_id}", {"amount": 2500, "currency": "EUR"}),
    ],
)
def test_the_data_api_s_examples_have_numbers_that_a_shop_would_send(path: str, body: dict[str, Any]) -> None:
    assert data_api.example(json.loads(openapi.text()), "put", path).body == body


def test_a_shape_s_fields_are_told_with_what_a_caller_must_know() -> None:
    fields = data_api._fields(_OPENAPI["components"]["schemas"]["Part"])
    plain = [[cell.replace("<code>", "").replace("</code>", "") for cell in row] for row in fields]
    assert plain == [
        ["quantity", "integer (from 1)"],
        ["step", "string or null (at most 9)"],
        ["many", "integer (from 3, to 4,000)"],
        ["state", "OPEN, SHUT"],
        ["paid", "boolean"],
        ["either", "integer or null"],
        ["some", "list of string: A word."],
        ["left (optional)", "string"],
    ]


def test_the_committed_openapi_document_is_the_code_s() -> None:
    committed = (ROOT / "docs" / "data" / "openapi.json").read_text(encoding="utf-8")
    assert committed == openapi.text(), "run python -m pipelines.docs_site.openapi"


def test_an_alarm_s_line_says_on_what_it_rings_and_how_soon() -> None:
    rule = {"Threshold": 0.05, "DatapointsToAlarm": 3, "EvaluationPeriods": 8}
    plain = rule | {"Namespace": "AWS/Lambda", "MetricName": "Errors", "Statistic": "Sum", "Period": 60}
    told = failures._rings(plain)
    assert told == "<code>AWS/Lambda Errors</code> Sum<br>greater than 0.05, in 3 of 8 minutes"
    computed = rule | {"Metrics": [{"Expression": "a / b"}, {"MetricStat": {"Period": 300}}], "Period": 60}
    told = failures._rings(computed)
    assert told == "<code>a / b</code><br>greater than 0.05, in 3 of 8 periods of 5 minutes"
    assert failures._rings(plain | {"Period": 3600}).endswith("in 3 of 8 periods of 60 minutes")
    assert failures._rings({"AlarmRule": "x"}) == "when any other alarm does"


def test_an_alarm_that_says_nothing_is_told_to_name_no_runbook() -> None:
    drift = Drift()
    assert failures._described("A", {}, drift) == ("", "")
    assert drift.findings[0].startswith("The alarm A of templates/capabilities/alarm_metrics.py names no")


def test_a_key_of_an_environment_s_file_is_told_with_its_rules() -> None:
    drift = Drift()
    page = environments.environments_page(drift)
    rules = {row[0]: row[2] for row in cells(page.partition("## Values")[0])}
    plain = {key.replace("&#95;", "_"): told for key, told in rules.items()}
    # Then one that has to be there, one that has a default, and one that needs nothing
    assert plain["account"].startswith("required<br>string")
    assert plain["logs.retention_days"].startswith(("required", "default"))
    assert plain["stripe.secret_arn"].startswith("required")
    assert plain["alarms.docs_url"].startswith("optional")
    assert drift.findings == []


def test_a_pipeline_is_drawn_with_what_lets_a_stage_begin_and_what_rolls_it_back() -> None:
    def action(name: str, order: int, category: str = "Build") -> dict[str, Any]:
        return {"Name": name, "RunOrder": order, "ActionTypeId": {"Category": category, "Provider": "P"}}

    entry = {"Conditions": [{"Result": "FAIL", "Rules": [{"Name": "Window"}]}]}
    pipeline = {
        "Stages": [
            {"Name": "Build", "Actions": [action("A", 1), action("B", 1), action("C", 2)]},
            {"Name": "Approve", "Actions": [action("Ask", 1, "Approval")], "BeforeEntry": entry},
            {"Name": "Prod", "Actions": [action("D", 1)], "OnFailure": {"Result": "ROLLBACK"}},
        ]
    }
    assert promotion.diagram(pipeline).splitlines() == [
        "flowchart TB",
        '    subgraph t0["Build"]',
        "        direction LR",
        '        t0a0["A"]',
        '        t0a1["B"]',
        '        t0a2["C"]',
        "        t0a0 & t0a1 --> t0a2",
        "    end",
        '    subgraph t1["Approve"]',
        "        direction LR",
        '        t1a0{{"Ask"}}',
        "    end",
        '    subgraph t2["Prod"]',
        "        direction LR",
        '        t2a0["D"]',
        "    end",
        "    t0 -- if Window --> t1",
        "    t1 ----> t2",
        "    t2 -. on failure: roll back .-> t2",
    ]
    stack = _stack(
        "pipelines", ReleasePipeline={"Type": "AWS::CodePipeline::Pipeline", "Properties": pipeline}
    )
    assert promotion.release_chain(stack) == [
        '    r0["Build"]',
        '    r1{{"Approve:<br>a person approves"}}',
        '    r2["Prod<br>rolls back when it fails"]',
        "    r0 --> r1 --> r2",
    ]


def test_only_the_readme_s_first_drawing_is_redrawn() -> None:
    pipelines = stacks.every()["pipelines"]
    other = "```mermaid\nflowchart LR\n```"
    redrawn = promotion.readme_redrawn(f"```mermaid\nold\n```\n{other}", pipelines)
    assert redrawn == f"```mermaid\n{promotion.readme_drawn(pipelines)}```\n{other}"


def test_facts_stand_below_what_a_person_wrote_of_each_name() -> None:
    # Given a page with a name, names that end alike, and one that is gone
    text = (
        "# Parts\n\nAbout.\n\n## One\n\n### Attempt\nWhich try.\n\n### …CodeKey\nWhere.\n\n## Two\n\n"
        "### Old\nGone.\n"
    )
    facts = {"Attempt": "A\n", "PayCodeKey": "P\n", "ReserveCodeKey": "R\n", "Silent": "S\n"}
    drift = Drift()
    made = markdown.completed(
        "x.md", text, facts, what="part", source="code.py", overview="All.\n", drift=drift
    )
    # Then each has its facts, before the next group begins, and what does not fit is told
    assert made == (
        "# Parts\n\n*The facts are generated from <code>code.py</code>.*\n\nAbout.\n\nAll.\n\n"
        "## One\n\n### Attempt\n\nWhich try.\n\nA\n\n### …CodeKey\n\nWhere.\n\nP\nR\n\n## Two\n\n"
        "### Old\n\nGone.\n\n\n"
    )
    assert drift.findings == [
        "docs/x.md explains the part Old, which code.py does not have.",
        "The part Silent of code.py is not explained in docs/x.md: write a `### Silent`.",
    ]


def test_a_sentence_in_a_table_keeps_its_quotes_and_is_markup_nowhere() -> None:
    assert markdown.prose('What "a < b" says:\n `x<y>`') == ('What "a &lt; b" says: <code>x&lt;y&gt;</code>')


def test_the_page_of_commands_leaves_hidden_options_out_and_a_command_without_help_is_told() -> None:
    # Given a command that says nothing of itself, with an argument, an option, and one that is hidden
    options = [click.Option(["--strong"], help="Twice the tea."), click.Option(["--beside"], hidden=True)]
    brew = click.Command("brew", params=[click.Argument(["pot"]), *options])
    drift = Drift()
    # When its page is made
    page = commands.commands_page(click.Group(commands={"brew": brew}), drift)
    # Then
    assert cells(page) == [["[payments brew](#payments-brew)"], ["--strong", "Twice the tea."]]
    assert [finding.partition(" in ")[0] for finding in drift.findings] == [
        "The command payments brew has no description"
    ]


def test_what_costs_less_than_a_cent_is_written_out() -> None:
    items = [cost.Item("state transition", 5, 0.000025), cost.Item("machine", 2, 0.01)]
    assert cells(cost._itemised(items)) == [
        ["state transition", "5", "0.000025", "0.000125"],
        ["machine", "2", "0.01", "0.02"],
        ["**together**", "", "", "**0.02**"],
    ]


def test_a_proof_is_paid_by_the_minute_of_its_zone_s_large_machine() -> None:
    for zone in Trust:
        assert cost.proof_item(zone).what == f"{zone}: {COMPUTE_TYPES[zone][1]}"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("payments synth prod # all of it", ["payments", "synth", "prod"]),
        ("make up && payments down", ["make", "up"]),
        ("say it's so", ["say", "it's", "so"]),
    ],
)
def test_a_line_s_command_ends_where_another_or_a_comment_begins(line: str, words: list[str]) -> None:
    assert repository_facts._words(line) == words


def test_a_page_is_told_of_each_name_that_the_code_does_not_have(tmp_path: Path) -> None:
    # Given a command line with one command, and a Makefile with one target
    brew = click.Command("brew", params=[click.Option(["--strong"])])
    (tmp_path / "Makefile").write_text("up:\n\ttrue\n", encoding="utf-8")
    drift = Drift()
    references = repository_facts.CodeReferences(tmp_path, click.Group(commands={"brew": brew}), drift)
    # When a page names those, and others
    references.check("docs/a.md", "`make up`, `payments brew --strong`, `docs/a`\n")
    references.check("docs/b.md", "`make up coffee`\n\n```sh\npayments brew --weak  # not --mild\n```\n")
    references.check("docs/c.md", "```sh\n$ make \\\n  tea\npayments boil\n```\n")
    # Then each of the others is told once, where it stands
    assert drift.findings == [
        "docs/a.md names docs/a, which is not there.",
        "docs/b.md says `payments brew --weak`, an option that pipelines/cli.py does not have.",
        "docs/b.md says `make coffee`, which Makefile does not have.",
        "docs/c.md says `make tea`, which Makefile does not have.",
        "docs/c.md says `payments boil`, a command that pipelines/cli does not have.",
    ]


def test_a_room_inside_another_part_is_in_that_part_s_table_alone(tmp_path: Path) -> None:
    # Given rooms of the environments, of the embedded AWS in them, and tests
    inner = repository_facts.PARTS["embedded"]
    for room in ("environments", "environments/shared", inner, f"{inner}/core", "environments/x/tests"):
        (tmp_path / room).mkdir(parents=True, exist_ok=True)
        (tmp_path / room / "__init__.py").write_text('"""A room."""')
    tables = repository_facts.room_tables(tmp_path, Drift())
    # Then each is listed once
    assert [row[0] for row in cells(tables["environments"])] == ["environments/", "environments/shared/"]
    assert [row[0] for row in cells(tables["embedded"])] == [
        f"{name}/".replace("_", "&#95;") for name in (inner, f"{inner}/core")
    ]
