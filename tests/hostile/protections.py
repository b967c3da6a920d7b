"""Each protection in the code, taken away again by one change of its text: some test has to notice every one.

`mutants.py` does the same for permissions. `test_protections.py` holds that each change still applies;
`make hostile` makes each of them in a copy of the tree and runs the tests that have to notice it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Protection:
    """A check in the code, and the program without it.

    Attributes:
        name: What it protects from, for a reader.
        file: The module, below the repository's root.
        before: The text of the check; it occurs once.
        after: What stands in its place when nothing is checked.
        tests: Files, or single tests, of which one has to fail.
    """

    name: str
    file: str
    before: str
    after: str
    tests: tuple[str, ...]


_BUILD, _PROMOTION = "pipelines/build", "pipelines/promotion"
_WHEELS: Final = f"{_BUILD}/wheels.py"
_PROVENANCE: Final = f"{_BUILD}/provenance.py"
_VERIFICATION: Final = f"{_PROMOTION}/verification.py"
_CHECKS: Final = f"{_PROMOTION}/checks.py"
_PUBLISH: Final = f"{_PROMOTION}/publish_release.py"
_RECORDS: Final = f"{_PROMOTION}/records.py"
_RUNNING: Final = f"{_PROMOTION}/running_stack.py"
_STORE: Final = "pipelines/deploy/artifacts.py"
_STAGES: Final = "pipelines/definitions/release_stages.py"
_TURNS: Final = "pipelines/definitions/release_turns.py"
_DOCS: Final = "templates/capabilities/docs_distribution.py"

_OF_WHEELS: Final = ("tests/pipelines/test_wheels.py",)
_OF_BYTES: Final = ("tests/pipelines/promotion/test_changed_bytes.py",)
_OF_PROVENANCE: Final = ("tests/pipelines/promotion/test_provenance.py",)
_OF_CHECKS: Final = ("tests/pipelines/promotion/test_verification.py",)
_OF_REVIEWS: Final = ("tests/pipelines/promotion/test_reviewed.py",)
_OF_RECORDS: Final = ("tests/pipelines/promotion/test_records.py",)
_OF_SIGNING: Final = ("tests/pipelines/promotion/test_signing.py",)
_OF_LIBRARY: Final = ("tests/pipelines/promotion/test_library.py",)
_OF_STORE: Final = ("tests/integration/embedded/test_package_store.py",)
_OF_RUNNING: Final = ("tests/rehearsal/test_running_stack.py",)
_OF_STAGES: Final = ("tests/pipelines/definitions/test_promotion.py",)
_OF_TURNS: Final = ("tests/integration/codesuite/test_release_turns.py",)
_OF_ROLLBACKS: Final = ("tests/integration/codesuite/test_production_rollback.py",)
_OF_PREVIEWS: Final = ("tests/hostile/test_previews.py",)
_OF_DOCS: Final = ("tests/templates/test_docs.py",)
_OF_CACHE: Final = ("tests/pipelines/promotion/test_check_cache.py",)
_OF_IMAGES: Final = ("tests/integration/embedded/test_images.py",)
_PACKAGING: Final = "tests/pipelines/test_packaging.py"

_WHAT_SHIPS: Final = (
    Protection(
        "a changed wheel in the cache",
        _WHEELS,
        "return content if hashlib.sha256(content).hexdigest() == wheel.sha256 else None",
        "return content",
        _OF_WHEELS,
    ),
    Protection(
        "a file that a wheel's RECORD does not name", _WHEELS, "if wrong or absent:", "if absent:", _OF_WHEELS
    ),
    Protection("a file that a wheel lacks", _WHEELS, "if wrong or absent:", "if wrong:", _OF_WHEELS),
    Protection(
        "a requirement without a hash",
        _WHEELS,
        'if match is None or match["marker"]:',
        "if match is None:",
        _OF_WHEELS,
    ),
    Protection(
        "a changed archive of an earlier build",
        f"{_BUILD}/packaging.py",
        "if not (before and unchanged and package_manifest.file_digest(archive) == before.sha256):",
        "if not (before and unchanged):",
        (f"{_PACKAGING}::test_a_damaged_archive_is_built_again",),
    ),
    Protection(
        "a changed package beside the manifest",
        f"{_BUILD}/package_manifest.py",
        "if not path.is_file() or file_digest(path) != sha256:",
        "if not path.is_file():",
        (f"{_PACKAGING}::test_packages_that_are_not_what_was_built_are_refused",),
    ),
    Protection(
        "another library than this source's",
        f"{_BUILD}/library.py",
        "    if wrong:\n",
        "    if not names:\n",
        _OF_LIBRARY,
    ),
    Protection(
        "a published version with other bytes",
        f"{_BUILD}/library.py",
        'exactly = ["--no-deps", "--require-hashes",',
        'listing.write_text(wanted.partition(" --hash")[0])\n        exactly = ["--no-deps",',
        _OF_LIBRARY,
    ),
    Protection(
        "two zips with different bytes of one file in an image",
        f"{_BUILD}/image.py",
        "if path.exists() and path.read_bytes() != content:",
        "if False:",
        _OF_IMAGES,
    ),
    Protection(
        "a changed zip in an image",
        f"{_BUILD}/image.py",
        "manifest = package_manifest.read_intact(packages)",
        "manifest = package_manifest.read_manifest(packages)",
        _OF_IMAGES,
    ),
    Protection(
        "a record of a part in place of the whole",
        f"{_BUILD}/check_cache.py",
        "(earlier.zone, earlier.part) != (zone.current(), kind.part):",
        "earlier.zone != zone.current():",
        _OF_CACHE,
    ),
    Protection(
        "a branch's record of a check",
        f"{_BUILD}/check_cache.py",
        "(earlier.zone, earlier.part) != (zone.current(), kind.part):",
        "earlier.part != kind.part:",
        _OF_CACHE,
    ),
)
_WHAT_IS_STORED: Final = (
    Protection(
        "other bytes under a package's key",
        _STORE,
        'return head.get("VersionId") if head.get("ChecksumSHA256") == _checksum(package) else None',
        'return head.get("VersionId")',
        _OF_STORE,
    ),
    Protection(
        "a package that changed before its upload",
        _STORE,
        "if hashlib.sha256(content).hexdigest() != package.sha256:",
        "if False:",
        _OF_STORE,
    ),
    Protection(
        "a store that keeps no versions", _STORE, "    if not version:\n", "    if False:\n", _OF_STORE
    ),
    Protection(
        "a stored package that changed",
        _STORE,
        'return "" if checksum == expected else',
        'return "" if checksum else',
        _OF_BYTES,
    ),
)
_WHAT_IS_SIGNED: Final = (
    Protection(
        "a template that this source does not make",
        _PUBLISH,
        "    if wrong:\n",
        "    if not made:\n",
        _OF_SIGNING,
    ),
    Protection(
        "a source that Build did not check",
        _PUBLISH,
        "if checked is None or checked.source != source:",
        "if checked is None:",
        _OF_SIGNING,
    ),
    Protection(
        "a build without a record",
        _PUBLISH,
        "if checked is None or checked.source != source:",
        "if checked and checked.source != source:",
        _OF_SIGNING,
    ),
    Protection(
        "a proof of another source",
        _PUBLISH,
        " or proof.source != check_cache.digest(ROOT, proof.machine):",
        ":",
        _OF_SIGNING,
    ),
    Protection(
        "a proof of a part of the money path", _PUBLISH, "or proof.part != kind.part ", "", _OF_SIGNING
    ),
    Protection(
        "settings that nobody signed",
        _PUBLISH,
        'DIST, "packages", "settings")',
        'DIST, "packages")',
        _OF_SIGNING,
    ),
    Protection(
        "a statement that KMS did not sign",
        _PROVENANCE,
        '        if error.response["Error"]["Code"] != "KMSInvalidSignatureException":\n            raise\n'
        '        raise NotGenuine("The release pipeline\'s key did not sign this statement.") from error\n',
        "        del error\n",
        _OF_PROVENANCE,
    ),
    Protection(
        "a download that the key did not sign",
        _PROVENANCE,
        '        raise NotGenuine("This key did not sign this statement.") from error\n',
        "        del error\n",
        _OF_PROVENANCE,
    ),
    Protection(
        "a statement of another kind",
        _PROVENANCE,
        "if kinds != (_PAYLOAD, _STATEMENT, _PREDICATE):",
        "if not kinds:",
        _OF_PROVENANCE,
    ),
    Protection(
        "a file that was not signed",
        _PROVENANCE,
        "        if digest != subjects.get(subject):\n",
        "        if not digest:\n",
        _OF_BYTES,
    ),
)
_WHAT_IS_VERIFIED: Final = (
    Protection(
        "a release that nobody signed",
        _VERIFICATION,
        "    provenance.verify(tools, key, envelope)\n",
        "",
        _OF_BYTES,
    ),
    Protection(
        "a changed template of Build",
        _VERIFICATION,
        ', (built, ("templates/",))):',
        "):",
        _OF_BYTES,
    ),
    Protection(
        "changed settings",
        _VERIFICATION,
        '("packages/", "settings/")',
        '("packages/",)',
        _OF_BYTES,
    ),
    Protection(
        "a package that the store no longer holds",
        _VERIFICATION,
        "[] if stored is None else artifacts.stored_differences(tools, stored, manifest)",
        "[]",
        _OF_BYTES,
    ),
    Protection(
        "other code than staging ran", _VERIFICATION, "if ran != expected:", "if not ran:", _OF_CHECKS
    ),
    Protection(
        "a review of another template",
        _VERIFICATION,
        'if after["template"] != records.template_digest(template):',
        'if not after["template"]:',
        _OF_CHECKS,
    ),
    Protection(
        "a review of other code",
        _VERIFICATION,
        "if (key, version) != (package.key, versions.get(name)):",
        "if key != package.key:",
        _OF_CHECKS,
    ),
    Protection(
        "a review of another image",
        _VERIFICATION,
        "if parameters.get(IMAGE_DIGEST) != held:",
        "if not parameters.get(IMAGE_DIGEST):",
        _OF_CHECKS,
    ),
    Protection(
        "a change set that nobody reviewed",
        _VERIFICATION,
        "wrong = records.change_differences(expected, prepared)",
        "wrong = []",
        _OF_CHECKS,
    ),
    Protection(
        "a rollback to what nobody approved",
        _VERIFICATION,
        'wrong = records.state_differences(expected["after"], records.after(prepared))',
        "wrong = []",
        _OF_CHECKS,
    ),
    Protection(
        "a change of production after the approval",
        _VERIFICATION,
        "    if not rollback:\n        problems +=",
        "    if rollback:\n        problems +=",
        _OF_CHECKS,
    ),
    Protection(
        "a rollback where nothing changed", _VERIFICATION, "    if differs:\n", "    if False:\n", _OF_CHECKS
    ),
    Protection(
        "production that runs something else",
        _VERIFICATION,
        "    if wrong:\n",
        "    if not running:\n",
        _OF_CHECKS,
    ),
    Protection(
        "asking again where production moved",
        _CHECKS,
        '(folder / MOVED).write_text("yes\\n")',
        '(folder / MOVED).write_text("no\\n")',
        _OF_CHECKS,
    ),
    Protection(
        "another release in production's stage",
        _CHECKS,
        "if inside is not None and inside.under_way:",
        "if False:",
        _OF_CHECKS,
    ),
    Protection(
        "a change while it is asked again",
        _CHECKS,
        "    if answer != _UNMOVED:\n",
        "    if not answer:\n",
        _OF_CHECKS,
    ),
    Protection(
        "a last look at the review",
        _CHECKS,
        "check_review(prod, release, review, artifacts.built)\n    verification.",
        "",
        _OF_CHECKS,
    ),
    Protection(
        "a last look at what staging ran",
        _CHECKS,
        "_in_production(tools)\n    _check_staging(tools, release, pipeline, current.release)\n",
        "_in_production(tools)\n",
        _OF_CHECKS,
    ),
    Protection(
        "a rollback of a refusal",
        _CHECKS,
        "        verification.check_unchanged(prod, change_set)\n",
        "",
        _OF_CHECKS,
    ),
    Protection(
        "the signature, before every check",
        _CHECKS,
        "release = verification.read_release(tools, key, artifacts.packages, artifacts.built)",
        "release = verification.Release({}, None, None, {})",
        _OF_CHECKS,
    ),
)
_WHAT_IS_RECORDED: Final = (
    Protection(
        "a changed record in the bucket",
        _RECORDS,
        "if content is not None and digest(content) == expected:",
        "if content is not None:",
        _OF_RECORDS,
    ),
    Protection(
        "a review that failed",
        _RECORDS,
        'and detail["status"] == "Succeeded"',
        'and detail["status"]',
        _OF_RECORDS,
    ),
    Protection(
        "an earlier review",
        _RECORDS,
        'max(done, key=lambda detail: detail["startTime"])',
        'min(done, key=lambda detail: detail["startTime"])',
        _OF_RECORDS,
    ),
    Protection(
        "a deployment of another stage",
        _RECORDS,
        'detail["stageName"] == stage\n        and',
        "stage and",
        _OF_RECORDS,
    ),
    Protection(
        "other parameters or tags",
        _RECORDS,
        'for kind in ("parameters", "tags"):',
        'for kind in ("parameters",):',
        _OF_REVIEWS,
    ),
    Protection(
        "other changes of resources",
        _RECORDS,
        "for text in reviewed.keys() ^ ready.keys()",
        "for text in reviewed.keys() - reviewed.keys()",
        _OF_REVIEWS,
    ),
)
_WHAT_RUNS: Final = (
    Protection(
        "a byte of a function's code",
        _RUNNING,
        'return {f"{title} code": sha256, f"{title} settings"',
        'return {f"{title} code": sha256[:0], f"{title} settings"',
        _OF_RUNNING,
    ),
    Protection(
        "where a function's alias leads",
        _RUNNING,
        '    "AWS::Lambda::Alias": _function_alias,\n',
        "",
        _OF_RUNNING,
    ),
    Protection(
        "a share of requests",
        _RUNNING,
        '(alias["FunctionVersion"], *sorted(more))',
        '(alias["FunctionVersion"],)',
        _OF_RUNNING,
    ),
    Protection(
        "where the workflow's alias leads",
        _RUNNING,
        '    "AWS::StepFunctions::StateMachineAlias": _workflow_alias,\n',
        "",
        _OF_RUNNING,
    ),
    Protection(
        "a workflow's definition",
        _RUNNING,
        '    "AWS::StepFunctions::StateMachine": _workflow,\n',
        "",
        _OF_RUNNING,
    ),
    Protection(
        "the API's routes",
        _RUNNING,
        "return running | _apis(aws, resources, plain)",
        "return running",
        _OF_RUNNING,
    ),
)
_WHAT_THE_PIPELINE_DOES: Final = (
    Protection(
        "comparing before anything is executed",
        _STAGES,
        '        _check(shared, "Verify", "prepared", variables={"PREPARED": RELEASE}),\n',
        "",
        _OF_STAGES,
    ),
    Protection(
        "comparing after the deployment",
        _STAGES,
        '            _check(shared, "Compare", "running"),\n',
        "",
        _OF_STAGES,
    ),
    Protection(
        "recording what staging ran",
        _STAGES,
        '_check(shared, "Record", "record",',
        '_check(shared, "Record", "running",',
        _OF_STAGES,
    ),
    Protection(
        "the way back",
        _STAGES,
        "            minutes=shared.tools.bake_minutes,\n        ),\n        on_failure=rollback(),\n",
        "            minutes=shared.tools.bake_minutes,\n        ),\n",
        _OF_STAGES,
    ),
    Protection(
        "verifying an approval",
        _STAGES,
        '            "Verify",\n            "approved",\n',
        '            "Verify",\n            "record",\n',
        _OF_STAGES,
    ),
    Protection(
        "waiting for those ahead",
        _STAGES,
        '        await_free(turns, "Turn", [AGAIN, PRODUCTION]),\n',
        "",
        _OF_STAGES,
    ),
    Protection(
        "a turn that waits for nobody",
        _TURNS,
        '{"Condition": jsonata("$quiet > 0 and ($not($failed) or $quiet > 1)"), "Next": TURN}',
        '{"Condition": jsonata("$quiet >= 0"), "Next": TURN}',
        _OF_TURNS,
    ),
    Protection(
        "a rollback that begins a moment later",
        _TURNS,
        "$quiet > 0 and ($not($failed) or $quiet > 1)",
        "$quiet > 0",
        _OF_TURNS,
    ),
    Protection(
        "whom a failed release had not changed",
        _RECORDS,
        'and detail["input"].get("configuration", {}).get("ActionMode") == "CHANGE_SET_EXECUTE"',
        'and detail["input"].get("configuration", {})',
        _OF_ROLLBACKS,
    ),
    Protection(
        "whose release a rollback is about",
        _RECORDS,
        "return Run(target, execution, rollback=True, under_way=under_way, failed=failed)",
        "return Run(execution, execution, rollback=True, under_way=under_way, failed=failed)",
        _OF_RECORDS,
    ),
    Protection(
        "verifying what was asked again",
        _STAGES,
        '            "approved-again",\n',
        '            "record",\n',
        _OF_STAGES,
    ),
    Protection(
        "change sets of production's own making",
        _STAGES,
        "change_set=RELEASE, namespace=namespace",
        "change_set=REVIEW, namespace=namespace",
        _OF_STAGES,
    ),
)
_WHAT_READERS_SEE: Final = (
    Protection(
        "a preview that scripts the evidence",
        "environments/tools.py",
        'PREVIEWS_STACK: Final = "payments-previews"',
        'PREVIEWS_STACK: Final = "payments-docs"',
        _OF_PREVIEWS,
    ),
    Protection(
        "a page in a stranger's frame",
        _DOCS,
        "\"frame-ancestors 'none'\"",
        '"frame-ancestors *"',
        _OF_DOCS,
    ),
    Protection(
        "a page that asks another host",
        _DOCS,
        "\"default-src 'self'\"",
        '"default-src *"',
        _OF_DOCS,
    ),
)
PROTECTIONS: Final = (
    *_WHAT_SHIPS, *_WHAT_IS_STORED, *_WHAT_IS_SIGNED, *_WHAT_IS_VERIFIED, *_WHAT_IS_RECORDED, *_WHAT_RUNS,
    *_WHAT_THE_PIPELINE_DOES, *_WHAT_READERS_SEE,
)  # fmt: skip
