"""One Lambda execution environment: AWS's own runtime client in the clean interpreter, as in AWS's image.

Stock MiniStack runs handlers in its own interpreter and environment and loses exception names. Here a sandbox
is MiniStack's worker for custom runtimes with `awslambdaric` as the bootstrap: the error names that reach
Retry and Catch are then made by the code that makes them on AWS.

The interpreter that functions run in: an environment with AWS's runtime client and SDK, nothing else.

An instance finds it in its cache folder, and makes it there for the first function that is called.
"""

import contextlib
import fcntl
import hashlib
import io
import os
import queue
import select
import shlex
import shutil
import stat
import tempfile
import threading
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ministack.core import lambda_runtime
from ministack.core.lambda_runtime import ProvidedRuntimeError, ProvidedWorker
from ministack.services import lambda_svc

from embedded_aws.apigateway import private_apis
from embedded_aws.core import ministack_names as private
from embedded_aws.core import runtime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
import subprocess
import sys

_PACKAGES = ("awslambdaric==4.2.2", "boto3")


class RuntimeMissing(RuntimeError):  # noqa: N818 - it reads as what happened
    """The interpreter for functions could not be made; the message says why."""


def interpreter() -> Path:
    """Return the interpreter, made if it is not there.

    Raises:
        RuntimeMissing: it could not be made.
    """
    python = runtime.cache_folder() / "lambda-runtime" / "bin" / "python"
    if os.access(python, os.X_OK):
        return python
    runtime.cache_folder().mkdir(parents=True, exist_ok=True)
    with (runtime.cache_folder() / "lambda-runtime.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another instance may be making it
        if not os.access(python, os.X_OK):
            _make(python.parents[1])
    return python


def _make(folder: Path) -> None:
    unfinished = folder.with_name(f"{folder.name}.new")
    _run(sys.executable, "-m", "venv", "--clear", str(unfinished))
    _run(str(unfinished / "bin" / "python"), "-m", "pip", "install", "--quiet", *_PACKAGES)
    unfinished.rename(folder)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own command line
    if done.returncode:
        raise RuntimeMissing(f"no interpreter for functions: {' '.join(command[:4])}: {done.stderr.strip()}")


_KEPT_SECONDS = 24 * 3600.0
_BOOTSTRAP = "bootstrap"
_START = '#!/bin/sh\nexec {} -s -m awslambdaric "$_HANDLER"\n'
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
_BARE_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "en_US.UTF-8",
    "TZ": ":UTC",
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
}


class Sandbox(ProvidedWorker):  # type: ignore[misc]  # MiniStack is untyped
    """MiniStack's custom-runtime worker running `awslambdaric` for Python functions."""

    def __init__(self, func_name: str, config: dict[str, Any], code_zip: bytes) -> None:
        super().__init__(func_name, config, code_zip)
        self.retired = False  # its code or configuration was replaced while it served
        self.on_spawned: Callable[[], None] = lambda: None
        self._pipe_lock = threading.Lock()

    def _spawn(self, init_timeout: float | None = None) -> None:
        try:
            super()._spawn(init_timeout)
        finally:
            self.on_spawned()

    def _build_handler_class(self, generation: int, pending: "queue.Queue[Any]") -> type[Any]:
        handler: Any = super()._build_handler_class(generation, pending)
        # Headers and body go out in two writes; Nagle would hold the second for 40 ms.
        handler.disable_nagle_algorithm = True
        return handler  # type: ignore[no-any-return]  # MiniStack is untyped

    def _await_init(self, init_timeout: float | None = None) -> None:
        """Wait for the runtime, keeping the error type that it reports (Runtime.ImportModuleError, ...)."""
        try:
            super()._await_init(init_timeout)
        except RuntimeError as error:
            reported = self._init_error
            if isinstance(reported, dict):
                raise InitError(reported) from error
            if self._proc is not None and self._proc.poll() is not None:
                raise ProvidedRuntimeError(str(error), "Runtime.ExitError") from error
            raise

    def _pump_output(self, stream: io.BufferedReader, log_queue: "queue.Queue[str]") -> None:
        """Keep the pipe from filling; `_drain_stderr_bounded` takes what this thread has not yet seen."""
        os.set_blocking(stream.fileno(), False)
        poll = select.poll()
        poll.register(stream, select.POLLIN)
        with stream:
            while self._move_output(stream, log_queue):
                poll.poll()

    def _move_output(self, stream: io.BufferedReader, log_queue: "queue.Queue[str]") -> bool:
        with self._pipe_lock, contextlib.suppress(ValueError):  # the pump closed it
            while chunk := stream.raw.read(65536):
                log_queue.put(chunk.decode(errors="replace"))
            return chunk is None
        return False

    def _drain_stderr_bounded(self, *_: float, **__: float) -> str:
        """Take the invocation's log lines: they are in the pipe before its response is, so nothing waits."""
        process = self._proc
        if process is not None and process.stdout is not None and not process.stdout.closed:
            self._move_output(process.stdout, self._stderr_queue)
        return self._drain_stderr()

    def _drain_stderr(self) -> str:
        chunks = []
        while True:
            try:
                chunks.append(self._stderr_queue.get_nowait())
            except queue.Empty:
                return "".join(chunks)


class InitError(ProvidedRuntimeError):  # type: ignore[misc]  # MiniStack is untyped
    """The handler's module could not be loaded; `payload` is what the runtime said, as the caller gets it."""

    def __init__(self, payload: dict[str, Any]) -> None:
        super().__init__(
            str(payload.get("errorMessage", "")), str(payload.get("errorType", "Runtime.Unknown"))
        )
        self.payload = payload


def unpacked() -> Path:
    """Return the folder of unpacked packages."""
    return runtime.cache_folder() / "lambda-code"


def code_dir(code_zip: bytes) -> str:
    """Unpack a package once for all sessions, so that Python finds the bytecode of the last one in there.

    The bootstrap that MiniStack's worker looks for is put beside it.

    Raises:
        ProvidedRuntimeError: Its code cannot be unpacked.
    """
    try:
        start = _START.format(shlex.quote(str(interpreter())))
    except RuntimeMissing as error:
        raise ProvidedRuntimeError(str(error), "Runtime.NotInstalled") from error
    folder = unpacked() / hashlib.sha256(start.encode() + code_zip).hexdigest()
    # A process that is forked while the bootstrap is open for writing would make it "busy".
    with _others_wait(), private.lambda_svc.provided_code_lock:
        if not folder.is_dir():
            unfinished = Path(tempfile.mkdtemp(dir=unpacked()))
            with zipfile.ZipFile(io.BytesIO(code_zip)) as package:
                _extract(package, unfinished)
            (unfinished / _BOOTSTRAP).write_text(start)
            (unfinished / _BOOTSTRAP).chmod(stat.S_IRWXU)
            unfinished.rename(folder)
        os.utime(folder)
    return str(folder)


def _extract(package: zipfile.ZipFile, folder: Path) -> None:
    """Unpack files with their permissions, which `extractall` drops."""
    for info in package.infolist():
        file = Path(package.extract(info, folder))
        if mode := (info.external_attr >> 16) & 0o7777:
            file.chmod(mode)


def forget_unused() -> None:
    """Remove what was unpacked and has served nobody for a day."""
    with _others_wait():
        for folder in filter(Path.is_dir, unpacked().iterdir()):
            if time.time() - folder.stat().st_mtime > _KEPT_SECONDS:
                shutil.rmtree(folder)


@contextlib.contextmanager
def _others_wait() -> "Iterator[None]":
    """Keep other sessions of this checkout from unpacking or removing anything."""
    unpacked().mkdir(parents=True, exist_ok=True)
    with (unpacked() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def environment(config: dict[str, Any], folder: str, port: int) -> dict[str, str]:
    """Build a sandbox's whole environment: nothing of this process is in it."""
    region = config["FunctionArn"].split(":")[3]
    name = config["FunctionName"]
    log_group = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{name}"
    variables = {**_BARE_ENVIRONMENT, "TMPDIR": os.environ["TMPDIR"]}
    variables |= private_apis.resolved((config.get("Environment") or {}).get("Variables") or {}, config)
    variables |= lambda_runtime.execution_credentials(config)
    variables |= {
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}",
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{config.get('Runtime', '')}",
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config.get("MemorySize", 128)),
        "AWS_LAMBDA_FUNCTION_VERSION": config.get("Version", "$LATEST"),
        "AWS_LAMBDA_LOG_GROUP_NAME": log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": lambda_svc.new_uuid(),
        "AWS_LAMBDA_LOG_FORMAT": (config.get("LoggingConfig") or {}).get("LogFormat", "Text"),
        "LAMBDA_TASK_ROOT": folder,
        "_HANDLER": config.get("Handler", ""),
        "AWS_ENDPOINT_URL": os.environ["AWS_ENDPOINT_URL"],
    }
    return variables
