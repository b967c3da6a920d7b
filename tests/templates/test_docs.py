from __future__ import annotations

from typing import Any

import pytest

from templates import docs
from templates.capabilities.docs_distribution import CONTENT_SECURITY_POLICY
from tests.templates.reading import properties, ref, resources, strings, the

Json = dict[str, Any]


@pytest.fixture(scope="module")
def stack() -> Json:
    built: Json = docs.build().to_dict()
    return built


@pytest.fixture(scope="module")
def distribution(stack: Json) -> Json:
    config: Json = the(stack, "AWS::CloudFront::Distribution")["DistributionConfig"]
    return config


def headers(stack: Json, behavior: Json) -> Json:
    policy = stack["Resources"][behavior["ResponseHeadersPolicyId"]["Ref"]]
    config: Json = policy["Properties"]["ResponseHeadersPolicyConfig"]
    return config


def sent(config: Json) -> dict[str, str]:
    items = config.get("CustomHeadersConfig", {}).get("Items", [])
    return {item["Header"]: item["Value"] for item in items}


def test_buckets_are_private_encrypted_and_kept(stack: Json) -> None:
    for name, bucket in resources(stack, "AWS::S3::Bucket").items():
        given = bucket["Properties"]
        assert set(given["PublicAccessBlockConfiguration"].values()) == {True}, name
        assert given["BucketEncryption"]["ServerSideEncryptionConfiguration"], name
        assert (bucket["DeletionPolicy"], bucket["UpdateReplacePolicy"]) == ("Retain", "Retain"), name


def test_every_bucket_refuses_plain_http(stack: Json) -> None:
    policies = properties(stack, "AWS::S3::BucketPolicy").values()
    refusing = [
        policy["Bucket"]["Ref"]
        for policy in policies
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny"
        and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        and statement["Principal"] == {"AWS": "*"}
    ]
    assert set(refusing) == set(resources(stack, "AWS::S3::Bucket"))


def test_this_distribution_alone_reads_pages(stack: Json, distribution: Json) -> None:
    # Given who is allowed anything in the bucket of pages
    (policy,) = [
        policy
        for policy in properties(stack, "AWS::S3::BucketPolicy").values()
        if policy["Bucket"] == ref("Docs")
    ]
    allowed = [one for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Allow"]
    # Then it is this distribution, signing its requests, and it may read and not list
    (read,) = allowed
    assert read["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert read["Action"] == ["s3:GetObject"]
    assert read["Condition"]["StringEquals"]["aws:SourceArn"]["Fn::Sub"].endswith("/${Distribution}")
    (origin,) = distribution["Origins"]
    assert origin["OriginAccessControlId"] == ref("DocsAccess")
    control = the(stack, "AWS::CloudFront::OriginAccessControl")["OriginAccessControlConfig"]
    assert (control["SigningBehavior"], control["SigningProtocol"]) == ("always", "sigv4")


def test_a_wrong_publication_can_be_undone_for_a_while(stack: Json) -> None:
    pages = stack["Resources"]["Docs"]["Properties"]
    assert pages["VersioningConfiguration"] == {"Status": "Enabled"}
    rules = pages["LifecycleConfiguration"]["Rules"]
    assert [rule["NoncurrentVersionExpiration"] for rule in rules if "NoncurrentVersionExpiration" in rule]
    # And nothing that is still shown, evidence above all, ever expires
    assert not [rule for rule in rules if "ExpirationInDays" in rule]


def test_every_answer_carries_the_security_headers(stack: Json, distribution: Json) -> None:
    for behavior in (distribution["DefaultCacheBehavior"], *distribution["CacheBehaviors"]):
        security = headers(stack, behavior)["SecurityHeadersConfig"]
        assert security["ContentSecurityPolicy"]["ContentSecurityPolicy"] == CONTENT_SECURITY_POLICY
        assert security["FrameOptions"]["FrameOption"] == "DENY"
        assert security["ReferrerPolicy"]["ReferrerPolicy"] == "same-origin"
        assert security["StrictTransportSecurity"]["AccessControlMaxAgeSec"] >= 31_536_000
        assert all(one["Override"] for one in security.values())
        assert "ContentTypeOptions" in security
        assert behavior["ViewerProtocolPolicy"] == "redirect-to-https"


def test_pages_may_ask_nobody_but_the_site_itself() -> None:
    directives = dict(part.strip().split(" ", 1) for part in CONTENT_SECURITY_POLICY.split(";"))
    assert directives["default-src"] == "'self'"
    assert directives["frame-ancestors"] == directives["object-src"] == "'none'"
    allowed = {source for sources in directives.values() for source in sources.split()}
    assert allowed == {"'self'", "'none'", "'unsafe-inline'", "data:"}


def test_search_engines_may_show_production_alone(stack: Json, distribution: Json) -> None:
    (production,) = distribution["CacheBehaviors"]
    assert production["PathPattern"] == "/prod/*"
    assert sent(headers(stack, production)) == {}
    assert sent(headers(stack, distribution["DefaultCacheBehavior"])) == {"X-Robots-Tag": "noindex"}


def test_who_asked_for_what_is_logged(stack: Json, distribution: Json) -> None:
    assert distribution["Logging"]["Bucket"] == {"Fn::GetAtt": ["DocsAccessLogs", "RegionalDomainName"]}
    pages = stack["Resources"]["Docs"]["Properties"]
    assert pages["LoggingConfiguration"]["DestinationBucketName"] == ref("DocsAccessLogs")
    # And the log bucket lets S3 write there
    policy = stack["Resources"]["DocsAccessLogsPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    (write,) = [one for one in policy if one["Effect"] == "Allow"]
    assert write["Principal"] == {"Service": "logging.s3.amazonaws.com"}
    assert write["Resource"] == [{"Fn::Sub": "${DocsAccessLogs.Arn}/bucket/*"}]


def test_nothing_is_named_so_that_two_stacks_clash(stack: Json) -> None:
    names = [
        value
        for resource in stack["Resources"].values()
        for key, value in _names(resource["Properties"])
        if key.endswith("Name") and key not in {"DomainName", "DestinationBucketName"}
    ]
    assert len(names) == 3  # an access control and two header policies, which CloudFormation cannot name
    assert all("${AWS::StackName}" in text for name in names for text in strings(name))


def _names(value: Any) -> list[tuple[str, Any]]:
    if not isinstance(value, dict):
        return []
    return [*value.items(), *[pair for inside in value.values() for pair in _names(inside)]]


def test_what_others_need_is_an_output(stack: Json) -> None:
    assert set(stack["Outputs"]) == {"DocsBucket", "DocsUrl", "DistributionId"}
    assert stack["Outputs"]["DocsUrl"]["Value"] == {"Fn::Sub": "https://${Distribution.DomainName}"}
