"""The CodeBuild projects of the promotion, by zone, and what each may see and do."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from awacs import sts

from pipelines.definitions import roles
from pipelines.definitions.artifacts import BUILT, NAMED, PACKAGES, PROVEN, RECORDED, REVIEWED
from pipelines.definitions.images import IMAGE_REPOSITORY
from pipelines.definitions.packages import PACKAGE_BUCKET, only_written_by
from pipelines.definitions.projects import X86, Project, add_project, allow_reports
from pipelines.definitions.storage import PROVENANCE_KEY, add_signing_key, signing_key
from templates.capabilities.permissions import Permission

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from troposphere import AWSHelperFn, Template

    from pipelines.definitions.docs_access import DocsSite, DocsSites
    from pipelines.definitions.images import Repository
    from pipelines.definitions.packages import Library
    from pipelines.definitions.roles import Target, Targets
    from pipelines.definitions.zones import Zone

_BUILDSPECS = "pipelines/definitions/buildspecs"
_BUILD = "Lints, tests, synthesizes, packages and writes the docs"


@dataclass(frozen=True, slots=True)
class ReleaseBuilds:
    """The CodeBuild projects that run the release branch's code."""

    build: Project
    money_path: Project
    publish: Project
    evidence: Project
    verify: Project
    docs: Project
    removal: Project
    unpublish: Project
    expiry: Project


@dataclass(frozen=True, slots=True)
class BranchBuilds:
    """The CodeBuild projects that run a branch's code."""

    build: Project
    money_path: Project
    name: Project
    preview: Project


def add_release_builds(
    template: Template,
    zone: Zone,
    targets: Targets,
    library: Library,
    sites: DocsSites,
    *,
    image: Repository | None,
) -> ReleaseBuilds:
    """Add the release zone's projects, and the key that `Publish` alone signs provenance with.

    Args:
        template: Where they go.
        zone: What they read and write.
        targets: The accounts that they look at.
        library: Where the shared library is published.
        sites: The docs of the environments with the evidence, and those of branches, which go with them.
        image: Where the functions' image goes, where there is one to build.
    """
    add = partial(_add_small, template, zone)
    inspect = {
        "PROD_INSPECTION_ROLE": targets.prod.inspection_role,
        "STAGING_INSPECTION_ROLE": targets.staging.inspection_role,
    }
    inspect_branch = {"BRANCH_INSPECTION_ROLE": targets.branch.inspection_role}
    may_inspect = [_inspect("SeeStaging", targets.staging), _inspect("SeeProd", targets.prod)]
    may_inspect_branch = [_inspect("SeeBranch", targets.branch)]
    store, key = zone.packages, signing_key()
    signed = {PACKAGE_BUCKET: store.bucket, PROVENANCE_KEY: key.arn}
    build, money_path = _add_build(template, zone), _add_money_path(template, zone, makes=PROVEN)
    publish = add(
        "Publish",
        "publish",
        "Publishes the library, packages the functions against it, and signs what it made",
        may=[*library.permissions(), *store.write(), *may_inspect],
        variables={
            "LIBRARY_DOMAIN": library.domain,
            "LIBRARY_REPOSITORY": library.repository,
            **inspect,
            **signed,
        },
        image=image,
        makes=PACKAGES,
    )
    evidence = add(
        "Evidence",
        "evidence",
        "Writes down what an approver decides about",
        may=[*may_inspect, sites.docs.evidence(), key.verify()],
        variables={**inspect, **sites.docs.variables(), PROVENANCE_KEY: key.arn},
        # Of both reviews: the second is made where production moved since the first.
        makes=f"{REVIEWED}*",
    )
    allow_reports(template, "Evidence", evidence)
    verify = add(
        "Verify",
        "verify",
        "Compares what was signed, what staging ran, what was approved, and what production runs",
        may=[*may_inspect, *store.read(), sites.docs.evidence(), key.verify()],
        variables={**inspect, **signed, **sites.docs.variables()},
        makes=RECORDED,
    )
    docs = add(
        "Docs",
        "docs",
        "Publishes the docs of the environments",
        may=sites.docs.publish(),
        variables=sites.docs.variables(),
    )
    removal = add(
        "Removal",
        "remove",
        "Says which stack a branch has",
        may=may_inspect_branch,
        variables=inspect_branch,
    )
    unpublish = add(
        "Unpublish",
        "remove-preview",
        "Removes the docs of a gone branch",
        may=sites.previews.preview(),
        variables=sites.previews.variables(),
    )
    expiry = add(
        "Expiry",
        "expire",
        "Proposes expired branch stacks for removal",
        may=may_inspect_branch,
        variables=inspect_branch,
    )
    add_signing_key(template, publish.role)
    roles.allow_later(template, "PublishProvenance", publish.role, [key.sign()])
    only_written_by(template, store, publish.role)
    return ReleaseBuilds(build, money_path, publish, evidence, verify, docs, removal, unpublish, expiry)


def add_branch_builds(
    template: Template, zone: Zone, targets: Targets, previews: DocsSite, *, image: Repository | None
) -> BranchBuilds:
    """Add the branch zone's projects.

    Args:
        template: Where they go.
        zone: What they read and write.
        targets: The accounts; they look at the branches' alone.
        previews: The docs of branches.
        image: Where the functions' image goes, where there is one to build.
    """
    add = partial(_add_small, template, zone)
    name = add(
        "Name",
        "name",
        "Names the branch's stack, and uploads its packages",
        may=[_inspect("SeeBranch", targets.branch), *zone.packages.write()],
        variables={
            "BRANCH_INSPECTION_ROLE": targets.branch.inspection_role,
            PACKAGE_BUCKET: zone.packages.bucket,
        },
        image=image,
        makes=NAMED,
    )
    only_written_by(template, zone.packages, name.role)
    preview = add(
        "Preview",
        "docs",
        "Publishes the docs of a branch",
        may=previews.preview(),
        variables=previews.variables(),
    )
    build, money_path = _add_build(template, zone), _add_money_path(template, zone)
    return BranchBuilds(build, money_path, name, preview)


def _add_build(template: Template, zone: Zone) -> Project:
    """Add the zone's project that checks and builds a commit; each zone keeps its own record of checks."""
    build = add_project(
        template,
        zone.named("Build"),
        zone,
        buildspec="buildspec.yml",
        purpose=_BUILD,
        large=True,
        makes=BUILT,
    )
    allow_reports(template, zone.named("Build"), build, coverage=True)
    return build


def _add_money_path(template: Template, zone: Zone, makes: str | None = None) -> Project:
    """Add the zone's project that proves the money path, beside `Build` and with a MongoDB server.

    What it makes is for an approver, and so of releases alone.
    """
    name = zone.named("MoneyPath")
    money_path = add_project(
        template,
        name,
        zone,
        buildspec=f"{_BUILDSPECS}/money-path.yml",
        purpose="Proves the money path with a real MongoDB: every single fault, every mutant",
        large=True,
        makes=makes,
        platform=X86,
    )
    allow_reports(template, name, money_path)
    return money_path


def _add_small(
    template: Template,
    zone: Zone,
    name: str,
    buildspec: str,
    purpose: str,
    *,
    may: Sequence[Permission],
    variables: Mapping[str, AWSHelperFn],
    image: Repository | None = None,
    makes: str | None = None,
) -> Project:
    repository = {} if image is None else {IMAGE_REPOSITORY: image.uri}
    return add_project(
        template,
        name,
        zone,
        buildspec=f"{_BUILDSPECS}/{buildspec}.yml",
        purpose=purpose,
        permissions=[*may, *([] if image is None else image.push())],
        variables={**variables, **repository},
        docker=image is not None,
        makes=makes,
    )


def _inspect(sid: str, target: Target) -> Permission:
    """Return what a build needs to read a target account without changing anything there."""
    return Permission(
        sid,
        "Takes on the role that reads and changes nothing.",
        [sts.AssumeRole],
        [target.inspection_role],
    )
