"""A console of an embedded AWS, served in this process."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipelines.aws import accounts
from pipelines.console import serving
from pipelines.console.context import Console

if TYPE_CHECKING:
    from collections.abc import Iterator

    from embedded_aws.instance import Instance


@contextmanager
def served(instance: Instance, *, may_act: bool = True) -> Iterator[str]:
    """Serve a console of an embedded AWS in this process, and yield its address."""
    local = accounts.LocalAws(instance.endpoint, instance.mongodb_uri, None)
    names = ("local", "branch", "staging", "prod")
    environments = {name: accounts.connect(name, instance.endpoint, local) for name in names}
    console = Console(accounts.connect_tools(instance.endpoint), environments, may_act=may_act)
    listener, over = serving.listen(), threading.Event()
    thread = threading.Thread(target=serving.serve, args=(console, listener, over.is_set), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        over.set()
        thread.join(10)
