"""What one account asks of another: judged by the role's own ARN and by whose the thing is, as on AWS."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

TOOLS, TARGET = "444444444444", "222222222222"


def _role(aws: Callable[..., Any], account: str, path: str, trust: dict[str, Any]) -> str:
    name = f"role-{uuid.uuid4().hex[:8]}"
    iam = aws("iam", account=account)
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole"} | trust
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    made = iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=policy)["Role"]["Arn"]
    anything = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
    everything = json.dumps({"Version": "2012-10-17", "Statement": [anything]})
    iam.put_role_policy(RoleName=name, PolicyName="assume", PolicyDocument=everything)
    return str(made)


def _as_role(aws: Callable[..., Any], service: str, account: str, role: str) -> Any:
    """Return a client of whoever took on the role in its own account."""
    keys = aws("sts", account=account).assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    return aws(
        service,
        account=account,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


@pytest.mark.parametrize(("path", "trusted"), [("/pipelines/", True), ("/others/", False)])
def test_a_trust_policy_names_roles_by_their_path(aws: Callable[..., Any], path: str, trusted: bool) -> None:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    # Given a role of another account that trusts the roles of one path, and a role of that path or not
    root = {"AWS": f"arn:aws:iam::{TOOLS}:root"}
    ours = {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{TOOLS}:role/pipelines/*"}}
    target = _role(aws, TARGET, "/", {"Principal": root, "Condition": ours})
    own = _role(aws, TOOLS, path, {"Principal": root})
    there = _as_role(aws, "sts", TOOLS, own)

    # When it takes on the other
    def take_on() -> Any:
        return there.assume_role(RoleArn=target, RoleSessionName="test")

    # Then it may exactly when its path is the trusted one
    if trusted:
        assert take_on()["AssumedRoleUser"]["Arn"].startswith(f"arn:aws:sts::{TARGET}:assumed-role/")
    else:
        with pytest.raises(ClientError, match="AccessDenied"):
            take_on()


def test_a_policy_bounds_what_is_read_to_an_account(aws: Callable[..., Any]) -> None:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
    # Given a bucket of one account, whose owner lets a role of another read it
    bucket = f"artifacts-{uuid.uuid4().hex[:8]}"
    s3 = aws("s3", account=TOOLS)
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_object(Bucket=bucket, Key="key", Body=b"body")
    role = _role(aws, TARGET, "/", {"Principal": {"AWS": f"arn:aws:iam::{TARGET}:root"}})
    read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    policy = {"Version": "2012-10-17", "Statement": [read | {"Principal": {"AWS": role}}]}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    # And a role that may read what belongs to that account, and a second that may read another's
    for account, allowed in ((TOOLS, True), (TARGET, False)):
        only = read | {"Resource": "*", "Condition": {"StringEquals": {"aws:ResourceAccount": account}}}
        document = json.dumps({"Version": "2012-10-17", "Statement": [only]})
        name = role.rpartition("/")[2]
        aws("iam", account=TARGET).put_role_policy(RoleName=name, PolicyName="read", PolicyDocument=document)
        there = _as_role(aws, "s3", TARGET, role)
        # When it reads, then the account decides
        if allowed:
            assert there.get_object(Bucket=bucket, Key="key")["Body"].read() == b"body"
        else:
            with pytest.raises(ClientError, match="AccessDenied"):
                there.get_object(Bucket=bucket, Key="key")
