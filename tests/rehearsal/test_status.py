"""`payments status` of a deployed environment: what runs, what is wrong, and what could not be asked."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from pipelines.aws import executions, stacks
from pipelines.cli.main import main
from tests.rehearsal.shop import physical

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipelines.orders.payment_stack import PaymentStack
    from tests.rehearsal.conftest import Built, Payments
    from tests.rehearsal.shop import Shop


@pytest.fixture
def status(payments: Payments) -> Payments:
    return lambda *arguments: payments("status", *arguments, COLUMNS="200")


def _json(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_it_tells_what_runs(deployed: PaymentStack, status: Payments, built: Built) -> None:
    # Given a deployed stack, whose smoke workflow was started
    run = deployed.aws.stepfunctions.start_execution(stateMachineArn=deployed.smoke, input="{}")
    # When it is looked at
    told = _json(status("--json"))
    # Then it runs the very packages that were built, all new orders on one version, as deployed
    assert told["stack"] == deployed.name
    assert told["deployed"]["state"] in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
    digests = {package.sha256 for package in built.manifest.values()}
    assert set(told["deployed"]["digests"].values()) == digests
    assert list(told["deployed"]["versions"].values()) == [100]
    assert told["smoke"]["status"] in {"RUNNING", "SUCCEEDED"}
    assert told["drift"] == {deployed.aws.environment.network_stack: [], deployed.name: []}
    assert told["alarms"]["quiet"] > 5
    # And what no pipeline told is said not to be known, never to be well
    assert set(told["unknown"]) == {"gates"}, told["unknown"]
    assert "There is no stack payments-pipelines" in told["unknown"]["gates"]
    for moment in executions.follow(deployed.aws, run["executionArn"]):
        assert moment.what


def test_a_person_sees_what_is_wrong(deployed: PaymentStack, status: Payments, shop: Shop) -> None:
    # Given a parked order, the metric that an alarm rings on, and a log group that somebody changed by hand
    tea, ada = shop.product(price=100, available=5), shop.user(balance=1000)
    order = shop.order(ada, (tea, 100, 1))
    failure = {"execution": executions.arn_of(deployed.workflow, order), "step": "Refund", "cause": "?"}
    failure |= {"error": "DatabaseFailed"}
    deployed.api.record_failure(order, {**failure, "compensated": False, "record_only": False})
    cloudwatch, logs = (deployed.aws.client(name) for name in ("cloudwatch", "logs"))
    group = physical(deployed, "SmokeLogs")
    now = datetime.now(UTC)
    point = {"MetricName": "OrdersParked", "Value": 1}
    points = [{**point, "Timestamp": now + timedelta(minutes=minute)} for minute in range(2)]
    cloudwatch.put_metric_data(Namespace=f"Payments/{deployed.name}", MetricData=points)
    logs.put_retention_policy(logGroupName=group, retentionInDays=1)
    # When somebody looks
    seen = status()
    # Then each is told, the alarm with its runbook
    said = " ".join(seen.stdout.split())
    assert seen.exit_code == 0
    assert f"parked 1: {order}" in said
    assert "OrdersParked" in said
    assert "Runbook: docs/operations/runbooks/orders-parked.md" in said
    assert f"drift {deployed.name}: SmokeLogs" in said
    # And once they are mended, they are told no more
    deployed.api.record_failure(order, {**failure, "compensated": True, "record_only": False})
    logs.put_retention_policy(
        logGroupName=group, retentionInDays=deployed.aws.environment.logs.retention_days
    )
    said = " ".join(status().stdout.split())
    for well in ("parked none", "drift none in"):
        assert well in said


@pytest.fixture
def unanswered(deployed: PaymentStack) -> Iterator[str]:
    """A stack that is like the deployed one, but for its data API: somebody deleted the function."""
    name, cloudformation = "payments-unanswered", deployed.aws.cloudformation
    outputs = stacks.outputs(deployed.aws, deployed.name) | {"DataApiFunctionName": "gone"}
    body = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {}}},
        "Outputs": {key: {"Value": value} for key, value in outputs.items()},
    }
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(body))
    cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    yield name
    cloudformation.delete_stack(StackName=name)


def test_a_data_api_that_does_not_answer_is_not_taken_for_no_parked_orders(
    unanswered: str, status: Payments
) -> None:
    # When somebody looks
    said = " ".join(status("--stack", unanswered).stdout.split())
    # Then the rest is told, and parked orders are not known
    assert "? parked could not be asked: " in said
    assert "parked none" not in said
    assert "workflow version" in said


def test_without_credentials_that_is_all_that_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Given AWS itself, and nobody to be there
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    # Then
    seen = CliRunner().invoke(main, ["status", "staging"])
    assert (seen.exit_code, seen.stdout) == (1, "")
    assert "There are no AWS credentials here." in seen.stderr


def test_what_is_not_deployed_is_said_with_the_command_that_would(status: Payments) -> None:
    seen = status("--stack", "payments-nowhere")
    assert seen.exit_code == 1
    assert "deployed nothing" in " ".join(seen.stdout.split())
    assert "There is no stack payments-nowhere in 111111111111" in seen.stderr
    assert "Push a branch: its pipeline makes the stack. payments pipeline status branch" in seen.stderr
