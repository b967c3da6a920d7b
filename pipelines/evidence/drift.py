"""Whether a stack still is what was deployed, or somebody changed it by hand since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from pipelines.core.waiting import TimedOut, wait_until

if TYPE_CHECKING:
    from types_boto3_cloudformation.type_defs import DescribeStackDriftDetectionStatusOutputTypeDef

    from pipelines.aws.accounts import Aws

_LONGEST_SECONDS: Final = 300


@dataclass(frozen=True, slots=True)
class Drift:
    """What drift detection found in one stack.

    Attributes:
        stack: Its name.
        drifted: What is not as it was deployed, by logical id; or nothing.
        unknown: Why it is not known, or nothing when it is.
        exists: Whether there is such a stack yet; what does not exist is not "as deployed".
    """

    stack: str
    drifted: tuple[str, ...] = ()
    unknown: str = ""
    exists: bool = True


def detect(aws: Aws, stack: str) -> Drift:
    """Ask CloudFormation to compare a stack with its template; a stack that is not there yet has no drift."""
    cloudformation = aws.cloudformation
    try:
        if (
            cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
            == "REVIEW_IN_PROGRESS"
        ):
            return Drift(stack, exists=False)
        detection = cloudformation.detect_stack_drift(StackName=stack)["StackDriftDetectionId"]
        state = _ended_detection(aws, stack, detection)
        differences = cloudformation.describe_stack_resource_drifts(
            StackName=stack, StackResourceDriftStatusFilters=["MODIFIED", "DELETED"]
        )["StackResourceDrifts"]
    except TimedOut:
        return Drift(stack, unknown="it did not end")
    except ClientError as error:
        # Evidence without drift is better than none; the page says that it is missing, and why.
        return Drift(stack, unknown=error.response["Error"]["Message"])
    drifted = tuple(sorted(difference["LogicalResourceId"] for difference in differences))
    unknown = (
        ""
        if state["DetectionStatus"] == "DETECTION_COMPLETE"
        else state.get("DetectionStatusReason", "it did not end")
    )
    return Drift(stack, drifted, unknown)


def _ended_detection(aws: Aws, stack: str, detection: str) -> DescribeStackDriftDetectionStatusOutputTypeDef:
    def ended() -> DescribeStackDriftDetectionStatusOutputTypeDef | None:
        answer = aws.cloudformation.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
        return None if answer["DetectionStatus"] == "DETECTION_IN_PROGRESS" else answer

    return wait_until(
        ended, seconds=_LONGEST_SECONDS, every=aws.poll_seconds, what=f"the drift detection of {stack}"
    )
