"""The audit: each check finds what was seeded, and a check that could not look is never a pass."""

from __future__ import annotations

import json
import subprocess
import threading
import zipfile
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from pipelines.build import package_manifest
from pipelines.cli import lint
from pipelines.cli.main import main
from pipelines.core.repository import ROOT
from pipelines.supply_chain import inventory, licences, secrets, static_analysis
from pipelines.supply_chain.check_result import JUNIT, CannotCheck, CheckResult, CheckStatus, result_of
from pipelines.supply_chain.licences import spdx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

KEY = "AKIA" + "QWERTYUIOPASDFGH"


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    subprocess.run(
        ["git", "-C", str(folder), *who, *arguments],  # noqa: S607 - the git that the developer uses
        check=True,
        capture_output=True,
    )


def in_junit(folder: Path, kind: str) -> ET.Element:
    (found,) = ET.parse(folder / JUNIT).getroot().iter(kind)  # noqa: S314 - our own report
    return found


@pytest.fixture
def answers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[[dict[str, CheckResult | str]], None]:
    """Let checks answer as a test asks; a text is why one cannot look. Reports go to a temporary folder."""
    monkeypatch.setattr(lint, "_REPORTS", tmp_path / "audit")
    monkeypatch.setattr(lint, "ROOT", tmp_path)

    def replace(results: dict[str, CheckResult | str]) -> None:
        def checking(answer: CheckResult | str) -> Callable[[], CheckResult]:
            def check() -> CheckResult:
                if isinstance(answer, str):
                    raise CannotCheck(answer)
                return answer

            return check

        for name, answer in results.items():
            monkeypatch.setitem(lint.CHECKS, name, checking(answer))

    return replace


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ("audit", *arguments), env={"COLUMNS": "300"})


def test_a_check_that_could_not_look_fails_the_audit_and_says_so(
    answers: Callable[[dict[str, CheckResult | str]], None], tmp_path: Path
) -> None:
    # Given a service that does not answer
    answers({"locks": result_of("3 packages", []), "advisories": "nobody answers"})
    # When everything else passed
    result = run("locks", "advisories")
    # Then the audit did not, and its reports call it an error
    assert result.exit_code == 1
    assert "NOT CHECKED advisories: nobody answers" in result.output
    assert "could not check: advisories" in result.output
    assert in_junit(tmp_path, "error").get("message") == "not checked: nobody answers"
    assert json.loads((tmp_path / "audit" / "advisories.json").read_text())["status"] == "not checked"


def test_it_may_stay_unchecked_only_where_that_was_said_and_is_still_told(
    answers: Callable[[dict[str, CheckResult | str]], None], tmp_path: Path
) -> None:
    answers({"locks": result_of("3 packages", []), "advisories": "nobody answers"})
    result = run("locks", "advisories", "--unchecked", "advisories")
    assert result.exit_code == 0, result.output
    assert "1 checks passed; NOT CHECKED, as accepted: advisories" in result.output
    assert in_junit(tmp_path, "skipped").get("message") == "not checked: nobody answers"


def test_what_was_found_fails_the_audit_even_where_it_might_have_stayed_unchecked(
    answers: Callable[[dict[str, CheckResult | str]], None], tmp_path: Path
) -> None:
    answers({"advisories": result_of("2 packages", ["urllib3 1: CVE-1"])})
    result = run("advisories", "--unchecked", "advisories")
    assert (result.exit_code, "urllib3 1: CVE-1" in result.output) == (1, True)
    assert in_junit(tmp_path, "failure").text == "urllib3 1: CVE-1"


def test_a_check_that_nobody_knows_is_refused() -> None:
    assert run("weather").exit_code == 2


def test_our_locks_name_a_digest_for_every_file_and_are_those_of_their_projects() -> None:
    result = inventory.check_locks(ROOT)
    assert (result.status, result.findings) == (CheckStatus.PASSED, ())


def test_a_package_without_a_digest_and_one_from_nowhere_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a project whose lock has one of each, and which asks for something else by now
    monkeypatch.setattr(inventory, "PROJECTS", {"ours": "."})
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "x"\nversion = "0"\nrequires-python = ">=3.11"\ndependencies = ["click"]\n'
    )
    (tmp_path / "uv.lock").write_text(
        'version = 1\nrequires-python = ">=3.11"\n'
        '[[package]]\nname = "a"\nversion = "1"\nsource = { registry = "https://index" }\n'
        'wheels = [{ url = "https://index/a.whl" }]\n'
        '[[package]]\nname = "b"\nversion = "1"\nsource = { git = "https://elsewhere" }\n'
        '[[package]]\nname = "x"\nversion = "0"\nsource = { virtual = "." }\n'
    )
    # When it is looked at, then each is named
    found = "\n".join(inventory.check_locks(tmp_path).findings)
    for words in (
        "a: https://index/a.whl has no SHA-256",
        "b comes from git",
        "b has no file",
        "uv.lock is not",
    ):
        assert words in found


def test_a_package_whose_list_leaves_something_out_is_found(tmp_path: Path) -> None:
    # Given a package with a library that its SBOM does not list
    archive, listing = tmp_path / "f.zip", tmp_path / "f.cdx.json"
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("f/handler.py", "")
        made.writestr("urllib3/__init__.py", "")
        made.writestr("rich/__init__.py", "")
    digest = sha256(archive.read_bytes()).hexdigest()
    component = {"hashes": [{"alg": "SHA-256", "content": digest}]}
    listed = [{"name": "urllib3", "version": "2"}]
    listing.write_text(json.dumps({"components": listed, "metadata": {"component": component}}))
    package = {
        "file": "f.zip",
        "sha256": digest,
        "bytes": archive.stat().st_size,
        "sbom": "f.cdx.json",
        "sbom_sha256": sha256(listing.read_bytes()).hexdigest(),
    }
    package_manifest.write_packages(tmp_path, {"f": package_manifest.Package(**_complete(package))})
    # Then it is found
    assert inventory.check_contents(tmp_path).findings == ("f: holds rich, which its SBOM does not list",)


def _complete(known: dict[str, Any]) -> dict[str, Any]:
    fields = package_manifest.Package.__dataclass_fields__
    return {name: known.get(name, "") for name in fields}


def test_nothing_built_is_nothing_checked(tmp_path: Path) -> None:
    with pytest.raises(CannotCheck, match="payments package"):
        inventory.check_contents(tmp_path)


@pytest.mark.parametrize(
    ("licence", "ships", "uses"),
    [
        ("MIT", True, True),
        ("MIT AND PSF-2.0", True, True),
        ("GPL-3.0-or-later OR MIT", True, True),
        ("MPL-2.0", False, True),
        ("MIT AND GPL-3.0-only", False, False),
        ("AGPL-3.0-only", False, False),
        ("GNU General Public License (GPL)", False, False),
    ],
)
def test_a_licence_is_allowed_by_what_it_asks_of_whoever_ships_or_uses(
    licence: str, ships: bool, uses: bool
) -> None:
    assert licences.allowed(licence, licences.SHIPPED) == ships
    assert licences.allowed(licence, licences.TOOLS) == uses


@pytest.mark.parametrize(
    ("expression", "classifiers", "free_text", "name"),
    [
        ("BSD-3-Clause", [], "BSD", "BSD-3-Clause"),
        ("", ["License :: OSI Approved :: MIT License"], "", "MIT"),
        ("", [], "Apache License 2.0", "Apache-2.0"),
        ("", ["License :: OSI Approved :: GNU Affero GPL"], "whatever", "GNU Affero GPL"),
        ("", [], "see LICENSE", ""),
    ],
)
def test_a_licence_is_read_from_what_a_package_says(
    expression: str, classifiers: list[str], free_text: str, name: str
) -> None:
    assert spdx(expression, classifiers, free_text) == name


def test_a_secret_in_a_file_is_found_and_its_value_is_kept_nowhere(tmp_path: Path) -> None:
    # Given a checkout with an access key in it
    root = tmp_path / "checkout"
    root.mkdir()
    (root / "settings.py").write_text(f'key = "{KEY}"  # pragma: allowlist secret\n')
    (root / "clean.py").write_text("x = 1\n")
    # When it is looked at, twice
    notes = tmp_path / "notes"
    results = [secrets.in_tree(root, notes) for _ in range(2)]
    # Then the key is found both times, comment or not, and is in no report and no note
    for result in results:
        (found,) = result.findings
        assert found.startswith("settings.py:1: looks like AWS Access Key")
    assert KEY not in repr(results)
    assert all(KEY not in path.read_text() for path in notes.iterdir())


def test_a_secret_that_was_removed_is_still_in_the_history(tmp_path: Path) -> None:
    # Given a key that was committed, and taken out again
    root = tmp_path / "clone"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    (root / "settings.py").write_text(f'key = "{KEY}"\n')
    for message in ("Add", "Remove"):
        git(root, "add", "-A")
        git(root, "commit", "-q", "-m", message)
        (root / "settings.py").write_text('key = environ["KEY"]\n')
    # Then the tree is clean and the history is not
    assert secrets.in_tree(root, tmp_path / "notes").findings == ()
    found = [one for one in secrets.in_history(root, tmp_path / "notes").findings if "AWS Access Key" in one]
    assert len(found) == 1


def test_without_a_history_it_is_not_checked(tmp_path: Path) -> None:
    # Given the files of a commit, in a folder of another checkout
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "Another one's")
    (archive := tmp_path / "archive").mkdir()
    # When their history is asked for; Then nobody takes the other one's for it
    with pytest.raises(CannotCheck, match="no history"):
        secrets.in_history(archive)


def test_everything_that_is_no_secret_says_why() -> None:
    assert all(reason.strip() for reason in secrets.explained().values())


def test_what_is_unsafe_and_an_exception_without_a_reason_are_found(tmp_path: Path) -> None:
    # Given code with a shell, an exception that says why, and one that does not
    for folder in static_analysis._FOLDERS:
        (tmp_path / folder).mkdir()
    shell = 'import subprocess\n\nsubprocess.run("ls", shell=True)'
    (tmp_path / "pipelines" / "bad.py").write_text(f"{shell}\n")
    (tmp_path / "pipelines" / "said.py").write_text(f"{shell}  # no" + "qa: S602, S607 - a constant\n")
    (tmp_path / "pipelines" / "silent.py").write_text(f"{shell}  # no" + "qa: S602, S607\n")
    # Then the two are found
    found = static_analysis.check_code(tmp_path).findings
    assert [one.partition(" ")[0] for one in found if "S602" in one] == [
        "pipelines/bad.py:3:",
        "pipelines/silent.py:3:",
    ]


def test_our_code_is_clean_and_every_exception_says_why() -> None:
    assert static_analysis.check_code(ROOT).findings == ()


class Advisories(BaseHTTPRequestHandler):
    """Answers as OSV does: one package is vulnerable, one is not known, every other is fine."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name, fine = asked["package"]["name"], asked["package"]["name"] != self.server.vulnerable  # type: ignore[attr-defined]
        affected = {
            "package": {"name": name, "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "9.9"}]}],
        }
        vulnerable = {"id": "PYSEC-1", "summary": "bad", "details": "bad", "affected": [affected]}
        body = json.dumps({} if fine else {"vulns": [vulnerable]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def osv(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], str]]:
    """A service that answers as OSV does, about a lock of two packages; it is told which is vulnerable."""
    two = [inventory.Package("click", "8.5.0"), inventory.Package("rich", "15.0.0")]
    monkeypatch.setattr(inventory, "PROJECTS", {"ours": "."})
    monkeypatch.setattr(inventory, "packages", lambda *_: two)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Advisories)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()

    def answering(vulnerable: str) -> str:
        server.vulnerable = vulnerable  # type: ignore[attr-defined]
        return f"http://127.0.0.1:{server.server_port}/v1/query"

    yield answering
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_known_vulnerability_is_found(osv: Callable[[str], str]) -> None:
    assert inventory.check_advisories(ROOT, osv("rich")).findings == ("rich 15.0.0: PYSEC-1, fixed in 9.9",)


def test_a_service_that_does_not_answer_has_found_nothing_and_checked_nothing(
    osv: Callable[[str], str],
) -> None:
    nowhere = osv("nobody").replace("/v1/query", "").rpartition(":")[0] + ":1/v1/query"
    with pytest.raises(CannotCheck, match="could not be asked"):
        inventory.check_advisories(ROOT, nowhere)


def test_what_checkov_finds_unexplained_in_a_template_is_found_and_not_asked_again_once_it_is_clean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a checkov that finds one thing, passes over two, and says why of one of these
    check = {"file_path": "/prod-docs.json", "resource": "AWS::S3::Bucket.Docs", "check_name": "Log access"}
    failed = check | {"check_id": "CKV_AWS_18"}
    skipped = [check | {"check_id": name, "check_result": why} for name, why in _SKIPPED.items()]
    tool = _checkov(tmp_path, monkeypatch, failed=[failed], skipped=skipped)
    template: dict[str, Any] = {"prod/docs": {"Resources": {}}}
    # Then what it found and what was passed over without a reason are findings
    assert static_analysis.check_templates(template, tmp_path / "notes").findings == (
        "prod/docs: CKV_AWS_21 AWS::S3::Bucket.Docs is skipped without a reason",
        "prod/docs: Docs: CKV_AWS_18 Log access",
    )
    # And templates that were clean once are not read again, while others are
    _checkov(tmp_path, monkeypatch, failed=[], skipped=[])
    assert static_analysis.check_templates(template, tmp_path / "notes").status is CheckStatus.PASSED
    tool.unlink()
    assert static_analysis.check_templates(template, tmp_path / "notes").status is CheckStatus.PASSED
    with pytest.raises(CannotCheck, match="make checkov"):
        static_analysis.check_templates(template | {"prod/network": {}}, tmp_path / "notes")


_SKIPPED = {"CKV_AWS_21": {}, "CKV_AWS_144": {"suppress_comment": "one region"}}


def _checkov(folder: Path, monkeypatch: pytest.MonkeyPatch, **results: list[Any]) -> Path:
    """Put a program in checkov's place that reports these results."""
    report = {
        "results": {f"{kind}_checks": found for kind, found in results.items()},
        "summary": {kind: len(found) for kind, found in results.items()}
        | {"passed": 1, "parsing_errors": 0, "checkov_version": "3"},
    }
    tool = folder / "checkov"
    tool.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(report)}\nEND\n")
    tool.chmod(0o755)
    monkeypatch.setattr(static_analysis, "CHECKOV", tool)
    return tool
