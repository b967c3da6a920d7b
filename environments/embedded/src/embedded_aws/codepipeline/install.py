"""Registers the service and its CloudFormation type, then resumes executions and watches for pushes."""

import http.client
import time
from urllib.parse import urlsplit

from embedded_aws.codepipeline import performer, push_watcher, resource_types
from embedded_aws.codepipeline.service import SERVICE
from embedded_aws.core import registration, runtime, threads, type_table

_START_SECONDS = 60.0


def install() -> None:
    """Register the service with MiniStack, and begin once the endpoint answers."""
    registration.register(SERVICE)
    type_table.add(resource_types.TYPES, on_threads=True)
    performer.install()
    threads.start("begin", _begin)


def _begin() -> None:
    """Wait until the endpoint answers, since executions that go on make calls at once."""
    place = urlsplit(runtime.current().endpoint)
    deadline = time.monotonic() + _START_SECONDS
    while not _answers(str(place.hostname), int(place.port or 0)):
        if time.monotonic() > deadline or runtime.current().stopping.wait(0.05):
            return
    performer.resume()
    push_watcher.watch()


def _answers(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/_ministack/health")
        return connection.getresponse().status == 200  # noqa: PLR2004 - OK
    except OSError:
        return False
    finally:
        connection.close()
