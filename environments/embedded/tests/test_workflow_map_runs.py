"""Step Functions: a distributed Map, whose items are executions of their own.

https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from embedded_workbench import Aws, Workflow, policy, unique

MakeWorkflow = Callable[..., Workflow]


@dataclass(frozen=True, slots=True)
class Items:
    """An object whose items a workflow may read."""

    bucket: str
    s3: Any

    def put(self, text: str) -> None:
        self.s3.put_object(Bucket=self.bucket, Key="items", Body=text)


@pytest.fixture(scope="module")
def items(aws: Aws, role: str) -> Items:
    name = unique("items")
    aws("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    aws("iam").put_role_policy(
        RoleName=role.rpartition("/")[2],
        PolicyName="read",
        PolicyDocument=policy("s3:GetObject", "s3:ListBucket"),
    )
    return Items(name, aws("s3"))


def _each(items: Items, config: dict[str, Any], key: str = "items", **more: Any) -> dict[str, Any]:
    """A distributed Map over an object's items, each of which fails that says so."""
    inner = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Judge",
        "States": {
            "Judge": {
                "Type": "Choice",
                "Choices": [{"Condition": "{% $states.input = 'bad' %}", "Next": "No"}],
                "Default": "Yes",
            },
            "No": {"Type": "Fail", "Error": "Bad"},
            "Yes": {"Type": "Succeed"},
        },
    }
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": config,
        "Arguments": {"Bucket": items.bucket, "Key": key},
    }
    return {"Type": "Map", "ItemReader": reader, "ItemProcessor": inner, "End": True, **more}


@pytest.mark.parametrize(
    ("tolerated", "status", "output"), [(1, "SUCCEEDED", ["good", "fine"]), (0, "FAILED", None)]
)
def test_a_run_counts_its_items_and_fails_when_more_failed_than_it_tolerates(
    make_workflow: MakeWorkflow, items: Items, tolerated: int, status: str, output: list[str] | None
) -> None:
    # Given three items, one of which fails
    items.put(json.dumps(["good", "bad", "fine"]))
    workflow = make_workflow({"Each": _each(items, {"InputType": "JSON"}, ToleratedFailureCount=tolerated)})
    # When it runs
    ended = workflow.run()
    # Then
    assert (ended.status, ended.output) == (status, output)
    # And its Map Run tells how many items came to what
    [run] = workflow.client.list_map_runs(executionArn=ended.arn)["mapRuns"]
    shown = workflow.client.describe_map_run(mapRunArn=run["mapRunArn"])
    assert shown["status"] == status
    for counts in (shown["itemCounts"], shown["executionCounts"]):
        told = {kind: count for kind, count in counts.items() if count}
        assert told == {"total": 3, "succeeded": 2, "failed": 1}


@pytest.mark.parametrize(
    ("config", "text", "read"),
    [
        ({"InputType": "JSONL"}, '"a"\n\n"b"\n', ["a", "b"]),
        ({"InputType": "JSON", "MaxItems": 2}, '["a", "b", "c"]', ["a", "b"]),
        ({"InputType": "JSON", "ItemsPointer": "/pages/0/items"}, '{"pages": [{"items": ["a"]}]}', ["a"]),
        (
            {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
            "id,name\n1,Ada\n2\n",
            [{"id": "1", "name": "Ada"}, {"id": "2", "name": ""}],
        ),
        (
            {"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": ["id"], "CSVDelimiter": "TAB"},
            "1\n2\n",
            [{"id": "1"}, {"id": "2"}],
        ),
    ],
)
def test_items_are_read_as_their_format_says(
    make_workflow: MakeWorkflow, items: Items, config: dict[str, Any], text: str, read: list[Any]
) -> None:
    # https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html
    items.put(text)
    assert make_workflow({"Each": _each(items, config)}).run().output == read


def test_items_that_cannot_be_read_fail_the_run(make_workflow: MakeWorkflow, items: Items) -> None:
    ended = make_workflow({"Each": _each(items, {"InputType": "JSON"}, "nowhere")}).run()
    assert (ended.status, ended.error) == ("FAILED", "States.ItemReaderFailed")
