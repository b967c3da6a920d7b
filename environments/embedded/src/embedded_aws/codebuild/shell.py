"""A shell that runs a build's commands one after the other and remembers, and the log that follows it.

One shell lives through all phases, as in buildspec version 0.2: folder, variables and functions last from
command to command. A command that ends it with `exit` loses what was not exported; the next one gets a new
shell where the last one stood.
https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html#build-spec-ref-versions

The log is one file, followed line by line into CloudWatch Logs as the build's role.
"""

import contextlib
import os
import select
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from botocore.exceptions import ClientError

from embedded_aws.iam.role_sessions import NotAuthorized, RoleSession

_DRIVER = """
exec 3<"$1/in" 4>"$1/out"
if [ -f "$1/exported" ]; then . "$1/exported"; cd "$(cat "$1/folder")"; fi
_codebuild_control="$1"
while IFS= read -r _codebuild_next <&3; do
  . "$_codebuild_next" 3<&- 4>&-
  _codebuild_status=$?
  export -p > "$_codebuild_control/exported"; pwd > "$_codebuild_control/folder"
  printf '%s\\n' "$_codebuild_status" >&4
done
"""
_POLL_SECONDS = 0.1


class Interrupted(Exception):  # noqa: N818 - it says what happened
    """The build was stopped or ran out of time while a command ran."""


class Shell:
    """Runs commands in `folder`, with `environment` and nothing else of ours."""

    def __init__(
        self,
        control: Path,
        folder: Path,
        environment: dict[str, str],
        *,
        shell: str,
        output: Path,
        interrupted: Callable[[], bool],
    ) -> None:
        control.mkdir(parents=True)
        for name in ("in", "out"):
            os.mkfifo(control / name)
        (control / "driver").write_text(_DRIVER)
        # Opened for both directions, so that neither side waits for the other to open.
        self._in = os.open(control / "in", os.O_RDWR)
        self._out = os.open(control / "out", os.O_RDWR)
        self._control, self._folder, self._environment = control, folder, environment
        self._command = [shutil.which(shell) or "/bin/sh", str(control / "driver"), str(control)]
        self._output, self._interrupted = output, interrupted
        self._process: subprocess.Popen[bytes] | None = None
        self._number = 0

    def run(self, command: str) -> int:
        """Run one command, of one line or of many; return its exit status.

        Raises:
            Interrupted: `interrupted` said so meanwhile; everything that the shell started is ended.
        """
        if self._process is None or self._process.poll() is not None:
            self._process = self._start()
        self._number += 1
        file = self._control / f"command-{self._number}"
        file.write_text(command + "\n")
        os.write(self._in, f"{file}\n".encode())
        return self._status(self._process)

    def values(self, names: Sequence[str]) -> dict[str, str]:
        """Read shell variables, exported or not; those that are not set are left out."""
        target = self._control / "values"
        lines = [f'[ -z "${{{name}+set}}" ] || printf \'%s=%s\\0\' {name} "${{{name}}}"' for name in names]
        self.run("{\n" + "\n".join(lines) + f"\n:;}} > '{target}'")
        pairs = target.read_bytes().decode(errors="replace").split("\0")[:-1]
        return dict(pair.split("=", 1) for pair in pairs)

    def close(self) -> None:
        """End the shell and whatever its commands left running."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        for descriptor in (self._in, self._out):
            os.close(descriptor)

    def _start(self) -> subprocess.Popen[bytes]:
        with self._output.open("ab") as output:
            return subprocess.Popen(  # noqa: S603 - the build's own commands, which is the purpose
                self._command,
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                process_group=0,  # its own, to be ended at once; in our session, to be swept if we are killed
            )

    def _status(self, process: subprocess.Popen[bytes]) -> int:
        answer, watched = b"", select.poll()  # select.select takes no descriptor above 1,023
        watched.register(self._out, select.POLLIN)
        while not answer.endswith(b"\n"):
            if self._interrupted():
                os.killpg(process.pid, signal.SIGKILL)
                raise Interrupted
            ended = process.poll()
            ready = watched.poll(0 if ended is not None else _POLL_SECONDS * 1000)
            if ready:
                answer += os.read(self._out, 64)
            elif ended is not None:
                return ended
        return int(answer)


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
