"""Lambda packages: on disk and once, however many functions and versions have the same one."""

import copy
import io
import mmap
import threading
import zipfile
from pathlib import Path

import pytest
from embedded_workbench import zipped
from ministack.services import lambda_svc

from embedded_aws.core import runtime
from embedded_aws.core.runtime import Runtime, Store
from embedded_aws.lambda_ import functions


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an instance that has no functions yet."""
    own = Runtime(tmp_path, Store(tmp_path / "store.sqlite"), "http://127.0.0.1:1", threading.Event())
    monkeypatch.setattr(runtime, "_current", [own])
    monkeypatch.setattr(lambda_svc, "_functions", type(lambda_svc._functions)())
    return tmp_path


def test_the_same_package_is_kept_once_and_on_disk(folder: Path) -> None:
    # Given two functions and a version with packages of equal bytes, and one with another
    def record(content: str) -> dict[str, object]:
        return {"code_zip": zipped(content), "config": {}, "versions": {}}

    first, second, other = record("same"), record("same"), record("other")
    second["versions"] = {"1": (version := record("same"))}
    for name, function in (("first", first), ("second", second), ("other", other)):
        lambda_svc._functions[name] = function
    # When
    functions.keep_packages_on_disk()
    # Then no record holds bytes, and there are two files
    assert first["code_zip"] is second["code_zip"] is version["code_zip"]
    assert {type(each["code_zip"]).__mro__[1] for each in (first, other)} == {mmap.mmap}
    files = sorted(file.read_bytes() for file in (folder / "code").iterdir())
    assert files == sorted([zipped("same"), zipped("other")])
    # And each reads as what it was, for who unpacks it, and for MiniStack, which writes a copy of it down
    assert zipfile.ZipFile(io.BytesIO(other["code_zip"])).read("app.py") == b"other"  # type: ignore[arg-type]
    assert copy.deepcopy(first)["code_zip"] == zipped("same")
