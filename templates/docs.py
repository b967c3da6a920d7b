"""The docs stack: where pages are kept, and where readers see them.

One for the whole system, in the tools account, because the pipelines there write to it: a folder for each
environment, a preview for each branch under `branches/`, and the evidence of releases.
"""

from __future__ import annotations

from troposphere import Ref, Sub, Template

from templates.capabilities.docs_bucket import add_access_logs, add_docs_bucket, let_read
from templates.capabilities.docs_distribution import add_distribution
from templates.capabilities.stack_interface import add_output


def build() -> Template:
    """Return the docs stack."""
    template = Template(Description="Docs site of the payment system")
    logs = add_access_logs(template)
    bucket = add_docs_bucket(template, logs)
    distribution = add_distribution(template, bucket, logs)
    let_read(template, bucket, distribution)
    add_output(template, "DocsBucket", "Where pages are published to", Ref(bucket))
    add_output(
        template, "DocsUrl", "Where readers see them", Sub(f"https://${{{distribution.title}.DomainName}}")
    )
    add_output(template, "DistributionId", "The CloudFront distribution", Ref(distribution))
    return template
