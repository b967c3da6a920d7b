"""A server on 127.0.0.1 that answers, over real HTTP, whatever a test tells it to."""

import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, NamedTuple

import pytest

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-central-1"}


class Received(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    body: Any


class FakeApi:
    """The server: `answers` are given in turn, the last one for ever.

    An answer is (status, body) or (status, body, headers), or "hang" (never answers), "drop" (reads the
    request and hangs up).
    """

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/live"
        self.received: list[Received] = []
        self.answers: list[Any] = [(200, {})]
        self.released = threading.Event()

    def next_answer(self) -> Any:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    api: ClassVar[FakeApi]

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        text = self.rfile.read(length).decode() if length else ""
        of_json = "json" in (self.headers.get("Content-Type") or "")
        body = (json.loads(text) if of_json else text) if text else None
        self.api.received.append(Received(self.command, self.path, dict(self.headers), body))
        answer = self.api.next_answer()
        if isinstance(answer, str):
            if answer == "hang":
                self.api.released.wait(10)
            self.close_connection = True
            return
        status, content, *more = answer
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
        for name, value in (more[0] if more else {}).items():
            self.send_header(name, value)
        self.end_headers()
        if status != 204:
            self.wfile.write(data)

    do_GET = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Keep quiet."""


@contextmanager
def _serving() -> Iterator[FakeApi]:
    class Handler(_Handler):
        pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    api = Handler.api = FakeApi(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield api
    finally:
        api.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def fake_api(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    with _serving() as api:
        for name, value in CREDENTIALS.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("DATA_API_URL", api.url)
        # A name of its own gives each test a logger of its own, which writes to the test's output.
        monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", f"service-{uuid.uuid4().hex}")
        monkeypatch.setenv("PAYMENT_METHOD", "credit")
        yield api


def problem(name: str, status: int, detail: str = "why") -> tuple[int, dict[str, Any]]:
    return status, {"type": "/problems/x", "title": "X", "status": status, "detail": detail, "name": name}
