"""The artifact bucket is emptied: what runs goes on, and a build fills the bucket with the same bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipelines.deploy import artifacts

if TYPE_CHECKING:
    from tests.drills.drill import Scene

_PAGE: Final = "disaster-recovery.md"
_SECTION: Final = "The artifact bucket is emptied"


def test_artifacts_emptied(scene: Scene) -> None:
    system = scene.system
    s3, bucket = system.stack.aws.s3, artifacts.bucket(system.stack.aws)

    def held() -> dict[str, str]:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="lambdas/")
        return {one["Key"]: one["ETag"] for page in pages for one in page.get("Contents", [])}

    def empty() -> None:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for one in page.get("Contents", []):
                s3.delete_object(Bucket=bucket, Key=one["Key"])

    before = held()
    assert before
    # Given customers who buy
    system.traffic.prepare(20)
    with system.traffic.flowing(per_second=1):
        # When the bucket is emptied; Then nothing rings, since nothing that runs reads it
        scene.breaks("every object of the artifact bucket is deleted", empty)
        assert scene.follow(_PAGE, _SECTION, only=0).strip() == "0"
        scene.rings_nothing()
        # And a build puts the same bytes back
        scene.follow(_PAGE, _SECTION, only=1)
    assert held() == before
    # Then the system is well
    scene.well()
