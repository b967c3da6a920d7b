"""The docs sites as the pipelines see them: a bucket to write to, and an address to link to.

Branches have a site of their own, with an origin of its own: a preview is whatever a branch's build wrote,
scripts included, and must not read or change what an approver sees.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from awacs import s3
from troposphere import Parameter, Ref, Sub

from templates.capabilities import docs_distribution
from templates.capabilities.docs_distribution import NOT_FOUND_PAGE
from templates.capabilities.permissions import Permission

if TYPE_CHECKING:
    from troposphere import AWSHelperFn, Template

_BUCKET = "arn:${AWS::Partition}:s3:::${Bucket}"


@dataclass(frozen=True, slots=True)
class DocsSite:
    """A docs stack's bucket and address."""

    bucket: Ref
    url: Ref

    def variables(self) -> dict[str, AWSHelperFn]:
        """Return the variables that name the site to a build: values by name."""
        return {"DOCS_BUCKET": self.bucket, "DOCS_URL": self.url}

    def publish(self) -> list[Permission]:
        """Return what publishing an environment's docs needs."""
        folders = [f"{name}/*" for name in docs_distribution.FOLDERS]
        return [
            self._may(
                "Pages",
                "Writes the docs of the environments and removes pages that are gone.",
                [s3.PutObject, s3.DeleteObject],
                *folders,
            ),
            self._may(
                "Entrance",
                "Writes the pages at the root, and the list of versions.",
                [s3.PutObject],
                "index.html",
                NOT_FOUND_PAGE,
                docs_distribution.VERSIONS,
            ),
            self._list(),
        ]

    def preview(self) -> list[Permission]:
        """Return what publishing or removing a branch's preview needs."""
        return [
            self._may(
                "Previews",
                "Writes branches' previews and removes those that are gone.",
                [s3.PutObject, s3.DeleteObject],
                f"{docs_distribution.BRANCHES}*",
            ),
            self._list(),
        ]

    def evidence(self) -> Permission:
        """Return what publishing the evidence of a release needs, and completing it."""
        return self._may(
            "Evidence",
            "Writes evidence pages, completes them, reads the last release's figures; none is ever removed.",
            [s3.PutObject, s3.GetObject],
            f"{docs_distribution.EVIDENCE}*",
        )

    def _list(self) -> Permission:
        return Permission(
            "Contents",
            "Sees which pages there are, to find those that are gone.",
            [s3.ListBucket],
            [Sub(_BUCKET, Bucket=self.bucket)],
        )

    def _may(self, sid: str, why: str, actions: list[s3.Action], *keys: str) -> Permission:
        return Permission(sid, why, actions, [Sub(f"{_BUCKET}/{key}", Bucket=self.bucket) for key in keys])


@dataclass(frozen=True, slots=True)
class DocsSites:
    """The two sites: one that releases write, with the evidence, and one that branches write."""

    docs: DocsSite
    previews: DocsSite


def add_docs_sites(template: Template) -> DocsSites:
    """Add the parameters that name the sites."""
    return DocsSites(_add(template, "Docs", "docs"), _add(template, "Previews", "previews"))


def _add(template: Template, name: str, what: str) -> DocsSite:
    bucket = Parameter(f"{name}Bucket", Type="String", Description=f"The {what} stack's bucket")
    url = Parameter(
        f"{name}Url",
        Type="String",
        Description=f"The address of the {what} site",
        AllowedPattern=r"^https?://.*[^/]$",
    )
    template.add_parameter(bucket)
    template.add_parameter(url)
    return DocsSite(Ref(bucket), Ref(url))
