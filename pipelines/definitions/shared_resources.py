"""What the pipelines share: artifacts, source, library, approvals, docs site, and the builds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from awacs import codeconnections, codestar_connections
from troposphere import Ref, Sub
from troposphere.codeconnections import Connection

from pipelines.core.zone import Trust
from pipelines.definitions.approvals_topic import ApprovalsTopic, add_approvals_topic
from pipelines.definitions.builds import BranchBuilds, ReleaseBuilds, add_branch_builds, add_release_builds
from pipelines.definitions.docs_access import DocsSites, add_docs_sites
from pipelines.definitions.images import add_images
from pipelines.definitions.library import Library, add_library, incarnation
from pipelines.definitions.zones import Zone, add_zone
from templates.capabilities.lint_exceptions import Except, excepted
from templates.capabilities.permissions import Permission

if TYPE_CHECKING:
    from collections.abc import Collection

    from troposphere import Template

    from environments.tools import Tools
    from pipelines.definitions.roles import Targets


@dataclass(frozen=True, slots=True)
class SharedResources:
    """What pipelines use of each other's."""

    tools: Tools
    releases: Zone
    branches: Zone
    connection_arn: Ref
    library: Library
    approvals: ApprovalsTopic
    sites: DocsSites
    builds: ReleaseBuilds
    branch_builds: BranchBuilds

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
    sites = add_docs_sites(template)
    releases = add_zone(
        template, Trust.RELEASE, targets.readers(Trust.RELEASE), targets.strangers(Trust.RELEASE)
    )
    branches = add_zone(
        template, Trust.BRANCH, targets.readers(Trust.BRANCH), targets.strangers(Trust.BRANCH)
    )
    library = add_library(template, releases)
    connection = Connection(
        "SourceConnection",
        ConnectionName=Sub("payments-${Incarnation}", Incarnation=incarnation()),
        ProviderType=tools.provider,
        DeletionPolicy="RetainExceptOnCreate",
        UpdateReplacePolicy="Retain",
        Metadata=excepted(
            Except(
                "E9001",
                "CloudFormation cannot make up this name, and a stack's is longer than its 32 characters.",
            )
        ),
    )
    template.add_resource(connection)
    images = add_images(template, branches, releases, targets, packaged_as_images)
    approvals = add_approvals_topic(template, releases)
    return SharedResources(
        tools=tools,
        releases=releases,
        branches=branches,
        connection_arn=Ref(connection),
        library=library,
        approvals=approvals,
        sites=sites,
        builds=add_release_builds(template, releases, targets, library, sites, image=images.releases),
        branch_builds=add_branch_builds(template, branches, targets, sites.previews, image=images.branches),
    )
