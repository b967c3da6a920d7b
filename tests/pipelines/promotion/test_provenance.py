"""Provenance: what is signed is what is believed, byte for byte."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.build import provenance
from pipelines.build.provenance import NotGenuine, Origin
from pipelines.build.wheels import Wheel
from pipelines.cli.main import main
from pipelines.core.refusals import Refused

if TYPE_CHECKING:
    from pathlib import Path

_KEY = "arn:aws:kms:eu-central-1:444444444444:key/1"
_ORIGIN = Origin(
    "GitHub", "example/payment-system", "c" * 40, "1" * 64, "2" * 64, "releases", "run", "arn:x:build/P:7"
)
_SUBJECTS = {"packages/data_api.zip": hashlib.sha256(b"zip").hexdigest()}


class Kms:
    """A key on P-256 that signs and verifies digests as KMS does."""

    def __init__(self) -> None:
        self._private = ec.generate_private_key(ec.SECP256R1())
        self._kind = ec.ECDSA(utils.Prehashed(hashes.SHA256()))

    def sign(self, **request: Any) -> dict[str, bytes]:
        assert (request["MessageType"], request["SigningAlgorithm"]) == ("DIGEST", "ECDSA_SHA_256")
        return {"Signature": self._private.sign(request["Message"], self._kind)}

    def verify(self, **request: Any) -> None:
        try:
            self._private.public_key().verify(request["Signature"], request["Message"], self._kind)
        except InvalidSignature as error:
            refusal = {"Error": {"Code": "KMSInvalidSignatureException", "Message": ""}}
            raise ClientError(refusal, "Verify") from error  # type: ignore[arg-type]  # as far as it is read

    def get_public_key(self, **_: Any) -> dict[str, bytes]:
        der = serialization.Encoding.DER
        public = self._private.public_key()
        return {"PublicKey": public.public_bytes(der, serialization.PublicFormat.SubjectPublicKeyInfo)}


def _tools(kms: Kms) -> Any:
    return SimpleNamespace(client=lambda _: kms)


_KMS = Kms()
_STATED = provenance.statement(_SUBJECTS, _ORIGIN, [Wheel("urllib3", "2.8.0", "urllib3.whl", "3" * 64)])
_ENVELOPE = provenance.sign(_tools(_KMS), _KEY, _STATED)
_PEM = provenance.public_key(_tools(_KMS), _KEY).encode()


def test_the_statement_has_the_form_of_in_toto_and_slsa() -> None:
    # Source: in-toto Statement v1, SLSA Provenance v1, fields that are required
    wheel = Wheel("urllib3", "2.8.0", "urllib3.whl", "3" * 64)
    assert provenance.statement(_SUBJECTS, _ORIGIN, [wheel]) == _STATED
    assert _STATED["_type"] == "https://in-toto.io/Statement/v1"
    assert _STATED["predicateType"] == "https://slsa.dev/provenance/v1"
    assert _STATED["subject"] == [
        {"name": "packages/data_api.zip", "digest": {"sha256": _SUBJECTS["packages/data_api.zip"]}}
    ]
    definition, run = (_STATED["predicate"][part] for part in ("buildDefinition", "runDetails"))
    assert definition["buildType"].startswith("https://")
    assert definition["externalParameters"]["commit"] == "c" * 40
    digests = {one["uri"]: one["digest"] for one in definition["resolvedDependencies"]}
    assert digests["file:uv.lock"] == {"sha256": "2" * 64}
    assert digests["pkg:pypi/urllib3@2.8.0"] == {"sha256": "3" * 64}
    assert digests[f"git+https://github.com/example/payment-system@{'c' * 40}"] == {"gitCommit": "c" * 40}
    assert (run["builder"]["id"], run["metadata"]["invocationId"]) == ("arn:x:build/P", "arn:x:build/P:7")


@pytest.mark.parametrize(
    ("provider", "source", "build_type"),
    [
        ("GitHub", "git+https://github.com/o/n", f"https://github.com/o/n/blob/{'c' * 40}/"),
        ("GitLab", "git+https://gitlab.com/o/n", f"https://gitlab.com/o/n/-/blob/{'c' * 40}/"),
        ("Own", "urn:codeconnections:Own:o/n", f"urn:codeconnections:Own:o/n:{'c' * 40}:"),
    ],
)
def test_source_and_build_type_are_addresses_where_the_providers_is_known(
    provider: str, source: str, build_type: str
) -> None:
    origin = replace(_ORIGIN, provider=provider, repository="o/n")
    assert origin.source == source
    assert origin.build_type.startswith(build_type)


def test_what_was_signed_verifies_with_kms_and_offline() -> None:
    assert provenance.verify(_tools(_KMS), _KEY, _ENVELOPE) == _STATED
    assert provenance.verify_offline(_PEM, _ENVELOPE) == _STATED


def test_another_key_verifies_nothing() -> None:
    other = Kms()
    with pytest.raises(NotGenuine, match="did not sign"):
        provenance.verify(_tools(other), _KEY, _ENVELOPE)
    with pytest.raises(NotGenuine, match="did not sign"):
        provenance.verify_offline(provenance.public_key(_tools(other), _KEY).encode(), _ENVELOPE)


@settings(max_examples=150, deadline=None)
@given(position=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255), part=st.sampled_from("ps"))
def test_any_changed_byte_of_a_statement_or_its_signature_is_found(
    position: float, flip: int, part: str
) -> None:
    # Given the signed bytes, of the statement or of the signature
    text = _ENVELOPE["payload"] if part == "p" else _ENVELOPE["signatures"][0]["sig"]
    content = bytearray(base64.b64decode(text))
    # When one of them is another
    content[int(position * len(content))] ^= flip
    changed = base64.b64encode(bytes(content)).decode()
    envelope = (
        _ENVELOPE | {"payload": changed}
        if part == "p"
        else _ENVELOPE | {"signatures": [{"keyid": _KEY, "sig": changed}]}
    )
    # Then neither check believes it
    with pytest.raises(NotGenuine):
        provenance.verify(_tools(_KMS), _KEY, envelope)
    with pytest.raises(NotGenuine):
        provenance.verify_offline(_PEM, envelope)


@pytest.mark.parametrize(
    "envelope",
    [
        {},
        _ENVELOPE | {"payloadType": "text/plain"},
        _ENVELOPE | {"payload": base64.b64encode(b'{"_type": "other", "predicateType": "x"}').decode()},
        _ENVELOPE | {"payload": "not base64"},
        _ENVELOPE | {"signatures": []},
        _ENVELOPE | {"signatures": [{"keyid": _KEY, "sig": _ENVELOPE["signatures"][0]["sig"] + "!"}]},
        _ENVELOPE | {"signatures": [*_ENVELOPE["signatures"], *_ENVELOPE["signatures"]]},
    ],
)
def test_what_is_no_signed_provenance_is_refused(envelope: dict[str, Any]) -> None:
    with pytest.raises(NotGenuine):
        provenance.verify_offline(_PEM, envelope)


def test_a_key_of_another_kind_is_refused() -> None:
    with pytest.raises(Refused, match="no public key in PEM"):
        provenance.verify_offline(b"none", _ENVELOPE)
    other = rsa.generate_private_key(65537, 2048).public_key()
    pem = other.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(Refused, match="elliptic curve"):
        provenance.verify_offline(pem, _ENVELOPE)


@pytest.fixture
def downloaded(tmp_path: Path) -> Path:
    """A folder with an envelope, the public key, and the file that was signed."""
    (tmp_path / "provenance.json").write_text(json.dumps(_ENVELOPE))
    (tmp_path / "release.pem").write_bytes(_PEM)
    (tmp_path / "dist" / "packages").mkdir(parents=True)
    (tmp_path / "dist" / "packages" / "data_api.zip").write_bytes(b"zip")
    return tmp_path


def _verify(folder: Path) -> Any:
    key, files = str(folder / "release.pem"), str(folder / "dist")
    arguments = [
        "provenance",
        "verify",
        str(folder / "provenance.json"),
        "--public-key",
        key,
        "--files",
        files,
    ]
    return CliRunner().invoke(main, arguments)


def test_a_download_is_verified_without_aws(downloaded: Path) -> None:
    result = _verify(downloaded)
    assert result.exit_code == 0, result.output
    assert f"{_SUBJECTS['packages/data_api.zip']}  packages/data_api.zip" in result.output


def test_a_file_that_was_not_signed_is_named(downloaded: Path) -> None:
    (downloaded / "dist" / "packages" / "data_api.zip").write_bytes(b"zap")
    result = _verify(downloaded)
    assert result.exit_code == 1
    assert "packages/data_api.zip is" in result.output
