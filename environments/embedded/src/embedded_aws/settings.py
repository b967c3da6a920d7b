"""What MiniStack is told through its environment variables, which it reads when it is imported."""

import os
import tempfile
from pathlib import Path

# A Wait of ten seconds takes 0.2: retries and waits keep their proportions, and a rehearsal stays quick.
_WAIT_SCALE = "0.02"


def apply(root: Path, endpoint: str) -> None:
    """Set the environment for an instance in `root` that listens at `endpoint`."""
    temporary = root / "tmp"
    temporary.mkdir(exist_ok=True)
    host, port = endpoint.removeprefix("http://").split(":")
    os.environ.setdefault("SFN_WAIT_SCALE", _WAIT_SCALE)
    os.environ.setdefault("ALARM_PERIOD_SCALE", "1")  # alarms' minutes; drills shorten them
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    os.environ.update(
        AUTH="true",  # SigV4 and IAM are enforced from the first call
        AWS_ENDPOINT_URL=endpoint,  # where a function's SDK calls go
        BIND_HOST=host,
        GATEWAY_PORT=port,
        MINISTACK_HOST=host,
        TMPDIR=str(temporary),
        PERSIST_STATE="1",  # whether it is written is decided at the stop
        STATE_DIR=str(root / "state"),
        S3_PERSIST="1",
        S3_DATA_DIR=str(root / "s3"),
        IOT_MTLS_ENABLED="0",  # these two would listen on ports of their own
        SFTP_ENABLED="0",
        DOCKER_HOST="unix:///nonexistent",  # never touch a Docker that happens to be there
    )
    tempfile.tempdir = None  # forget a folder that was chosen before TMPDIR was ours
