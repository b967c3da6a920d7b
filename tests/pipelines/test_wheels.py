"""Wheels: what ships is what `uv.lock` names, whatever a cache holds."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.build import wheels
from pipelines.build.wheels import Wheel
from pipelines.core.refusals import Refused

if TYPE_CHECKING:
    from pathlib import Path

_FILES = {"payer/__init__.py": b"PAYS = True\n", "payer/data/codes.txt": b"EUR\n"}


def _hash(content: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def _wheel(folder: Path, files: dict[str, bytes], record: dict[str, bytes] | None = None) -> Wheel:
    """A wheel file in a folder; its RECORD is about its files, unless another is given."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "payer-1.0-py3-none-any.whl"
    rows = [f"{name},{_hash(content)},{len(content)}" for name, content in (record or files).items()]
    listing = "\n".join([*rows, "payer-1.0.dist-info/RECORD,,"])
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        archive.writestr("payer-1.0.dist-info/RECORD", listing)
    return Wheel("payer", "1.0", path.name, hashlib.sha256(path.read_bytes()).hexdigest())


def _lock(folder: Path, *names: str) -> Path:
    listed = "\n".join(
        f'  {{ url = "https://files.example/x/{name}", hash = "sha256:{number}" }},'
        for number, name in enumerate(names)
    )
    path = folder / "uv.lock"
    path.write_text(f'[[package]]\nname = "payer"\nversion = "1.0"\nwheels = [\n{listed}\n]\n')
    return path


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> list[Wheel]:
    """An index that is never reached; who asks it is refused, and told what was asked."""
    asked: list[Wheel] = []

    def fetch(missing: list[Wheel], cache: Path) -> dict[Wheel, bytes]:
        asked.extend(missing)
        raise Refused(f"asked for {len(missing)} below {cache.name}")

    monkeypatch.setattr(wheels, "_fetch", fetch)
    return asked


def test_a_kept_wheel_is_read_without_asking_the_index(tmp_path: Path, index: list[Wheel]) -> None:
    # Given
    wheel = _wheel(tmp_path, _FILES)
    # When
    files = wheels.files_of([wheel], tmp_path)
    # Then
    assert files == {"payer": _FILES}
    assert index == []


@settings(max_examples=60, deadline=None)
@given(position=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_any_changed_byte_of_a_kept_wheel_is_found(
    tmp_path_factory: pytest.TempPathFactory, position: float, flip: int
) -> None:
    # Given a kept wheel
    folder = tmp_path_factory.mktemp("kept")
    wheel = _wheel(folder, _FILES)
    content = bytearray((folder / wheel.file).read_bytes())
    # When any byte of it is another
    content[int(position * len(content))] ^= flip
    (folder / wheel.file).write_bytes(content)
    # Then it counts as missing
    assert wheels._cached(wheel, folder) is None


def test_another_locked_wheel_in_its_place_is_found(tmp_path: Path, index: list[Wheel]) -> None:
    # Given a wheel of the same package that is genuine, and not the one that fits
    wheel = _wheel(tmp_path, _FILES)
    other = _wheel(tmp_path / "other", {"payer/__init__.py": b"PAYS = False\n"})
    # When it lies where the fitting one should
    (tmp_path / "other" / other.file).replace(tmp_path / wheel.file)
    # Then the fitting one is fetched
    with pytest.raises(Refused, match="asked for 1"):
        wheels.files_of([wheel], tmp_path)
    assert index == [wheel]


@pytest.mark.parametrize(
    ("files", "record"),
    [
        (_FILES | {"payer/more.py": b""}, _FILES),
        (_FILES, _FILES | {"payer/absent.py": b""}),
        (_FILES | {"payer/__init__.py": b"PAYS = False\n"}, _FILES),
    ],
    ids=["a file more", "a file fewer", "another file"],
)
def test_a_wheel_that_differs_from_its_record_is_refused(
    tmp_path: Path, files: dict[str, bytes], record: dict[str, bytes]
) -> None:
    wheel = _wheel(tmp_path, files, record)
    with pytest.raises(Refused, match="differs from its own RECORD in payer/"):
        wheels.files_of([wheel], tmp_path)


def test_what_a_wheel_holds_beside_its_modules_does_not_ship(tmp_path: Path) -> None:
    # Given a wheel with metadata and a console script
    beside = {"payer-1.0.dist-info/METADATA": b"", "payer-1.0.data/scripts/payer": b"#!python\n"}
    wheel = _wheel(tmp_path, _FILES | beside)
    # Then its modules alone are its files
    assert wheels.files_of([wheel], tmp_path) == {"payer": _FILES}


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["payer-1.0-py3-none-any.whl"], 0),
        (["payer-1.0-py2.py3-none-any.whl"], 0),
        (["payer-1.0-py3-none-any.whl", "payer-1.0-cp313-cp313-manylinux2014_aarch64.whl"], 1),
        (
            [
                "payer-1.0-cp313-cp313t-manylinux2014_aarch64.whl",
                "payer-1.0-cp313-cp313-manylinux2014_x86_64.whl",
                "payer-1.0-cp39-abi3-manylinux_2_17_aarch64.manylinux2014_aarch64.whl",
            ],
            2,
        ),
        # The names alone would put the second first.
        (
            [
                "payer-1.0-cp313-cp313-manylinux2014_aarch64.whl",
                "payer-1.0-cp311-abi3-manylinux2014_aarch64.whl",
            ],
            0,
        ),
        (["payer-1.0-py3-abi3-manylinux2014_aarch64.whl", "payer-1.0-py2.py3-none-any.whl"], 0),
    ],
)
def test_the_wheel_that_fits_best_is_chosen(tmp_path: Path, names: list[str], chosen: int) -> None:
    (wheel,) = wheels.choose("payer==1.0 \\\n    --hash=sha256:0\n", _lock(tmp_path, *names))
    assert (wheel.file, wheel.sha256) == (names[chosen], str(chosen))


def test_a_package_without_a_fitting_wheel_is_refused(tmp_path: Path) -> None:
    lock = _lock(tmp_path, "payer-1.0-cp313-cp313-win_amd64.whl", "payer-1.0-py2-none-any.whl")
    with pytest.raises(Refused, match=r"no wheel of payer 1\.0"):
        wheels.choose("payer==1.0 --hash=sha256:0", lock)


@pytest.mark.parametrize("line", ["payer>=1.0", "payer==1.0 ; python_version < '3.12' --hash=sha256:0"])
def test_a_requirement_that_is_not_exact_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(Refused, match="Only pinned requirements"):
        wheels.choose(line, _lock(tmp_path))


def test_what_pip_says_is_told_when_nothing_can_be_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a machine that knows no index
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    missing = Wheel("payer", "1.0", "payer-1.0-py3-none-any.whl", "0" * 64)
    # When a wheel is to be downloaded; Then pip's own words are told
    with pytest.raises(Refused, match=r"could not be downloaded:\nERROR: .*payer==1\.0"):
        wheels.files_of([missing], tmp_path)
