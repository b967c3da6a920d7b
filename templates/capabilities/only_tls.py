"""A bucket that answers over TLS alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from awacs.aws import Action, Bool, Condition, Deny, Principal, Statement
from troposphere import GetAtt, Sub

if TYPE_CHECKING:
    from troposphere.s3 import Bucket


def only_tls(bucket: Bucket) -> Statement:
    """Deny everybody everything over plain HTTP.

    All of S3's actions, those of next year too: a list would leave gaps (Amazon S3 user guide, "Security best
    practices", enforce encryption of data in transit).
    """
    return Statement(
        Sid="OnlyTls",
        Effect=Deny,
        Principal=Principal("AWS", "*"),
        Action=[Action("s3", "*")],
        Resource=[GetAtt(bucket, "Arn"), Sub(f"${{{bucket.title}.Arn}}/*")],
        Condition=Condition(Bool({"aws:SecureTransport": "false"})),
    )
