"""The pipelines stack, in the tools account. `payments pipeline deploy` deploys it; no release ever does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from troposphere import Output, Template

from pipelines.definitions.branch_pipelines import (
    add_branch_pipeline,
    add_expiry_pipeline,
    add_remove_branch_pipeline,
)
from pipelines.definitions.images import packaged_as_images as images_of_the_environments
from pipelines.definitions.release_pipeline import add_release_pipeline
from pipelines.definitions.roles import add_targets
from pipelines.definitions.shared_resources import add_shared_resources
from pipelines.definitions.storage import signing_key

if TYPE_CHECKING:
    from collections.abc import Collection

    from environments.tools import Tools


def build(tools: Tools, packaged_as_images: Collection[str] | None = None) -> Template:
    """Return the pipelines stack.

    Args:
        tools: Where it is, and what it watches.
        packaged_as_images: The environments whose functions are container images; what their files say
            unless given.
    """
    images = packaged_as_images if packaged_as_images is not None else images_of_the_environments()
    template = Template(Description="Promotion pipelines of the payment system")
    targets = add_targets(template)
    shared = add_shared_resources(template, tools, targets, images)
    add_branch_pipeline(template, shared, targets)
    add_release_pipeline(template, shared, targets)
    removal = add_remove_branch_pipeline(template, shared, targets)
    add_expiry_pipeline(template, shared, removal)
    outputs = {
        "ArtifactBucket": ("Where artifacts of releases are", shared.releases.artifacts.bucket),
        "PackageBucket": ("Where packages of releases are", shared.releases.packages.bucket),
        "BranchArtifactBucket": ("Where artifacts of branches are", shared.branches.artifacts.bucket),
        "BranchPackageBucket": ("Where packages of branches are", shared.branches.packages.bucket),
        "SigningKeyArn": ("Signs the provenance of releases", signing_key().arn),
        "ConnectionArn": ("Accept it once, in the console, at the provider", shared.connection_arn),
        "ApprovalsTopicArn": ("Subscribe to hear of approvals", shared.approvals.topic_arn),
        "LibraryDomain": ("CodeArtifact domain of the shared library", shared.library.domain),
        "LibraryRepository": ("CodeArtifact repository of the shared library", shared.library.repository),
    }
    for name, (description, value) in outputs.items():
        template.add_output(Output(name, Description=description, Value=value))
    return template
