"""The buckets of the docs site: its pages, which CloudFront alone reads, and who asked for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awacs import s3
from awacs.aws import (
    Allow,
    ArnLike,
    Condition,
    PolicyDocument,
    Principal,
    Statement,
    StringEquals,
)
from troposphere import AccountId, GetAtt, Ref, Sub
from troposphere import s3 as buckets

from templates.capabilities.lint_exceptions import Except, excepted
from templates.capabilities.permissions import POLICY_VERSION, only_tls

if TYPE_CHECKING:
    from troposphere import Template
    from troposphere.cloudfront import Distribution

_OLD_PAGES_DAYS = 30
_LOG_DAYS = 90
_BUCKET_LOGS = "bucket/"
_LOGS_OF_LOGS = (
    Except("CKV_AWS_18", "A log of who wrote the log would write one entry more for each entry."),
    Except("CKV_AWS_21", "Its objects are written once by AWS, never changed, and expire after 90 days."),
)


def add_access_logs(template: Template) -> buckets.Bucket:
    """Add the bucket of access logs.

    CloudFront writes them with an ACL, the one thing here that still needs ACLs to be on.

    Source: CloudFront developer guide, "Configure standard logging (legacy)"; S3 user guide, "Enabling
    Amazon S3 server access logging".
    """
    expire = buckets.LifecycleRule(Id="Old", Status="Enabled", ExpirationInDays=_LOG_DAYS)
    bucket = _bucket("DocsAccessLogs", "BucketOwnerPreferred", [expire, _unfinished_uploads()])
    bucket.Metadata = excepted(*_LOGS_OF_LOGS)
    template.add_resource(bucket)
    return bucket


def add_docs_bucket(template: Template, logs: buckets.Bucket) -> buckets.Bucket:
    """Add the bucket of pages.

    It is versioned, so that a wrong publication can be undone, and what a version replaced is forgotten after
    a while. It outlives its stack, because the evidence of releases is in it.
    """
    old = buckets.NoncurrentVersionExpiration(NoncurrentDays=_OLD_PAGES_DAYS)
    rules = [
        buckets.LifecycleRule(
            Id="OldVersions",
            Status="Enabled",
            NoncurrentVersionExpiration=old,
            ExpiredObjectDeleteMarker=True,
        ),
        _unfinished_uploads(),
    ]
    bucket = _bucket("Docs", "BucketOwnerEnforced", rules)
    bucket.VersioningConfiguration = buckets.VersioningConfiguration(Status="Enabled")
    bucket.LoggingConfiguration = buckets.LoggingConfiguration(
        DestinationBucketName=Ref(logs), LogFilePrefix=_BUCKET_LOGS
    )
    template.add_resource(bucket)
    template.add_resource(_policy(logs, only_tls(logs), _let_log(bucket, logs)))
    return bucket


def let_read(template: Template, bucket: buckets.Bucket, distribution: Distribution) -> None:
    """Let this one distribution read the pages, and nobody else of CloudFront's customers.

    Source: CloudFront developer guide, "Restrict access to an Amazon S3 origin".
    """
    arn = f"arn:${{AWS::Partition}}:cloudfront::${{AWS::AccountId}}:distribution/${{{distribution.title}}}"
    read = Statement(
        Sid="CloudFrontReads",
        Effect=Allow,
        Principal=Principal("Service", "cloudfront.amazonaws.com"),
        Action=[s3.GetObject],
        Resource=[Sub(f"${{{bucket.title}.Arn}}/*")],
        Condition=Condition(StringEquals({"aws:SourceArn": Sub(arn)})),
    )
    template.add_resource(_policy(bucket, only_tls(bucket), read))


def _bucket(name: str, ownership: str, rules: list[buckets.LifecycleRule]) -> buckets.Bucket:
    by_default = buckets.ServerSideEncryptionByDefault(SSEAlgorithm="AES256")
    encrypted = buckets.ServerSideEncryptionRule(ServerSideEncryptionByDefault=by_default)
    return buckets.Bucket(
        name,
        BucketEncryption=buckets.BucketEncryption(ServerSideEncryptionConfiguration=[encrypted]),
        PublicAccessBlockConfiguration=buckets.PublicAccessBlockConfiguration(
            BlockPublicAcls=True, BlockPublicPolicy=True, IgnorePublicAcls=True, RestrictPublicBuckets=True
        ),
        OwnershipControls=buckets.OwnershipControls(
            Rules=[buckets.OwnershipControlsRule(ObjectOwnership=ownership)]
        ),
        LifecycleConfiguration=buckets.LifecycleConfiguration(Rules=rules),
        DeletionPolicy="Retain",
        UpdateReplacePolicy="Retain",
    )


def _unfinished_uploads() -> buckets.LifecycleRule:
    abort = buckets.AbortIncompleteMultipartUpload(DaysAfterInitiation=1)
    return buckets.LifecycleRule(Id="Uploads", Status="Enabled", AbortIncompleteMultipartUpload=abort)


def _let_log(bucket: buckets.Bucket, logs: buckets.Bucket) -> Statement:
    whose = Condition(
        [StringEquals({"aws:SourceAccount": AccountId}), ArnLike({"aws:SourceArn": GetAtt(bucket, "Arn")})]
    )
    return Statement(
        Sid="BucketLogs",
        Effect=Allow,
        Principal=Principal("Service", "logging.s3.amazonaws.com"),
        Action=[s3.PutObject],
        Resource=[Sub(f"${{{logs.title}.Arn}}/{_BUCKET_LOGS}*")],
        Condition=whose,
    )


def _policy(bucket: buckets.Bucket, *statements: Statement) -> buckets.BucketPolicy:
    document = PolicyDocument(Version=POLICY_VERSION, Statement=list(statements))
    return buckets.BucketPolicy(f"{bucket.title}Policy", Bucket=Ref(bucket), PolicyDocument=document)
