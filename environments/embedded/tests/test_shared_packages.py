"""Lambda packages: kept once, however many functions and versions have the same one."""

import pytest
from ministack.services import lambda_svc

from embedded_aws.lambda_ import functions


def test_the_same_package_is_kept_once(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given two functions and a version with packages of equal bytes, and one with another
    def record(content: str) -> dict[str, object]:
        return {"code_zip": content.encode() * 1000, "config": {"CodeSha256": content}, "versions": {}}

    first, second, other = record("same"), record("same"), record("other")
    second["versions"] = {"1": (version := record("same"))}
    store = type(lambda_svc._functions)()
    monkeypatch.setattr(lambda_svc, "_functions", store)
    store["first"], store["second"], store["other"] = first, second, other
    # When
    functions.share_code()
    # Then
    assert first["code_zip"] is second["code_zip"] is version["code_zip"]
    assert other["code_zip"] == b"other" * 1000
