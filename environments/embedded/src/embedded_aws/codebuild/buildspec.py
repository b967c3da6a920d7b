"""A buildspec, read and checked: https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from embedded_aws.core.api import Json

PHASES = ("install", "pre_build", "build", "post_build")
_TOP = {"version", "run-as", "env", "phases", "reports", "artifacts", "cache"}
_PHASE = {"run-as", "on-failure", "runtime-versions", "commands", "finally"}
_ENV = {"shell", "variables", "parameter-store", "secrets-manager", "exported-variables"}


class InvalidBuildspec(ValueError):  # noqa: N818 - it says what is the matter
    """The buildspec cannot be used; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Phase:
    """The commands of one phase."""

    commands: tuple[str, ...] = ()
    finally_commands: tuple[str, ...] = ()
    on_failure: str = "ABORT"
    explicit: bool = False


@dataclass(frozen=True, slots=True)
class Buildspec:
    """What a build is asked to do."""

    phases: dict[str, Phase]
    shell: str = "sh"
    variables: dict[str, str] = field(default_factory=dict)
    parameter_store: dict[str, str] = field(default_factory=dict)
    secrets_manager: dict[str, str] = field(default_factory=dict)
    exported: tuple[str, ...] = ()
    artifacts: Json = field(default_factory=dict)
    reports: Json = field(default_factory=dict)
    cache_paths: tuple[str, ...] = ()


def read(buildspec: str | None, source: Path) -> Buildspec:
    """Read the buildspec that a build names, or its text where a project holds it.

    Args:
        buildspec: the text, or a path within the source; `buildspec.yml` when None.
        source: the folder of the primary source.

    Raises:
        InvalidBuildspec: there is no such file, or it is not a buildspec.
    """
    named = buildspec or "buildspec.yml"
    if "\n" in named or named.lstrip().startswith("{"):
        return parse(named)
    file = source / named
    if not file.is_file():
        raise InvalidBuildspec(f"YAML_FILE_ERROR: stat {file}: no such file or directory")
    return parse(file.read_text())


def parse(text: str) -> Buildspec:
    """Read a buildspec.

    Raises:
        InvalidBuildspec: it is not YAML, not version 0.2, or says something that is not emulated here.
    """
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InvalidBuildspec(f"YAML_FILE_ERROR: {error}") from None
    if not isinstance(document, dict):
        raise InvalidBuildspec("YAML_FILE_ERROR: the buildspec is not a mapping")
    if str(document.get("version")) != "0.2":
        raise InvalidBuildspec(
            f"YAML_FILE_ERROR: version {document.get('version')} is not emulated here, version 0.2 is"
        )
    _known(document, _TOP, "the buildspec")
    env = document.get("env") or {}
    _known(env, _ENV, "env")
    if env.get("shell", "sh") not in {"sh", "bash"}:
        raise InvalidBuildspec(f"YAML_FILE_ERROR: env/shell {env['shell']!r} is not emulated here")
    return Buildspec(
        phases=_phases(document.get("phases") or {}),
        shell=env.get("shell", "sh"),
        variables=_strings(env.get("variables")),
        parameter_store=_strings(env.get("parameter-store")),
        secrets_manager=_strings(env.get("secrets-manager")),
        exported=tuple(env.get("exported-variables") or ()),
        artifacts=document.get("artifacts") or {},
        reports=document.get("reports") or {},
        cache_paths=tuple((document.get("cache") or {}).get("paths") or ()),
    )


def _phases(document: Json) -> dict[str, Phase]:
    _known(document, set(PHASES), "phases")
    return {name: _phase(name, document.get(name) or {}) for name in PHASES}


def _phase(name: str, document: Json) -> Phase:
    _known(document, _PHASE, f"phases/{name}")
    on_failure = document.get("on-failure", "ABORT")
    if on_failure not in {"ABORT", "CONTINUE"}:
        raise InvalidBuildspec(
            f"YAML_FILE_ERROR: phases/{name}/on-failure {on_failure!r} is not emulated here"
        )
    return Phase(
        commands=_commands(document.get("commands"), f"phases/{name}/commands"),
        finally_commands=_commands(document.get("finally"), f"phases/{name}/finally"),
        on_failure=on_failure,
        explicit="on-failure" in document,
    )


def _commands(commands: Any, place: str) -> tuple[str, ...]:
    if commands is None:
        return ()
    if isinstance(commands, str):
        commands = [commands]
    for number, command in enumerate(commands, 1):
        if not isinstance(command, str):  # a colon in an unquoted command makes it a mapping
            raise InvalidBuildspec(
                f"YAML_FILE_ERROR: {place}[{number}] is not a string but {type(command).__name__}"
            )
    return tuple(commands)


def _strings(mapping: Any) -> dict[str, str]:
    return {name: _text(value) for name, value in (mapping or {}).items()}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _known(document: Any, names: set[str], place: str) -> None:
    if not isinstance(document, dict):
        raise InvalidBuildspec(f"YAML_FILE_ERROR: {place} is not a mapping")
    unknown = sorted(set(map(str, document)) - names)
    if unknown:
        raise InvalidBuildspec(
            f"YAML_FILE_ERROR: {place}: {', '.join(unknown)} is unknown or not emulated here"
        )
