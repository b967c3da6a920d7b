"""The provenance of a release: an in-toto statement with SLSA's predicate, in a signed DSSE envelope.

It names the commit, the builder, what went in and the digest of everything that a release deploys. Publish
signs it with a key that its role alone may use; whoever has the public key verifies it, with or without AWS.

Source: in-toto Attestation Framework v1 (Statement), SLSA v1.0 (Provenance), DSSE v1 (Envelope).
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pipelines.core.refusals import Refused
from pipelines.definitions.storage import SIGNING_ALGORITHM

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pipelines.aws.accounts import Aws
    from pipelines.build.wheels import Wheel

Json = dict[str, Any]
FILE: Final = "provenance.json"
_BUILD_TYPE: Final = "docs/how-it-works/supply-chain.md#build-type"
"""Where the source says what a statement's parameters mean; SLSA wants a URI that leads to such a page."""
_FILES_AT: Final = {
    "GitHub": ("https://github.com", "blob"),
    "GitLab": ("https://gitlab.com", "-/blob"),
    "Bitbucket": ("https://bitbucket.org", "src"),
}
"""Each provider's address, and what is between a repository's and a commit's in the address of a file."""
_STATEMENT: Final = "https://in-toto.io/Statement/v1"
_PREDICATE: Final = "https://slsa.dev/provenance/v1"
_PAYLOAD: Final = "application/vnd.in-toto+json"
_DIGEST_SIGNED: Final = {"MessageType": "DIGEST", "SigningAlgorithm": SIGNING_ALGORITHM}


class NotGenuine(Refused):
    """A statement is not signed by the release pipeline, or is not about these files."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a release comes from.

    Attributes:
        provider: Who hosts the source (CodeConnections API reference, ProviderType).
        repository: The source repository, `owner/name`.
        commit: The commit's SHA.
        source_sha256: The digest of the checkout's files.
        lock_sha256: The digest of `uv.lock`.
        pipeline: The release pipeline.
        execution: Its execution.
        build: The ARN of the build that made the packages, the builder's own id is its project.
    """

    provider: str
    repository: str
    commit: str
    source_sha256: str
    lock_sha256: str
    pipeline: str
    execution: str
    build: str

    @property
    def source(self) -> str:
        """The URI of the source; where we do not know its server's name, a URN of provider and repository."""
        if self.provider not in _FILES_AT:
            return f"urn:codeconnections:{self.provider}:{self.repository}"
        return f"git+{_FILES_AT[self.provider][0]}/{self.repository}"

    @property
    def build_type(self) -> str:
        """The URI of the page, in the very commit, that says what the parameters of a statement mean."""
        if self.provider not in _FILES_AT:
            return f"{self.source}:{self.commit}:{_BUILD_TYPE}"
        server, blob = _FILES_AT[self.provider]
        return f"{server}/{self.repository}/{blob}/{self.commit}/{_BUILD_TYPE}"


def statement(subjects: Mapping[str, str], origin: Origin, wheels: Sequence[Wheel]) -> Json:
    """Return the statement about files, by name with their SHA-256 in hexadecimal."""
    source = origin.source
    dependencies = [
        {"uri": f"{source}@{origin.commit}", "digest": {"gitCommit": origin.commit}},
        {"uri": "file:.", "digest": {"sha256": origin.source_sha256}},
        {"uri": "file:uv.lock", "digest": {"sha256": origin.lock_sha256}},
        *(
            {"uri": f"pkg:pypi/{wheel.name}@{wheel.version}", "digest": {"sha256": wheel.sha256}}
            for wheel in sorted(set(wheels), key=lambda wheel: wheel.file)
        ),
    ]
    return {
        "_type": _STATEMENT,
        "subject": [{"name": name, "digest": {"sha256": subjects[name]}} for name in sorted(subjects)],
        "predicateType": _PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": origin.build_type,
                "externalParameters": {"source": source, "commit": origin.commit},
                "internalParameters": {"pipeline": origin.pipeline, "execution": origin.execution},
                "resolvedDependencies": dependencies,
            },
            "runDetails": {
                "builder": {"id": origin.build.rpartition(":")[0] or origin.build},
                "metadata": {"invocationId": origin.build},
            },
        },
    }


def subjects_of(envelope: Json) -> dict[str, str]:
    """Return the SHA-256 of each file of an envelope's statement, by name; the signature is not checked.

    Raises:
        NotGenuine: It holds no such statement.
    """
    stated = payload(envelope)
    return {subject["name"]: subject["digest"]["sha256"] for subject in stated["subject"]}


def payload(envelope: Json) -> Json:
    """Return an envelope's statement, {_type, subject, predicateType, predicate}; no signature is checked.

    Raises:
        NotGenuine: It holds none of this kind.
    """
    try:
        stated: Json = json.loads(base64.b64decode(envelope["payload"], validate=True))
        kinds = (envelope["payloadType"], stated["_type"], stated["predicateType"])
    except (KeyError, TypeError, ValueError) as error:
        raise NotGenuine(f"This is no provenance in an envelope: {error!r}") from error
    if kinds != (_PAYLOAD, _STATEMENT, _PREDICATE):
        raise NotGenuine(f"This is no SLSA provenance: {', '.join(map(str, kinds))}")
    return stated


def sign(tools: Aws, key: str, stated: Json) -> Json:
    """Sign a statement with a KMS key; return the envelope {payload, payloadType, signatures}."""
    body = json.dumps(stated, sort_keys=True, separators=(",", ":")).encode()
    signature = tools.client("kms").sign(KeyId=key, Message=_digest(body), **_DIGEST_SIGNED)["Signature"]
    signatures = [{"keyid": key, "sig": base64.b64encode(signature).decode()}]
    return {"payload": base64.b64encode(body).decode(), "payloadType": _PAYLOAD, "signatures": signatures}


def verify(tools: Aws, key: str, envelope: Json) -> Json:
    """Return the statement of an envelope after KMS checked its signature.

    Raises:
        NotGenuine: The key did not sign it.
    """
    stated = payload(envelope)
    body, signature = _signed(envelope)
    try:
        tools.client("kms").verify(KeyId=key, Message=_digest(body), Signature=signature, **_DIGEST_SIGNED)
    except ClientError as error:
        if error.response["Error"]["Code"] != "KMSInvalidSignatureException":
            raise
        raise NotGenuine("The release pipeline's key did not sign this statement.") from error
    return stated


def verify_offline(public_key: bytes, envelope: Json) -> Json:
    """Return the statement of an envelope after checking its signature with a public key in PEM.

    Raises:
        NotGenuine: The key did not sign it.
        Refused: It is no public key of the kind that signs releases.
    """
    try:
        key = serialization.load_pem_public_key(public_key)
    except ValueError as error:
        raise Refused(f"This is no public key in PEM: {error}") from error
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise Refused("The key that signs releases is on an elliptic curve, and this one is not.")
    stated = payload(envelope)
    body, signature = _signed(envelope)
    try:
        key.verify(signature, _pre_authentication_encoding(body), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise NotGenuine("This key did not sign this statement.") from error
    return stated


def public_key(tools: Aws, key: str) -> str:
    """Return the public half of a KMS key in PEM."""
    encoded = tools.client("kms").get_public_key(KeyId=key)["PublicKey"]
    loaded = serialization.load_der_public_key(encoded)
    pem = serialization.Encoding.PEM
    return loaded.public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def read(path: Path) -> Json:
    """Return the envelope {payload, payloadType, signatures} in a file.

    Raises:
        NotGenuine: There is none.
    """
    try:
        envelope: Json = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise NotGenuine(f"{path.name} holds no provenance: {error}") from error
    return envelope


def differences(subjects: Mapping[str, str], folder: Path, names: Mapping[str, str]) -> list[str]:
    """Return each file that is not what a statement says, in words.

    Args:
        subjects: The digests of the statement.
        folder: Where the files are.
        names: Paths below the folder by the subject that each is.
    """
    wrong = []
    for subject, path in sorted(names.items()):
        file = folder / path
        digest = hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else "missing"
        if digest != subjects.get(subject):
            wrong.append(f"{subject} is {digest}, and {subjects.get(subject, 'nothing')} was signed")
    return wrong


def _signed(envelope: Json) -> tuple[bytes, bytes]:
    try:
        (signature,) = envelope["signatures"]
        return base64.b64decode(envelope["payload"]), base64.b64decode(signature["sig"], validate=True)
    except (KeyError, TypeError, ValueError) as error:
        raise NotGenuine(f"The envelope does not hold one signature: {error!r}") from error


def _pre_authentication_encoding(body: bytes) -> bytes:
    """Return what is signed (DSSE v1, PAE): the payload with its type, each after its length."""
    kind = _PAYLOAD.encode()
    return b" ".join([b"DSSEv1", str(len(kind)).encode(), kind, str(len(body)).encode(), body])


def _digest(body: bytes) -> bytes:
    return hashlib.sha256(_pre_authentication_encoding(body)).digest()
