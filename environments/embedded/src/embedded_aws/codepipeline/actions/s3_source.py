"""S3 as a source: an object of a bucket, which is a zip.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-S3.html
Changes of the object are not noticed here: start the pipeline.
"""

import json

from embedded_aws.codepipeline.actions.action import Action, Outcome
from embedded_aws.core import clock


def perform(action: Action) -> Outcome:
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
            "created": clock.now(),
        },
    )
