"""S3 as a source: an object of a bucket, which is a zip.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3.html
Changes of the object are not noticed here: start the pipeline.

S3: puts the input artifact into a bucket, whole or unpacked.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3Deploy.html
"""

import json
import mimetypes
from pathlib import Path
from typing import Any

from embedded_aws.codepipeline.actions.action import Action, ActionFailed, Outcome
from embedded_aws.core import api


def fetch_object(action: Action) -> Outcome:
    """Copy the object into the artifact store."""
    place = {"Bucket": action.configuration["S3Bucket"], "Key": action.configuration["S3ObjectKey"]}
    stored = action.call("s3", "get_object", **place)
    action.folder.mkdir(parents=True, exist_ok=True)
    archive = action.folder / "source.zip"
    archive.write_bytes(stored["Body"].read())
    artifact = action.declaration["outputArtifacts"][0]["name"]
    action.put_output_archive(archive, artifact)
    revision = stored.get("VersionId") or stored["ETag"].strip('"')
    summary = {"ProviderType": "S3", "ETag": stored["ETag"]}
    return Outcome(
        variables={
            "BucketName": place["Bucket"],
            "ETag": stored["ETag"].strip('"'),
            "ObjectKey": place["Key"],
            "VersionId": stored.get("VersionId") or "null",
        },
        summary=f"Amazon S3 version id: {revision}",
        revision={
            "actionName": action.declaration["name"],
            "name": artifact,
            "revisionId": revision,
            "revisionSummary": json.dumps(summary),
            "revisionUrl": f"https://console.aws.amazon.com/s3/object/{place['Bucket']}?prefix={place['Key']}",
            "created": api.now(),
        },
    )


def put_artifact(action: Action) -> Outcome:
    """Deploy; ObjectKey is the object's name, or the folder to unpack into.

    Raises:
        ActionFailed: A file that is not to be unpacked has no key to be put at.
    """
    settings = action.configuration
    if settings["Extract"] == "true":
        folder = action.input_folder()
        prefix = settings.get("ObjectKey", "").strip("/")
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            name = file.relative_to(folder).as_posix()
            _put(action, f"{prefix}/{name}" if prefix else name, file)
        return Outcome()
    if not settings.get("ObjectKey"):
        raise ActionFailed("ObjectKey is required when Extract is false", "InvalidConfiguration")
    name = action.declaration["inputArtifacts"][0]["name"]
    archive = action.store.fetch(action.input_location(name), action.folder / "artifact.zip")
    _put(action, settings["ObjectKey"], archive)
    return Outcome()


def _put(action: Action, key: str, file: Path) -> None:
    settings = action.configuration
    more: dict[str, Any] = {"ContentType": mimetypes.guess_type(key)[0] or "application/octet-stream"}
    if settings.get("CacheControl"):
        more["CacheControl"] = settings["CacheControl"]
    if settings.get("CannedACL"):
        more["ACL"] = settings["CannedACL"]
    if settings.get("KMSEncryptionKeyARN"):
        more |= {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": settings["KMSEncryptionKeyARN"]}
    action.call("s3", "put_object", Bucket=settings["BucketName"], Key=key, Body=file.read_bytes(), **more)
