"""Writes MiniStack's own state down during a run, so that a killed instance knows what was deployed.

MiniStack writes only when it is stopped. An action that is said to be done must not be undone by a `kill -9`.
"""

import asyncio
import json
import logging
import os
import threading
from pathlib import Path
from urllib.parse import urlsplit

from ministack.core import persistence

from embedded_aws.core import ministack_names as private
from embedded_aws.core import registration

_log = logging.getLogger(__name__)
_TIMEOUT_SECONDS = 30
_lock = threading.Lock()


def take() -> None:
    """Write the state, when this instance keeps it."""
    root = Path(os.environ["STATE_DIR"]).parent
    loop = registration.event_loop()
    if loop is None or not (root / "keep").exists():
        return

    async def write() -> None:  # in the loop, where states are whole between two steps
        persistence.save_all(private.app.build_persistence_save_dict())  # as at MiniStack's own shutdown

    with _lock:
        try:
            asyncio.run_coroutine_threadsafe(write(), loop).result(_TIMEOUT_SECONDS)
        except TimeoutError:
            _log.warning("the state was not written within %s seconds", _TIMEOUT_SECONDS)
        _keep_ports(root)


def _keep_ports(root: Path) -> None:
    """Say, as a stop does, that there is something to take up again, and where it listened."""
    if (root / "kept.json").exists():
        return
    record = json.loads((root / "state.json").read_text())
    ports = {"port": urlsplit(record["endpoint"]).port, "mongodb_port": urlsplit(record["mongodb_uri"]).port}
    scratch = root / "kept.json.new"
    scratch.write_text(json.dumps({name: port for name, port in ports.items() if port}))
    scratch.replace(root / "kept.json")
