"""The docs site as the pipelines see it: a bucket to write to, and an address to link to.

Who may write what follows from whose code a build runs: a branch's build runs the branch's, so it can write
previews and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from awacs import s3
from troposphere import Parameter, Ref, Sub

from pipelines.core import docs_folders
from templates.capabilities.docs_distribution import NOT_FOUND_PAGE
from templates.capabilities.permissions import Permission

if TYPE_CHECKING:
    from troposphere import Template

_BUCKET = "arn:${AWS::Partition}:s3:::${Bucket}"


@dataclass(frozen=True, slots=True)
class DocsSite:
    """The docs stack's bucket and address; evidence pages live there too."""

    bucket: Ref
    url: Ref

    def publish(self) -> list[Permission]:
        """Return what publishing an environment's docs needs."""
        folders = [f"{name}/*" for name in docs_folders.ENVIRONMENTS]
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
                docs_folders.VERSIONS,
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
                f"{docs_folders.BRANCHES}*",
            ),
            self._list(),
        ]

    def evidence(self) -> Permission:
        """Return what publishing the evidence of a release needs."""
        return self._may(
            "Evidence",
            "Writes evidence pages; none is ever removed.",
            [s3.PutObject],
            f"{docs_folders.EVIDENCE}*",
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


def add_docs_site(template: Template) -> DocsSite:
    """Add the parameters that name them."""
    bucket = Parameter("DocsBucket", Type="String", Description="The docs stack's bucket")
    url = Parameter(
        "DocsUrl", Type="String", Description="The docs site's address", AllowedPattern=r"^https?://.*[^/]$"
    )
    template.add_parameter(bucket)
    template.add_parameter(url)
    return DocsSite(Ref(bucket), Ref(url))
