"""The audit: each check finds what was seeded, and a check that could not look is never a pass."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
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


def test_reports_count_what_they_hold_and_leave_those_of_other_checks_as_they_are(
    answers: Callable[[dict[str, CheckResult | str]], None], tmp_path: Path
) -> None:
    # Given an audit, and another of other checks
    answers(
        {"code": result_of("1 file", ["unsafe"], {"exceptions": {}}), "locks": result_of("2 packages", [])}
    )
    run("locks")
    answers({"history": "no history", "advisories": "nobody answers"})
    run("code", "history", "advisories", "--unchecked", "advisories")
    # Then each check of both has its report
    reports = {path.stem: json.loads(path.read_text()) for path in (tmp_path / "audit").iterdir()}
    assert reports.keys() == {"locks", "code", "history", "advisories"}
    assert reports["code"] == {
        "check": "code",
        "status": "failed",
        "summary": "1 file",
        "findings": ["unsafe"],
        "details": {"exceptions": {}},
    }
    # And JUnit's counts the last audit's
    text = (tmp_path / JUNIT).read_text()
    assert text.startswith("<?xml version=")
    suite = ET.fromstring(text)  # noqa: S314 - our own report
    counts = {"tests": "3", "failures": "1", "errors": "1", "skipped": "1"}
    assert suite.attrib == {"name": "audit"} | counts
    assert [[part.tag for part in case] for case in suite] == [["failure"], ["error"], ["skipped"]]


def test_a_machine_gets_the_results_and_nothing_else_and_a_person_the_findings(
    answers: Callable[[dict[str, CheckResult | str]], None],
) -> None:
    # Given a check that found something
    answers({"locks": result_of("3 packages", ["a has no SHA-256"])})
    # Then a machine reads it as JSON, and a person in lines
    told = {"status": "failed", "summary": "3 packages", "findings": ["a has no SHA-256"]}
    assert json.loads(run("locks", "--json").stdout) == {"locks": told}
    assert run("locks").stdout.splitlines() == ["✗ locks: 3 packages", "  a has no SHA-256"]


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


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a project is with packages that ship and packages that do not, and an environment apart."""
    listed = ['name = "x"\nversion = "0"\nsource = { virtual = "." }\n']
    ours = {"inside": "MPL-2.0", "tool": "MPL-2.0", "worse": "GPL-3.0-only", "silent": "", "excused": "AGPL"}
    shipped = ", ".join(f'{{ name = "{name}" }}' for name in ("inside", "absent"))
    groups = "\n".join(f"{group} = [{shipped}]" for group in licences.GROUPS)
    listed[0] += f"\n[package.dev-dependencies]\n{groups}\n"
    for name in (*ours, "absent"):
        file = f'{{ url = "https://index/{name}-1-py3-none-any.whl", hash = "sha256:{"0" * 64}" }}'
        source = '{ registry = "https://index" }'
        listed.append(f'name = "{name}"\nversion = "1"\nsource = {source}\nwheels = [{file}]\n')
    header = 'version = 1\nrequires-python = ">=3.11"\n'
    (tmp_path / "uv.lock").write_text(header + "".join(f"[[package]]\n{part}" for part in listed))
    project = '[project]\nname = "x"\nversion = "0"\nrequires-python = ">=3.11"\n'
    (tmp_path / "pyproject.toml").write_text(
        f"{project}[dependency-groups]\n"
        + "".join(f'{group} = ["inside", "absent"]\n' for group in licences.GROUPS)
    )
    (library := tmp_path / "lambdas" / "payment_data").mkdir(parents=True)
    (library / "pyproject.toml").write_text('[project]\nname = "payment-data"\nversion = "1"\n')
    apart = tmp_path / ".cache" / "apart" / "lib" / "python3" / "site-packages"
    for folder, packages in ((tmp_path / "site", ours), (apart, {"other": "GPL-2.0-only"})):
        for name, licence in packages.items():
            stated = f"License-Expression: {licence}\n" if licence else "License: see the file\n"
            (folder / f"{name}-1.dist-info").mkdir(parents=True)
            (folder / f"{name}-1.dist-info" / "METADATA").write_text(
                f"Metadata-Version: 2.4\nName: {name}\nVersion: 1\n{stated}"
            )
    elsewhere = [place for place in sys.path if "site-packages" not in place]
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site"), *elsewhere])
    monkeypatch.setattr(inventory, "PROJECTS", {"ours": "."})
    monkeypatch.setattr(licences, "ROOT", tmp_path)
    monkeypatch.setattr(licences, "APART", {"other project": "apart"})
    monkeypatch.setattr(licences, "EXPLAINED", {"excused": "It runs apart.", "gone": "Once it did."})
    return tmp_path


def test_what_ships_what_is_used_and_what_is_explained_is_held_to_its_own_list(installed: Path) -> None:
    # When the licences of all that is locked and installed are looked at
    result = licences.check(installed)
    # Then each that is not allowed where it is used is named
    assert set(result.findings) == {
        "ours: inside is MPL-2.0, not allowed in what ships",
        "ours: worse is GPL-3.0-only, not allowed in what we use",
        "ours: silent does not state its licence",
        "other project: other is GPL-2.0-only, not allowed in what we use",
        "absent ships and is not installed here, so its licence is unknown",
        "gone is explained and in no lock",
    }
    assert result.summary == "6 packages, 2 of them in what ships"
    assert result.details["ours"]["tool"] == "MPL-2.0"
    # And an environment that is not installed is none whose licences were looked at
    shutil.rmtree(installed / ".cache")
    with pytest.raises(CannotCheck, match="the environment of other project is not installed"):
        licences.check(installed)


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
    # And one in a folder that is called as one that make writes at the top
    # And others in what git, make and tools write, and in a file outside that a link leads to
    (tmp_path / "outside.py").write_text(f'outside = "{KEY}"\n')
    for name in ("part/dist/made.py", ".git/config", ".venv/a.py", "part/__pycache__/b.py", ".coverage.host"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f'name = "{name}"\nkey = "{KEY}"\n')
    (root / "link.py").symlink_to(tmp_path / "outside.py")
    # When it is looked at, twice
    notes = tmp_path / "cache" / "notes"
    results = [secrets.in_tree(root, notes) for _ in range(2)]
    # Then what may be committed is found both times, comment or not, and is in no report and no note
    for result in results:
        assert [found.partition(" (")[0] for found in result.findings] == [
            "part/dist/made.py:2: looks like AWS Access Key",
            "settings.py:1: looks like AWS Access Key",
        ]
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
    # Then the tree is clean, also when there is nothing new to read in it, and the history is not
    for _ in range(2):
        assert secrets.in_tree(root, tmp_path / "notes").findings == ()
    found = secrets.in_history(root, tmp_path / "notes").findings
    assert len([line for line in found if "AWS Access Key" in line]) == 1
    # And nothing that is listed as no secret was ever in it
    never = {f"{secrets.LISTED.name}: {digest} was never in any file" for digest in secrets.explained()}
    assert never <= set(found)


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
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose lock has two packages of an index, and its own."""
    monkeypatch.setattr(inventory, "PROJECTS", {"ours": "."})
    names = {"click": "8.5.0", "rich": "15.0.0"}
    listed = [
        f'name = "{name}"\nversion = "{version}"\nsource = {{ registry = "https://index" }}\n'
        for name, version in names.items()
    ]
    listed.append('name = "x"\nversion = "0"\nsource = { virtual = "." }\n')
    (tmp_path / "uv.lock").write_text("version = 1\n" + "".join(f"[[package]]\n{part}" for part in listed))
    return tmp_path


@pytest.fixture
def osv() -> Iterator[Callable[[str], str]]:
    """A service that answers as OSV does; it is told which package is vulnerable."""
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


def test_a_known_vulnerability_is_found(two: Path, osv: Callable[[str], str]) -> None:
    assert inventory.check_advisories(two, osv("rich")).findings == ("rich 15.0.0: PYSEC-1, fixed in 9.9",)


def test_a_service_that_does_not_answer_has_found_nothing_and_checked_nothing(
    two: Path, osv: Callable[[str], str]
) -> None:
    nowhere = osv("nobody").replace("/v1/query", "").rpartition(":")[0] + ":1/v1/query"
    with pytest.raises(CannotCheck, match="could not be asked"):
        inventory.check_advisories(two, nowhere)


@pytest.mark.parametrize(
    ("printed", "complained", "why"),
    [
        (
            '{"dependencies": [%s, {"name": "rich", "skip_reason": "not known"}]}',
            "",
            "not answer about rich$",
        ),
        ('{"dependencies": [%s]}', "", "did not answer about rich$"),
        ("", "first\nand last", "could not be asked: and last$"),
        ("", "", "could not be asked: it printed nothing$"),
    ],
    ids=["one is skipped", "one is left out", "it fails", "it says nothing"],
)
def test_an_answer_that_is_not_about_every_package_is_none(
    two: Path, monkeypatch: pytest.MonkeyPatch, printed: str, complained: str, why: str
) -> None:
    # Given a pip-audit that ends in such a way
    answer = printed.replace("%s", '{"name": "click", "version": "8.5.0", "vulns": []}')
    tool = two / "pip-audit"
    tool.write_text(f"#!/bin/sh\nprintf '%s' '{answer}'\nprintf '%s' '{complained}' >&2\nexit 1\n")
    tool.chmod(0o755)
    monkeypatch.setattr(inventory.sys, "executable", str(tool.with_name("python")))  # type: ignore[attr-defined]
    # Then nothing was checked
    with pytest.raises(CannotCheck, match=why):
        inventory.check_advisories(two)


def test_what_checkov_finds_unexplained_in_a_template_is_found_and_not_asked_again_once_it_is_clean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a checkov that finds one thing, passes over two, and says why of one of these
    check = {"file_path": "/prod-docs.json", "resource": "AWS::S3::Bucket.Docs", "check_name": "Log access"}
    failed = check | {"check_id": "CKV_AWS_18"}
    skipped = [check | {"check_id": name, "check_result": why} for name, why in _SKIPPED.items()]
    tool = _checkov(tmp_path, monkeypatch, failed=[failed], skipped=skipped)
    template: dict[str, Any] = {"prod/docs": {"Resources": {}}}
    # Then what it found and what was passed over without a reason are findings, and reasons are reported
    result = static_analysis.check_templates(template, tmp_path / "notes")
    assert result.findings == (
        "prod/docs: CKV_AWS_21 AWS::S3::Bucket.Docs is skipped without a reason",
        "prod/docs: Docs: CKV_AWS_18 Log access",
    )
    bucket = "AWS::S3::Bucket.Docs"
    reasons = {f"prod/docs: CKV_AWS_21 {bucket}": "", f"prod/docs: CKV_AWS_144 {bucket}": "one region"}
    assert result.details == {"explained": reasons}
    # And templates that were clean once are not read again, while others are
    _checkov(tmp_path, monkeypatch, failed=[], skipped=[])
    templates = [template, {"prod/payments": {}}]
    for _ in range(2):
        for each in templates:
            assert static_analysis.check_templates(each, tmp_path / "notes").status is CheckStatus.PASSED
        tool.unlink(missing_ok=True)
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
