"""One build, taken through its phases.

https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details-phases.html: an install or pre-build
that fails ends the build; after a build that fails, post-build still runs; uploading the artifacts is always
attempted.
"""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from embedded_aws.codebuild import buildspec, environment, outputs, records, reports, sources
from embedded_aws.codebuild.shell import Interrupted, LogStream, Shell
from embedded_aws.core import api, runtime
from embedded_aws.core.api import Json, Scope
from embedded_aws.iam import role_sessions

_FAILURES: dict[type[Exception], str] = {
    buildspec.InvalidBuildspec: "YAML_FILE_ERROR",
    environment.VariableUnavailable: "CLIENT_ERROR",
    outputs.ArtifactsMissing: "CLIENT_ERROR",
    reports.ReportUnreadable: "REPORT_FAILED",
    role_sessions.NotAuthorized: "ACCESS_DENIED",
    sources.SourceUnavailable: "CLIENT_ERROR",
}


def run(scope: Scope, name: str) -> None:
    """Run a build to its end, whatever that is."""
    build = records.find(scope, name)
    if build is None:
        return
    folder = sources.free_folder()
    try:
        _Run(scope, build, folder).everything()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Run:
    """The state of one running build."""

    def __init__(self, scope: Scope, build: Json, folder: Path) -> None:
        self.scope, self.build, self.folder = scope, build, folder
        self.source = folder / "src"
        self.status = "SUCCEEDED"
        self.deadline = time.monotonic() + runtime.current().seconds(build["timeoutInMinutes"])
        self.shell: Shell | None = None
        self.spec = buildspec.Buildspec(phases={})

    def everything(self) -> None:
        """Run all phases; every way out leaves a finished record."""
        try:
            self._phases()
        except Interrupted:
            pass
        except Exception:
            self.status = "FAULT"  # ours, and never a success
            raise
        finally:
            if self.shell is not None:
                self.shell.close()
            if hasattr(self, "log"):
                self.log.close()
            self._note({"phaseType": "COMPLETED", "startTime": api.now()})
            self.build |= {"buildStatus": self.status, "buildComplete": True, "endTime": api.now()}
            self._keep()

    def _phases(self) -> None:
        for name in ("SUBMITTED", "QUEUED"):
            self._phase(name, lambda: None)
        if not (
            self._phase("PROVISIONING", self._provision) and self._phase("DOWNLOAD_SOURCE", self._download)
        ):
            self._phase("FINALIZING", lambda: None)
            return
        if self._commands("install") and self._commands("pre_build"):
            built = self._commands("build")
            if built or not self.spec.phases["build"].explicit:
                self._commands("post_build")
        self._phase("UPLOAD_ARTIFACTS", self._upload)
        self._phase("FINALIZING", self._export)

    def _provision(self) -> None:
        session = f"AWSCodeBuild-{self.build['id'].partition(':')[2]}"
        self.session = role_sessions.assume_for_service(
            self.scope, self.build["serviceRole"], "codebuild.amazonaws.com", session
        )
        logs = self.build["logs"]
        watched = logs["cloudWatchLogs"]["status"] == "ENABLED"
        self.log = LogStream(
            self.folder / "log", self.session if watched else None, logs["groupName"], logs["streamName"]
        )
        self.log.open()

    def _download(self) -> None:
        s3 = self.session.client("s3")
        sources.download(self.build["source"], self.build.get("sourceVersion"), s3, self.source)
        places = {"": self.source}
        for number, extra in enumerate(self.build.get("secondarySources", []), 1):
            places[extra["sourceIdentifier"]] = self.folder / f"src{number:02}"
            sources.download(extra, None, s3, places[extra["sourceIdentifier"]])
        home = self.folder / "home"
        home.mkdir()
        self.spec = buildspec.read(self.build["source"].get("buildspec"), self.source)
        for line in outputs.link_cache(self.build, self.spec.cache_paths, self.source, home, self.session):
            self.log.say(line)
        self.shell = Shell(
            self.folder / "control",
            self.source,
            environment.variables(self.build, self.spec, self.session, places, self.log.mask),
            shell=self.spec.shell,
            output=self.log.file,
            interrupted=self._interrupted,
        )

    def _commands(self, name: str) -> bool:
        asked = self.spec.phases[name]
        phase = name.upper()
        done = self._phase(phase, lambda: self._run_all(phase, asked.commands, asked.finally_commands))
        return done or asked.on_failure == "CONTINUE"

    def _run_all(self, phase: str, commands: tuple[str, ...], last: tuple[str, ...]) -> None:
        self.log.say(f"Entering phase {phase}")
        failure: _CommandFailed | None = None
        for group in (commands, last):  # `finally` runs after a failed command, too
            try:
                self._run_each(group)
            except _CommandFailed as failed:
                failure = failure or failed
        if failure is not None:
            raise failure

    def _run_each(self, commands: tuple[str, ...]) -> None:
        for command in commands:
            self.log.say(f"Running command {command}")
            status = self._shell().run(command)
            if status:
                self.log.say(f"Command did not exit successfully {command} exit status {status}")
                raise _CommandFailed(
                    f"Error while executing command: {command}. Reason: exit status {status}"
                )

    def _upload(self) -> None:
        problems: list[Exception] = []
        for step in (self._upload_artifacts, self._make_reports):
            try:
                step()
            except (outputs.ArtifactsMissing, reports.ReportUnreadable) as error:
                problems.append(error)
        if problems:
            raise problems[0]

    def _upload_artifacts(self) -> None:
        outputs.upload(self.build, self.spec.artifacts, self.source, self.session.client("s3"))

    def _make_reports(self) -> None:
        if self.spec.reports:
            client = self.session.client("codebuild")
            self.build["reportArns"] = reports.keep(
                self.scope, self.build, self.spec.reports, self.source, client
            )

    def _export(self) -> None:
        if self.spec.exported:
            values = self._shell().values(self.spec.exported)
            self.build["exportedEnvironmentVariables"] = [{"name": k, "value": v} for k, v in values.items()]

    def _shell(self) -> Shell:
        if self.shell is None:
            raise _CommandFailed("there is no shell")
        return self.shell

    def _phase(self, name: str, act: Callable[[], None]) -> bool:
        """Do one phase and note how it went; tell whether it succeeded."""
        self._note({"phaseType": name, "phaseStatus": "IN_PROGRESS", "startTime": api.now()})
        try:
            self._go_on()
            act()
        except Interrupted:
            self.status = "STOPPED" if self._stop_requested() else "TIMED_OUT"
            self._end(
                self.status, self.status, f"Build {'stopped' if self.status == 'STOPPED' else 'timed out'}. "
            )
            raise
        except _CommandFailed as error:
            self._fail("COMMAND_EXECUTION_ERROR", str(error))
        except tuple(_FAILURES) as error:
            self._fail(_FAILURES[type(error)], str(error))
        else:
            self._end("SUCCEEDED", "", "")
            return True
        return False

    def _fail(self, code: str, message: str) -> None:
        self.status = "FAILED"
        if self.shell is not None and code == "COMMAND_EXECUTION_ERROR":
            self.shell.run("CODEBUILD_BUILD_SUCCEEDING=0; export CODEBUILD_BUILD_SUCCEEDING")
        self._end("FAILED", code, message)

    def _note(self, phase: Json) -> None:
        self.build["phases"].append(phase)
        self.build["currentPhase"] = phase["phaseType"]
        self._keep()

    def _end(self, status: str, code: str, message: str) -> None:
        phase = self.build["phases"][-1]
        end = api.now()
        phase |= {"phaseStatus": status, "endTime": end, "durationInSeconds": int(end - phase["startTime"])}
        phase["contexts"] = [{"statusCode": code, "message": message}]
        if hasattr(self, "log"):
            self.log.say(f"Phase complete: {phase['phaseType']} State: {status}")
            if message:
                self.log.say(f"Phase context status code: {code} Message: {message}")
        self._keep()

    def _keep(self) -> None:
        records.keep_running(self.scope, self.build)

    def _stop_requested(self) -> bool:
        return records.stop_requested(self.scope, self.build["id"])

    def _go_on(self) -> None:
        if self._interrupted():
            raise Interrupted

    def _interrupted(self) -> bool:
        return time.monotonic() > self.deadline or self._stop_requested()


class _CommandFailed(Exception):  # noqa: N818 - it says what happened
    """A command ended with another status than zero."""
