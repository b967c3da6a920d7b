"""CloudFront: a distribution's own origin, which its door leads to."""

import json
from typing import Any

import pytest
import urllib3
from embedded_workbench import Aws, unique

from embedded_aws import instance


@pytest.fixture(scope="module")
def distribution(aws: Aws) -> str:
    """A distribution over a bucket with a page, which only viewers by TLS may read."""
    bucket, s3 = unique("site"), aws("s3")
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_object(Bucket=bucket, Key="a page.html", Body=b"<h1>Start</h1>", ContentType="text/html")
    signing = {"SigningBehavior": "always", "SigningProtocol": "sigv4"}
    control = aws("cloudfront").create_origin_access_control(
        OriginAccessControlConfig={"Name": bucket, "OriginAccessControlOriginType": "s3", **signing}
    )
    origin = {
        "Id": "site",
        "OriginAccessControlId": control["OriginAccessControl"]["Id"],
        "DomainName": f"{bucket}.s3.eu-central-1.amazonaws.com",
        "S3OriginConfig": {"OriginAccessIdentity": ""},
    }
    behaviour: dict[str, Any] = {
        "TargetOriginId": "site",
        "ViewerProtocolPolicy": "redirect-to-https",
        "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}},
        "MinTTL": 0,
    }
    config = {
        "CallerReference": bucket,
        "Comment": "",
        "Enabled": True,
        "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": behaviour,
    }
    made = aws("cloudfront").create_distribution(DistributionConfig=config)["Distribution"]
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [allow]}))
    return str(made["Id"])


def test_the_door_leads_to_the_distribution_s_own_origin(
    embedded: instance.Instance, distribution: str
) -> None:
    door = f"{embedded.endpoint}/_cloudfront/{distribution}/"
    # When a viewer comes by the door
    sent = urllib3.request("GET", f"{door}a%20page.html?v=1", redirect=False)
    # Then it is sent to the same path of an origin that is not the endpoint, and stays the same
    place = sent.headers["Location"]
    assert (sent.status, place.endswith("/a%20page.html?v=1")) == (307, True)
    assert not place.startswith(embedded.endpoint)
    again = urllib3.request("GET", door, redirect=False).headers["Location"]
    assert place.removesuffix("a%20page.html?v=1") == again
    # And there the page is
    shown = urllib3.request("GET", place, redirect=False)
    assert (shown.status, shown.data) == (200, b"<h1>Start</h1>")
    assert shown.headers["Content-Type"] == "text/html"
    head = urllib3.request("HEAD", place, redirect=False)
    assert (head.status, head.data) == (200, b"")


def test_a_distribution_that_nobody_made_is_not_found(embedded: instance.Instance) -> None:
    answer = urllib3.request("GET", f"{embedded.endpoint}/_cloudfront/ENOBODY/index.html")
    assert (answer.status, answer.data) == (404, b"There is no distribution ENOBODY.\n")
