"""The docs site as readers get it: CloudFront before the private bucket, with headers that tame pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from troposphere import GetAtt, Ref, Sub
from troposphere import cloudfront as cf

from templates.capabilities.lint_exceptions import Except, excepted

if TYPE_CHECKING:
    from troposphere import Template
    from troposphere.s3 import Bucket

PRODUCTION_FOLDER: Final = "prod"
"""The one folder that search engines may show."""
FOLDERS: Final = (PRODUCTION_FOLDER, "staging")
"""One for each environment whose docs are published."""
BRANCHES: Final = "branches/"
EVIDENCE: Final = "evidence/"
"""Of releases, a folder each."""
VERSIONS: Final = "versions.json"
"""What the version selector of Material for MkDocs reads beside a version's folder (`provider: mike`)."""
NOT_FOUND_PAGE: Final = "404.html"
CONTENT_SECURITY_POLICY: Final = "; ".join(
    [
        "default-src 'self'",
        # Material sets the colour scheme, and Mermaid its diagrams, by code and style inside the page.
        "script-src 'self' 'unsafe-inline'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "object-src 'none'",
    ]
)
"""The site itself and nothing else: no other host, no frame around it, no plug-in."""

_YEAR_SECONDS = 31_536_000
_CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
"""AWS's own policy: honours the pages' Cache-Control, ignores cookies and queries, compresses.

Source: CloudFront developer guide, "Use managed cache policies".
"""
_ORIGIN = "Docs"
_EXCEPTIONS = (
    Except(
        "CKV_AWS_68",
        "Static pages, read with GET and HEAD alone: no request reaches code that a firewall would protect. "
        "Whoever wants fewer readers adds a web ACL (docs/decisions/docs-stack.md).",
    ),
    Except(
        "CKV_AWS_174",
        "With CloudFront's own domain name its certificate and its policy apply, and MinimumProtocolVersion "
        "is ignored; to say one takes a domain of the adopter's (CloudFront API, ViewerCertificate).",
    ),
)


def add_distribution(template: Template, bucket: Bucket, logs: Bucket) -> cf.Distribution:
    """Add the distribution; every folder but production's asks search engines to stay away."""
    access = cf.OriginAccessControl(
        "DocsAccess",
        OriginAccessControlConfig=cf.OriginAccessControlConfig(
            # CloudFormation cannot make up this name and the policies' names; an account has each once.
            Name=Sub("${AWS::StackName}-${AWS::Region}"),
            OriginAccessControlOriginType="s3",
            SigningBehavior="always",
            SigningProtocol="sigv4",
        ),
    )
    shown, hidden = _headers("ShownHeaders"), _headers("HiddenHeaders", **{"X-Robots-Tag": "noindex"})
    for resource in (access, shown, hidden):
        template.add_resource(resource)
    origin = cf.Origin(
        Id=_ORIGIN,
        DomainName=GetAtt(bucket, "RegionalDomainName"),
        OriginAccessControlId=Ref(access),
        # With origin access control there is no identity, and CloudFront still wants the key.
        S3OriginConfig=cf.S3OriginConfig(OriginAccessIdentity=""),
    )
    production = cf.CacheBehavior(PathPattern=f"/{PRODUCTION_FOLDER}/*", **_behavior(shown))
    distribution = cf.Distribution(
        "Distribution",
        Metadata=excepted(*_EXCEPTIONS),
        DistributionConfig=cf.DistributionConfig(
            Enabled=True,
            Comment=Sub("Docs site of ${AWS::StackName}"),
            Origins=[origin],
            DefaultRootObject="index.html",
            DefaultCacheBehavior=cf.DefaultCacheBehavior(**_behavior(hidden)),
            CacheBehaviors=[production],
            CustomErrorResponses=[_not_found()],
            HttpVersion="http2and3",
            IPV6Enabled=True,
            PriceClass="PriceClass_100",
            Logging=cf.Logging(Bucket=GetAtt(logs, "RegionalDomainName"), Prefix="site/"),
        ),
    )
    template.add_resource(distribution)
    return distribution


def _behavior(headers: cf.ResponseHeadersPolicy) -> dict[str, Any]:
    return {
        "TargetOriginId": _ORIGIN,
        "ViewerProtocolPolicy": "redirect-to-https",
        "AllowedMethods": ["GET", "HEAD"],
        "CachePolicyId": _CACHING_OPTIMIZED,
        "Compress": True,
        "ResponseHeadersPolicyId": Ref(headers),
    }


def _not_found() -> cf.CustomErrorResponse:
    # S3 says 403 of a missing page to a reader who may not list the bucket, as CloudFront may not.
    return cf.CustomErrorResponse(
        ErrorCode=403, ResponseCode=404, ResponsePagePath=f"/{NOT_FOUND_PAGE}", ErrorCachingMinTTL=10
    )


def _headers(name: str, **more: str) -> cf.ResponseHeadersPolicy:
    security = cf.SecurityHeadersConfig(
        ContentSecurityPolicy=cf.ContentSecurityPolicy(
            ContentSecurityPolicy=CONTENT_SECURITY_POLICY, Override=True
        ),
        ContentTypeOptions=cf.ContentTypeOptions(Override=True),
        FrameOptions=cf.FrameOptions(FrameOption="DENY", Override=True),
        ReferrerPolicy=cf.ReferrerPolicy(ReferrerPolicy="same-origin", Override=True),
        StrictTransportSecurity=cf.StrictTransportSecurity(
            AccessControlMaxAgeSec=_YEAR_SECONDS, IncludeSubdomains=True, Override=True
        ),
    )
    config: dict[str, Any] = {
        "Name": Sub(f"${{AWS::StackName}}-${{AWS::Region}}-{name}"),
        "SecurityHeadersConfig": security,
    }
    if more:
        items = [cf.CustomHeader(Header=key, Value=value, Override=True) for key, value in more.items()]
        config["CustomHeadersConfig"] = cf.CustomHeadersConfig(Items=items)
    return cf.ResponseHeadersPolicy(
        name, ResponseHeadersPolicyConfig=cf.ResponseHeadersPolicyConfig(**config)
    )
