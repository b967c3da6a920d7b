"""A build's log: one file, followed line by line into CloudWatch Logs as the build's role."""

import contextlib
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from botocore.exceptions import ClientError

from embedded_aws.iam.role_sessions import NotAuthorized, RoleSession

_EVERY_SECONDS = 0.3
_BATCH = 1000
_MASK = "***"


class LogStream:
    """Follows `file` until closed."""

    def __init__(self, file: Path, session: RoleSession | None, group: str, stream: str) -> None:
        self.file = file
        self._session, self._group, self._stream = session, group, stream
        self._secrets: list[str] = []
        self._offset = 0
        self._closing = threading.Event()
        self._follower: threading.Thread | None = None
        file.touch()

    def open(self) -> None:
        """Make the stream and begin to follow.

        Raises:
            NotAuthorized: the build's role may not write logs.
        """
        if self._session is None:
            return
        self._logs = self._session.client("logs")
        try:
            self._create_stream()
        except ClientError as error:
            raise NotAuthorized(error.response["Error"]["Message"]) from None
        self._follower = threading.Thread(target=self._follow, name="build-log", daemon=True)
        self._follower.start()

    def _create_stream(self) -> None:
        """Make the stream; its group only when there is none, since a role need not be allowed to."""
        names = {"logGroupName": self._group, "logStreamName": self._stream}
        try:
            self._logs.create_log_stream(**names)
        except self._logs.exceptions.ResourceNotFoundException:
            with contextlib.suppress(self._logs.exceptions.ResourceAlreadyExistsException):
                self._logs.create_log_group(logGroupName=self._group)
            self._logs.create_log_stream(**names)

    def mask(self, secret: str) -> None:
        """Keep a secret's value out of what is streamed."""
        if len(secret) > 1:
            self._secrets.append(secret)

    def say(self, text: str) -> None:
        """Write a line of CodeBuild's own."""
        stamp = datetime.now(UTC).strftime("%Y/%m/%d %H:%M:%S.%f")
        with self.file.open("a") as file:
            file.write(f"[Container] {stamp} {text}\n")

    def close(self) -> None:
        """Stream what is left."""
        self._closing.set()
        if self._follower is not None:
            self._follower.join()

    def _follow(self) -> None:
        while not self._closing.wait(_EVERY_SECONDS):
            self._send(final=False)
        self._send(final=True)

    def _send(self, *, final: bool) -> None:
        with self.file.open("rb") as file:
            file.seek(self._offset)
            data = file.read()
        whole = data if final else data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        lines = [self._masked(line) for line in whole.decode(errors="replace").splitlines() if line.strip()]
        stamp = int(time.time() * 1000)
        for first in range(0, len(lines), _BATCH):
            self._logs.put_log_events(
                logGroupName=self._group,
                logStreamName=self._stream,
                logEvents=[{"timestamp": stamp, "message": line} for line in lines[first : first + _BATCH]],
            )

    def _masked(self, line: str) -> str:
        for secret in self._secrets:
            line = line.replace(secret, _MASK)
        return line
