"""Resumes executions and begins to watch for pushes, once the endpoint answers."""

import functools
import http.client
from urllib.parse import urlsplit

from embedded_aws.codepipeline import performer, push_watcher
from embedded_aws.core import runtime, threads, waiting

_START_SECONDS = 60.0


def install() -> None:
    """Connect the performer to the engine, and begin once the endpoint answers."""
    performer.install()
    threads.start("begin", _begin)


def _begin() -> None:
    """Wait until the endpoint answers, since executions that go on make calls at once."""
    place = urlsplit(runtime.current().endpoint)
    answers = functools.partial(_answers, str(place.hostname), int(place.port or 0))
    pause = runtime.current().stopping.wait
    if waiting.wait_for(answers, seconds=_START_SECONDS, every=0.05, pause=pause) is None:
        return
    performer.resume()
    push_watcher.watch()


def _answers(host: str, port: int) -> bool | None:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/_ministack/health")
        return connection.getresponse().status == 200 or None  # noqa: PLR2004 - OK
    except OSError:
        return None
    finally:
        connection.close()
