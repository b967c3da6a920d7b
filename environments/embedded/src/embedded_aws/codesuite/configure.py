"""What a caller tells a running instance: where its connections lead, and how long a minute is."""

from pathlib import Path

from embedded_aws.codesuite import repositories, runtime


def register_repository(root: Path, full_name: str, repository: Path) -> None:
    """Let every connection of the instance in `root` reach `repository` as `full_name` (`owner/repo`).

    Commits that are made from now on start the pipelines whose triggers they match.

    Raises:
        RepositoryUnavailable: `repository` is not a git repository.
    """
    entry = {"folder": str(repository.resolve()), "references": repositories.references(repository)}
    folder = root.resolve() / "state" / runtime.FOLDER
    settings = runtime.read_settings(folder)
    settings.setdefault("repositories", {})[full_name] = entry
    runtime.write_settings(folder, settings)


def minutes_take(root: Path, seconds: float) -> None:
    """Make an AWS minute (time-outs, alarm waits) last `seconds` in the instance in `root`."""
    folder = root.resolve() / "state" / runtime.FOLDER
    runtime.write_settings(folder, runtime.read_settings(folder) | {"minute_seconds": seconds})
