"""Asymmetric keys of KMS: what they sign, anybody can verify with the public key alone."""

import base64
import hashlib

import pytest
from botocore.exceptions import ClientError
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from embedded_workbench import Aws


def test_a_signature_is_verified_here_and_offline(aws: Aws) -> None:
    # https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html
    # Given a key of the kind that a stack makes for statements
    kms = aws("kms")
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    message = b"what was approved"
    # When it signs
    signed = kms.sign(KeyId=key, Message=message, MessageType="RAW", SigningAlgorithm="ECDSA_SHA_256")
    # Then KMS takes the signature for this message, and for no other
    asked = {"KeyId": key, "Signature": signed["Signature"], "SigningAlgorithm": "ECDSA_SHA_256"}
    digest = hashlib.sha256(message).digest()
    assert kms.verify(**asked, Message=digest, MessageType="DIGEST")["SignatureValid"]
    with pytest.raises(ClientError, match="KMSInvalidSignatureException"):
        kms.verify(**asked, Message=b"another", MessageType="RAW")
    # And so does everybody who has the public key
    public = kms.get_public_key(KeyId=key)
    assert public["SigningAlgorithms"] == ["ECDSA_SHA_256"]
    loaded = serialization.load_der_public_key(public["PublicKey"])
    assert isinstance(loaded, ec.EllipticCurvePublicKey)
    loaded.verify(signed["Signature"], message, ec.ECDSA(hashes.SHA256()))
    with pytest.raises(InvalidSignature):
        loaded.verify(signed["Signature"], b"another", ec.ECDSA(hashes.SHA256()))


def test_an_object_is_stored_under_a_checksum_and_a_version(aws: Aws) -> None:
    # Given a versioned bucket
    s3, place = aws("s3"), {"LocationConstraint": "eu-central-1"}
    s3.create_bucket(Bucket="versioned-packages", CreateBucketConfiguration=place)
    s3.put_bucket_versioning(Bucket="versioned-packages", VersioningConfiguration={"Status": "Enabled"})
    asked = {"Bucket": "versioned-packages", "Key": "package"}
    # When two versions are put
    first = s3.put_object(**asked, Body=b"one", ChecksumAlgorithm="SHA256")
    second = s3.put_object(**asked, Body=b"two", ChecksumAlgorithm="SHA256")
    # Then each is read by its version, with its checksum
    for stored, body in ((first, b"one"), (second, b"two")):
        read = s3.get_object(**asked, VersionId=stored["VersionId"], ChecksumMode="ENABLED")
        assert read["Body"].read() == body
        assert read["ChecksumSHA256"] == base64.b64encode(hashlib.sha256(body).digest()).decode()
    # And what does not match its checksum is refused
    wrong = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    with pytest.raises(ClientError, match="BadDigest"):
        s3.put_object(**asked, Body=b"three", ChecksumSHA256=wrong)
