"""Artifacts: zips in the pipeline's S3 bucket, under its key, read and written by its role.

https://docs.aws.amazon.com/codepipeline/latest/userguide/welcome-introducing-artifacts.html
"""

import secrets
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import ClientError

from embedded_aws.codebuild import outputs
from embedded_aws.codepipeline.records import Location
from embedded_aws.core.api import Json
from embedded_aws.iam import role_sessions

_PIPELINE_LETTERS, _ARTIFACT_LETTERS, _RANDOM_BYTES = 20, 10, 5


class ArtifactUnavailable(Exception):  # noqa: N818 - it says what happened
    """An artifact cannot be read or written."""


@dataclass(frozen=True, slots=True)
class ArtifactStore:
    """One bucket."""

    bucket: str
    key_id: str | None
    session: role_sessions.RoleSession

    def put(self, pipeline: str, artifact: str, archive: Path, *, acl: str | None = None) -> Location:
        """Upload a zip; return its S3 location.

        Raises:
            ArtifactUnavailable: S3 refuses.
            NotAuthorized: an ACL is set, which the role may not; S3 asks for that permission, too.
        """
        location = self.location(pipeline, artifact)
        if acl:
            place = f"arn:aws:s3:::{location['bucket']}/{location['key']}"
            role_sessions.require_permission(self.session, "s3:PutObjectAcl", place)
        with archive.open("rb") as body:
            try:
                self.session.client("s3").put_object(
                    Bucket=self.bucket,
                    Key=location["key"],
                    Body=body,
                    **self.encryption(),
                    **({"ACL": acl} if acl else {}),
                )
            except ClientError as error:
                raise _unavailable(error, location) from None
        return location

    def location(self, pipeline: str, artifact: str) -> Location:
        """Choose a place for a new artifact."""
        name = secrets.token_hex(_RANDOM_BYTES)
        return {
            "bucket": self.bucket,
            "key": f"{pipeline[:_PIPELINE_LETTERS]}/{artifact[:_ARTIFACT_LETTERS]}/{name}",
        }

    def fetch(self, location: Location, target: Path) -> Path:
        """Download a zip.

        Raises:
            ArtifactUnavailable: It is not there, or may not be read.
        """
        try:
            stored = self.session.client("s3").get_object(Bucket=location["bucket"], Key=location["key"])
        except ClientError as error:
            raise _unavailable(error, location) from None
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(stored["Body"].read())
        return target

    def encryption(self) -> dict[str, str]:
        """Say how objects are encrypted."""
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.key_id} if self.key_id else {}

    @staticmethod
    def packed(files: dict[str, Path], archive: Path) -> Path:
        """Zip files."""
        archive.parent.mkdir(parents=True, exist_ok=True)
        outputs.pack(files, archive)
        return archive


def store_of(pipeline: Json, region: str, session: role_sessions.RoleSession) -> ArtifactStore:
    """Return the store of a pipeline for actions in a region.

    Raises:
        ArtifactUnavailable: The pipeline has no store in that region.
    """
    declared = pipeline.get("artifactStore") or pipeline.get("artifactStores", {}).get(region)
    if declared is None:
        raise ArtifactUnavailable(f"The pipeline has no artifact store in {region}.")
    key = (declared.get("encryptionKey") or {}).get("id")
    return ArtifactStore(declared["location"], key, session)


def _unavailable(error: ClientError, location: Location) -> ArtifactUnavailable:
    details = error.response["Error"]
    return ArtifactUnavailable(
        f"{details['Code']}: {details['Message']} (s3://{location['bucket']}/{location['key']})"
    )
