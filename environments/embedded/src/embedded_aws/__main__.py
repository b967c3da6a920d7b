"""The command `embedded-aws`, also `python -m embedded_aws`: what `instance` does, for a shell."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from embedded_aws import instance
from embedded_aws.codeconnections.repositories import RepositoryUnavailable

_ROOT = Path(".embedded-aws")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit status."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except (
        instance.AlreadyRunning,
        instance.NotRunning,
        instance.StartFailed,
        RepositoryUnavailable,
    ) as error:
        print(f"embedded-aws: {error}", file=sys.stderr)  # noqa: T201 - a command speaks
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="embedded-aws", description=__doc__)
    parser.add_argument("--root", type=Path, default=_ROOT, help=f"folder of the instance [{_ROOT}]")
    commands = parser.add_subparsers(required=True)
    start = commands.add_parser("start", help="start an instance, and print where it answers")
    start.add_argument("--port", type=int, help="of the endpoint [a free one]")
    start.add_argument("--mongodb", action="store_true", help="run a MongoDB server beside it")
    start.add_argument("--keep", action="store_true", help="keep stacks and data for the next start")
    start.set_defaults(run=_start)
    stop = commands.add_parser("stop", help="stop the instance")
    stop.add_argument("--keep", action="store_true", help="keep stacks and data for the next start")
    stop.set_defaults(run=lambda options: instance.stop(options.root, keep=options.keep))
    commands.add_parser("status", help="print where the instance answers").set_defaults(run=_status)
    repository = commands.add_parser("repository", help="let connections reach a local git repository")
    repository.add_argument("name", metavar="OWNER/NAME")
    repository.add_argument("path", type=Path)
    repository.set_defaults(run=_register)
    minute = commands.add_parser("minute", help="make an AWS minute last so many seconds")
    minute.add_argument("seconds", type=float)
    minute.set_defaults(run=lambda options: instance.set_minute(options.root, options.seconds))
    commands.add_parser("calls", help="print the calls that roles made, one JSON line each").set_defaults(
        run=_calls
    )
    return parser


def _start(options: argparse.Namespace) -> None:
    _print(instance.start(options.root, port=options.port, keep=options.keep, mongodb=options.mongodb))


def _status(options: argparse.Namespace) -> None:
    running = instance.running(options.root)
    if running is None:
        raise instance.NotRunning(f"no embedded AWS runs in {options.root.resolve()}")
    _print(running)


def _register(options: argparse.Namespace) -> None:
    instance.register_repository(options.root, options.name, options.path)


def _calls(options: argparse.Namespace) -> None:
    for call in instance.calls(options.root):
        print(json.dumps(asdict(call)))  # noqa: T201 - the command's output


def _print(running: instance.Instance) -> None:
    shown = {"endpoint": running.endpoint, "mongodb_uri": running.mongodb_uri, "pid": running.pid}
    print(json.dumps(shown))  # noqa: T201 - the command's output


if __name__ == "__main__":
    sys.exit(main())
