"""The site as it is published: in a folder of its own, with the list of versions beside it."""

from __future__ import annotations

import functools
import json
import threading
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDER = "prod"


class _Quiet(SimpleHTTPRequestHandler):
    # Else each of a page's files would ask for a connection of its own.
    protocol_version = "HTTP/1.1"

    def end_headers(self) -> None:
        # What is the same on every page is asked for once, as behind a CDN.
        if not self.path.endswith(".html"):
            self.send_header("Cache-Control", "max-age=600")
        super().end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serving(published: Path) -> Iterator[str]:
    """Serve a folder that has the site in `prod/`, and yield the site's address."""
    versions = [{"version": FOLDER, "title": FOLDER, "aliases": []}]
    (published / "versions.json").write_text(json.dumps(versions))
    handler = functools.partial(_Quiet, directory=str(published))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/{FOLDER}/"
        finally:
            server.shutdown()
            thread.join()
