"""What a rehearsal works with: a copy of the checkout, environments in variants, and pipelines."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from embedded_aws import instance
from environments import schema
from environments import tools as tools_file
from environments.groupings import PROMOTED
from pipelines.aws.accounts import Aws
from pipelines.core.refusals import Refused
from pipelines.core.reporting import NOBODY
from pipelines.core.repository import ROOT
from pipelines.deploy import embedded_overrides, pipelines
from pipelines.promotion import control, execution
from pipelines.promotion.pipeline_outputs import OUTPUTS
from pipelines.rehearsal import rehearsal, variants
from pipelines.rehearsal.rehearsal import Rehearsal, ScratchRepository

if TYPE_CHECKING:
    from pathlib import Path

ENDPOINT = "http://127.0.0.1:1"


def _git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    command = ["git", "-C", str(folder), *who, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with a file that is committed, changed, new, deleted and ignored, each in a folder."""
    folder = tmp_path / "checkout"
    for name in ("committed", "changed", "deleted"):
        (folder / "a" / "b").mkdir(parents=True, exist_ok=True)
        (folder / "a" / "b" / name).write_text(f"{name}\n")
    (folder / ".gitignore").write_text("ignored\n")
    _git(folder, "init", "--quiet", "--initial-branch", "main")
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "-m", "Begin")
    (folder / "a" / "b" / "changed").write_text("changed since\n")
    (folder / "a" / "new").write_text("new\n")
    (folder / "a" / "ignored").write_text("ignored\n")
    (folder / "a" / "b" / "deleted").unlink()
    monkeypatch.setattr(rehearsal, "ROOT", folder)
    return folder


def test_the_checkout_is_copied_as_it_is_and_committed_to_the_branch(checkout: Path, tmp_path: Path) -> None:
    # Given a copy of before, which has a file that the checkout has no more
    folder = tmp_path / "inside" / "repository"
    folder.mkdir(parents=True)
    (folder / "stale").write_text("stale")
    # When
    made = rehearsal.scratch_repository(folder, "release", {"a/new": "of the variant\n"})
    # Then one commit has all files of the checkout but ignored ones, and the variant's texts
    assert made.folder == folder != checkout
    assert _git(folder, "ls-files").split() == [".gitignore", "a/b/changed", "a/b/committed", "a/new"]
    assert _git(folder, "show", "release:a/b/changed") == "changed since\n"
    assert _git(folder, "show", "release:a/new") == "of the variant\n"
    assert _git(folder, "log", "--format=%an %s", "release").splitlines() == [
        "Rehearsal The checkout that is rehearsed"
    ]
    assert made.head() == _git(folder, "rev-parse", "release").strip()
    # And without a variant, the checkout's own
    plain = rehearsal.scratch_repository(tmp_path / "another" / "place", "release")
    assert _git(plain.folder, "show", "release:a/new") == "new\n"


def test_files_are_committed_in_folders_that_there_are_and_in_new_ones(
    checkout: Path, tmp_path: Path
) -> None:
    repository = rehearsal.scratch_repository(tmp_path / "r", "release")
    repository.commit("feature", "One", {"a/b/changed": "1", "new/folder/file": "2"})
    assert _git(repository.folder, "show", "feature:new/folder/file") == "2"
    assert _git(repository.folder, "show", "feature:a/b/changed") == "1"
    # A merge is a commit of its own, though the release branch stood still
    merged = repository.merge("feature", "release")
    parents = _git(repository.folder, "log", "-1", "--format=%P %s", merged).split(maxsplit=2)
    assert (len(parents[:2]), parents[2].strip()) == (2, "Merge feature")
    assert checkout.is_dir()


def test_a_commit_names_the_execution_that_it_starts(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given pipelines by their words
    monkeypatch.setattr(control, "name_of", lambda aws, which: f"{which} of {aws}")
    monkeypatch.setattr(execution, "started_by", lambda aws, name, commit: f"{aws}: {name}: {commit}")
    tools = tools_file.load()
    repository = rehearsal.scratch_repository(tmp_path / "r", tools.release_branch)
    rehearsed = Rehearsal("tools", tools, {}, repository)  # type: ignore[arg-type]  # only named
    # When, then
    branch = rehearsed.commit("feature", "One", {"x": "1"})
    release = rehearsed.merge("feature")
    assert (branch.pipeline, release.pipeline) == ("branch of tools", "release of tools")
    assert branch.execution == f"tools: branch of tools: {branch.commit}"
    assert release.execution == f"tools: release of tools: {release.commit}"
    assert release.commit == repository.head() != branch.commit
    assert checkout.is_dir()


class Secrets:
    """Secrets Manager of one account and another, which has one secret already."""

    def __init__(self) -> None:
        self.account = ""
        self.exceptions = SimpleNamespace(ResourceExistsException=FileExistsError)
        self.kept: dict[str, str] = {}
        self.there = {"payments/mongodb-staging"}

    def of_account(self, account: str) -> Secrets:
        self.account = account
        return self

    def create_secret(self, Name: str, SecretString: str) -> Any:  # noqa: N803 - boto3's names
        if Name in self.there:
            raise FileExistsError
        return self.put_secret_value(Name, SecretString)

    def put_secret_value(self, SecretId: str, SecretString: str) -> Any:  # noqa: N803 - boto3's names
        self.kept[SecretId] = SecretString
        return {"ARN": f"arn:aws:secretsmanager:eu-central-1:{self.account}:secret:{SecretId}-AbCdEf"}


class Cluster:
    """A MongoDB that asks for a password; notes whose it was given."""

    ca = "-----BEGIN CERTIFICATE-----"
    bare_uri = "mongodb://db.example:27017/?replicaSet=rs0"

    def __init__(self) -> None:
        self.users: dict[str, tuple[str, str | None]] = {}

    def set_user(self, name: str, password: str, database: str | None) -> None:
        self.users[name] = (password, database)


@pytest.fixture
def logged_in(monkeypatch: pytest.MonkeyPatch) -> tuple[Cluster, Secrets, dict[str, Aws]]:
    """Every promoted environment, with a cluster as its database."""
    secrets, cluster = Secrets(), Cluster()
    monkeypatch.setattr(Aws, "client", lambda aws, _: secrets.of_account(aws.environment.account))
    monkeypatch.setattr(embedded_overrides, "ensure_database_vpc", lambda *_: "vpc-0123456789abcdef0")
    targets = {name: Aws(schema.load(name), ENDPOINT, "mongodb://unused") for name in PROMOTED}
    return cluster, secrets, variants.log_in(cluster, targets)  # type: ignore[arg-type]  # what is asked of it


def test_each_environment_logs_in_with_a_user_and_a_secret_of_its_own(
    logged_in: tuple[Cluster, Secrets, dict[str, Aws]],
) -> None:
    cluster, secrets, targets = logged_in
    assert set(targets) == set(cluster.users) == set(PROMOTED)
    for name, target in targets.items():
        password, database = cluster.users[name]
        # Its secret says how, whether or not it was there before
        said = json.loads(secrets.kept[f"payments/mongodb-{name}"])
        assert said == {"username": name, "password": password, "ca_certificates": Cluster.ca}
        assert len(password) >= 21, "sixteen random bytes or more"
        # A branch's stacks have a database each, and the others have one
        assert database == (None if name == "branch" else target.environment.default_stack)
        assert target.mongodb_uri == Cluster.bare_uri
        assert target.environment.database.uri == Cluster.bare_uri
        assert target.environment.database.secret_arn == target.mongodb_secret
        assert target.environment.database.tls
    assert len({password for password, _ in cluster.users.values()}) == len(PROMOTED)


def test_files_state_the_databases_that_the_environments_have_and_keep_all_else(
    logged_in: tuple[Cluster, Secrets, dict[str, Aws]], tmp_path: Path
) -> None:
    # Given the files of this checkout's environments
    _, _, targets = logged_in
    stated = {f"environments/{name}.yml": f"{schema.FOLDER / name}.yml" for name in PROMOTED}
    (tmp_path / "environments").mkdir()
    for path, source in stated.items():
        (tmp_path / path).write_text(_text(source))
    texts = variants.files(tmp_path)
    assert texts == {path: _text(source) for path, source in stated.items()}
    # When they state the cluster
    changed = variants.files_with_database(texts, targets)
    # Then each is valid, and is as before but for its database
    for path, text in changed.items():
        (tmp_path / path).write_text(text)
    for name in PROMOTED:
        before, after = schema.load(name), schema.load(name, tmp_path / "environments")
        assert after.database == targets[name].environment.database
        assert after.model_copy(update={"database": before.database}) == before
    # And a file of another shape is refused, not left as it was
    for text in ("name: prod\n", texts["environments/prod.yml"] * 2):
        with pytest.raises(ValueError, match=r"prod\.yml states no database as one block"):
            variants.files_with_database(texts | {"environments/prod.yml": text}, targets)


def _text(path: Any) -> str:
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - a name
        return file.read()


class Prepared:
    """What preparing a rehearsal asks of the embedded AWS and of the pipelines, in their order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[Any] = []
        self.texts: dict[str, str] | None = None
        self.targets: dict[str, Aws] = {}
        self.minute = 0.0

        def copied(folder: Path, branch: str, texts: dict[str, str]) -> ScratchRepository:
            self.texts = texts
            self.asked.append(("copied", branch))
            return ScratchRepository(folder)

        def deployed(aws: Aws, targets: dict[str, Aws], tools: Any, *, variables: Any, reporter: Any) -> None:
            assert reporter is NOBODY
            assert (aws.endpoint, tools) == (ENDPOINT, tools_file.load())
            self.targets = targets
            self.asked.append(("deployed", variables))

        def stopped(_: Aws, pipeline: str) -> None:
            self.asked.append(("stopped", pipeline))

        def told(root: Path, repository: str, folder: Path) -> None:
            self.asked.append(("registered", repository, folder.relative_to(root).as_posix()))

        def minute(_: Path, seconds: float) -> None:
            self.minute = seconds

        monkeypatch.setattr(rehearsal, "scratch_repository", copied)
        monkeypatch.setattr(pipelines, "deploy", deployed)
        monkeypatch.setattr(execution, "stop_what_began", stopped)
        monkeypatch.setattr(control, "name_of", lambda _, which: f"pipeline-{which}")
        monkeypatch.setattr(
            embedded_overrides, "variables", lambda targets, *, full: [*sorted(targets), full]
        )
        monkeypatch.setattr(instance, "register_repository", told)
        monkeypatch.setattr(instance, "set_minute", minute)


def _local(tmp_path: Path) -> Any:
    return SimpleNamespace(
        root=tmp_path,
        endpoint=ENDPOINT,
        mongodb_uri="mongodb://127.0.0.1:2",
        card_gateway="http://127.0.0.1:3",
    )


@pytest.mark.parametrize("one_account", [False, True])
def test_a_rehearsal_has_the_pipelines_the_accounts_and_a_repository_that_they_hear_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, one_account: bool
) -> None:
    # Given an embedded AWS
    prepared, tools = Prepared(monkeypatch), tools_file.load()
    # When
    rehearsed = rehearsal.prepare(_local(tmp_path), NOBODY, one_account=one_account)
    # Then what the first deployment of the pipelines started is stopped, before they hear of the copy
    ordered = [each for each in prepared.asked if each[0] != "copied"]
    assert ordered == [
        ("deployed", [*sorted(PROMOTED), False]),
        *(("stopped", f"pipeline-{which}") for which in OUTPUTS),
        ("registered", tools.repository, "repository"),
    ]
    assert ("copied", tools.release_branch) in prepared.asked
    assert prepared.minute == 60 / embedded_overrides.SPEEDUP
    # And every environment is there, in its own account or in one, as the files of the copy say
    assert rehearsed.targets == prepared.targets
    assert rehearsed.repository.folder == tmp_path / "repository"
    for name, target in rehearsed.targets.items():
        account = tools.account if one_account else schema.load(name).account
        assert target == Aws(
            schema.load(name).model_copy(update={"account": account}),
            ENDPOINT,
            "mongodb://127.0.0.1:2",
            card_gateway="http://127.0.0.1:3",
        )
    assert prepared.texts == (variants.files_in_one_account(ROOT, tools.account) if one_account else {})


def test_a_cluster_of_your_own_is_in_the_files_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a cluster, and environments that log in to it
    prepared = Prepared(monkeypatch)
    cluster: Any = Cluster()

    def log_in(asked: Any, targets: dict[str, Aws]) -> dict[str, Aws]:
        assert asked is cluster
        return {name: replace(target, mongodb_uri=Cluster.bare_uri) for name, target in targets.items()}

    def stated(texts: dict[str, str], targets: dict[str, Aws]) -> dict[str, str]:
        assert texts == variants.files(ROOT)
        return dict.fromkeys(texts, str(sorted(targets)))

    monkeypatch.setattr(variants, "log_in", log_in)
    monkeypatch.setattr(variants, "files_with_database", stated)
    # When
    rehearsed = rehearsal.prepare(_local(tmp_path), NOBODY, cluster=cluster)
    # Then
    assert {target.mongodb_uri for target in rehearsed.targets.values()} == {Cluster.bare_uri}
    assert prepared.texts == dict.fromkeys(variants.files(ROOT), str(sorted(PROMOTED)))


def test_a_change_is_a_line_of_the_changelog() -> None:
    before = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").rstrip()
    assert rehearsal.a_change() == {"CHANGELOG.md": f"{before}\n- Rehearsed.\n"}
    assert rehearsal.a_change("again") == {"CHANGELOG.md": f"{before}\n- Rehearsed (again).\n"}


def test_without_git_there_is_nothing_to_rehearse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "no-checkout").mkdir()
    monkeypatch.setattr(rehearsal, "ROOT", tmp_path / "no-checkout")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    with pytest.raises(Refused):
        rehearsal.scratch_repository(tmp_path / "copy", "release")
