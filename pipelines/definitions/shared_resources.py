"""What the pipelines share: artifacts, source, library, approvals, docs site, and the builds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from awacs import codeconnections, codestar_connections
from troposphere import Ref
from troposphere.codeconnections import Connection

from pipelines.definitions.approvals_topic import ApprovalsTopic, add_approvals_topic
from pipelines.definitions.artifacts import Artifacts, add_artifacts
from pipelines.definitions.builds import Builds, add_builds
from pipelines.definitions.docs_access import DocsSite, add_docs_site
from pipelines.definitions.images import add_images
from pipelines.definitions.library import Library, add_library
from templates.capabilities.lint_exceptions import Except, excepted
from templates.capabilities.permissions import Permission

if TYPE_CHECKING:
    from collections.abc import Collection

    from troposphere import Template

    from environments.tools import Tools
    from pipelines.definitions.targets import Targets


@dataclass(frozen=True, slots=True)
class SharedResources:
    """What pipelines use of each other's."""

    tools: Tools
    artifacts: Artifacts
    connection_arn: Ref
    library: Library
    approvals: ApprovalsTopic
    site: DocsSite
    builds: Builds

    def source_permission(self) -> Permission:
        """Return what checking out needs.

        The action answers to the service's old prefix as well as to the new one (CodePipeline user guide,
        "CodeStarSourceConnection": service role permissions).
        """
        return Permission(
            "Source",
            "Takes commits through the connection.",
            [codeconnections.UseConnection, codestar_connections.UseConnection],
            [self.connection_arn],
        )


def add_shared_resources(
    template: Template, tools: Tools, targets: Targets, packaged_as_images: Collection[str]
) -> SharedResources:
    """Add everything that pipelines share."""
    site = add_docs_site(template)
    artifacts = add_artifacts(template, targets.roles())
    library = add_library(template, artifacts)
    connection = Connection(
        "SourceConnection",
        ConnectionName="payments-source",
        ProviderType=tools.provider,
        DeletionPolicy="Retain",
        UpdateReplacePolicy="Retain",
        Metadata=excepted(
            Except(
                "E9001",
                "CloudFormation cannot make up this name, and a stack's is longer than its 32 characters.",
            )
        ),
    )
    template.add_resource(connection)
    images = add_images(template, artifacts, targets, packaged_as_images)
    builds = add_builds(template, targets, artifacts, library, site, images=images)
    approvals = add_approvals_topic(template, artifacts)
    return SharedResources(tools, artifacts, Ref(connection), library, approvals, site, builds)
