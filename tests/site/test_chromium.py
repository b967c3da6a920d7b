from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.site import chromium

if TYPE_CHECKING:
    from pathlib import Path


def test_whoever_looks_for_a_browser_waits_for_its_installation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given an installation that has begun, of a browser that is not there yet
    monkeypatch.setattr(chromium, "UNDER_WAY", tmp_path / "chromium.lock")
    monkeypatch.setenv("CHROMIUM", str(browser := tmp_path / "browser"))
    with ThreadPoolExecutor() as threads:
        with chromium.lock():
            # When a test looks for it
            looked = threads.submit(chromium.find)
            with pytest.raises(TimeoutError):
                looked.result(timeout=0.1)
            browser.touch(stat.S_IRWXU)
        # Then it has it once the installation has ended
        assert looked.result(timeout=60) == str(browser)


def test_where_none_is_installed_none_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chromium, "UNDER_WAY", tmp_path / "no.lock")
    monkeypatch.setenv("CHROMIUM", str(tmp_path / "no-browser"))
    assert chromium.find() is None
