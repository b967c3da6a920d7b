"""The CodeBuild projects of the promotion, and what each may see and do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from awacs import sts

from pipelines.definitions.images import IMAGE_REPOSITORY
from pipelines.definitions.projects import LARGE, Project, add_project, allow_reports
from templates.capabilities.permissions import Permission

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from troposphere import AWSHelperFn, Template

    from pipelines.definitions.artifacts import Artifacts
    from pipelines.definitions.docs_access import DocsSite
    from pipelines.definitions.images import Images, Repository
    from pipelines.definitions.library import Library
    from pipelines.definitions.targets import Target, Targets


_WRITING: Final = {"Name", "Publish"}
"""They upload packages and write the settings of stacks. No other but Build writes an artifact."""


@dataclass(frozen=True, slots=True)
class Builds:
    """The CodeBuild projects."""

    build: Project
    publish: Project
    name: Project
    evidence: Project
    verify: Project
    docs: Project
    preview: Project
    removal: Project
    unpublish: Project
    expiry: Project


def add_builds(
    template: Template,
    targets: Targets,
    artifacts: Artifacts,
    library: Library,
    site: DocsSite,
    *,
    images: Images,
) -> Builds:
    """Add the projects. Those that upload packages build the image as well, where there is one to build."""

    def add(
        name: str,
        buildspec: str,
        purpose: str,
        permissions: Sequence[Permission],
        variables: Mapping[str, AWSHelperFn],
        *,
        image: Repository | None = None,
    ) -> Project:
        repository = {} if image is None else {IMAGE_REPOSITORY: image.uri}
        return add_project(
            template,
            name,
            artifacts,
            buildspec=f"pipelines/definitions/buildspecs/{buildspec}.yml",
            purpose=purpose,
            permissions=[*permissions, *([] if image is None else image.push())],
            variables={**variables, **repository},
            docker=image is not None,
            writes=name in _WRITING,
        )

    branch = {"BRANCH_INSPECTION_ROLE": targets.branch.inspection_role}
    release = {
        "PROD_INSPECTION_ROLE": targets.prod.inspection_role,
        "STAGING_INSPECTION_ROLE": targets.staging.inspection_role,
    }
    docs = {"DOCS_BUCKET": site.bucket, "DOCS_URL": site.url}
    see_branch = [_look_around("SeeBranch", targets.branch)]
    see_release = [_look_around("SeeStaging", targets.staging), _look_around("SeeProd", targets.prod)]
    package_index = {"LIBRARY_DOMAIN": library.domain, "LIBRARY_REPOSITORY": library.repository}
    build = add_project(
        template,
        "Build",
        artifacts,
        buildspec="buildspec.yml",
        purpose="Lints, tests, synthesizes, packages and writes the docs",
        size=LARGE,
        writes=True,
    )
    builds = Builds(
        build=build,
        publish=add(
            "Publish",
            "publish",
            "Publishes the library and packages the functions against it",
            [*library.permissions(), *see_release],
            {**package_index, **release},
            image=images.releases,
        ),
        name=add(
            "Name",
            "name",
            "Names the branch's stack and waits for its turn",
            see_branch,
            branch,
            image=images.branches,
        ),
        evidence=add(
            "Evidence",
            "evidence",
            "Writes down what an approver decides about",
            [*see_release, site.evidence()],
            {**release, **docs},
        ),
        verify=add(
            "Verify", "verify", "Compares what will be executed with what was approved", see_release, release
        ),
        docs=add("Docs", "docs", "Publishes the docs of the environments", site.publish(), docs),
        preview=add("Preview", "docs", "Publishes the docs of a branch", site.preview(), docs),
        removal=add("Removal", "remove", "Says which stack a branch has", see_branch, branch),
        unpublish=add(
            "Unpublish", "remove-preview", "Removes the docs of a gone branch", site.preview(), docs
        ),
        expiry=add("Expiry", "expire", "Proposes expired branch stacks for removal", see_branch, branch),
    )
    allow_reports(template, "Build", build, coverage=True)
    allow_reports(template, "Evidence", builds.evidence)
    return builds


def _look_around(sid: str, target: Target) -> Permission:
    """Let a build see a target account without changing anything there."""
    return Permission(
        sid,
        "Takes on the role that looks around and changes nothing.",
        [sts.AssumeRole],
        [target.inspection_role],
    )
