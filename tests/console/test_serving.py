"""The console's server: on this machine alone, while what it shows is there, and found by who looks."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import urllib.request
from typing import TYPE_CHECKING, Any

from pipelines.console import serving
from pipelines.console.context import Console
from tests.console.account import Account

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_it_answers_until_what_it_shows_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a console that is told to look often
    monkeypatch.setattr(serving, "_LOOK_SECONDS", 0.01)
    account: Any = Account()
    listener, over = serving.listen(), threading.Event()
    address, port = listener.getsockname()
    shown = Console(account, {}, may_act=False)
    thread = threading.Thread(target=serving.serve, args=(shown, listener, over.is_set), daemon=True)
    thread.start()
    # When it is asked
    with urllib.request.urlopen(f"http://{address}:{port}/static/console.css") as answer:
        assert answer.status == 200
    # Then it goes on by itself, and ends when that is over
    assert (address, thread.is_alive()) == ("127.0.0.1", True)
    over.set()
    thread.join(60)
    assert not thread.is_alive()


def test_a_console_is_found_by_what_it_noted_while_its_process_lives(tmp_path: Path) -> None:
    # Given a console that noted its address, beside an embedded AWS
    record = tmp_path / "tmp" / "console.json"
    record.parent.mkdir()
    assert serving.running(tmp_path) is None
    serving.note(record, "http://127.0.0.1:8000/")
    # Then it is found, and one is not started beside it
    assert serving.running(tmp_path) == "http://127.0.0.1:8000/"
    assert serving.start_beside(tmp_path, os.getpid(), "http://127.0.0.1:1") == "http://127.0.0.1:8000/"
    # And nothing is, where its process has ended or the note is none
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for note in (f'{{"pid": {ended.pid}, "address": "x"}}', "{}", "[]", "half a no"):
        record.write_text(note)
        assert serving.running(tmp_path) is None


def test_a_process_that_ended_is_gone_and_one_that_lives_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert serving.is_gone(os.getpid()) is False
    # Given a process that has ended, before anybody asked for its end and after
    with subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.read()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert serving.is_gone(process.pid) is True
    assert serving.is_gone(process.pid) is True
    # And somebody else's, and one of a system that does not list what it is doing
    monkeypatch.setattr(os, "kill", lambda *_: None)
    assert serving.is_gone(2**30) is False

    def refuse(*_: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    assert serving.is_gone(1) is False
