"""Where code and docs disagree: each finding names both places, and all are reported at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipelines.core.refusals import Refused


@dataclass(slots=True)
class Drift:
    """What was found so far."""

    findings: list[str] = field(default_factory=list)

    def note(self, finding: str) -> None:
        """Note one; a sentence that names the code's place and the docs' place."""
        if finding not in self.findings:
            self.findings.append(finding)

    def described(self, text: str | None, what: str, source: str, page: str) -> str:
        """Return the description that a page needs, or note that it is missing.

        Args:
            text: The description.
            what: What it should describe, as `The parameter Attempt`.
            source: The file that defines it.
            page: The page that shows it.
        """
        if not (text or "").strip():
            self.note(f"{what} has no description in {source}; docs/{page} is made of it.")
        return text or ""

    def raise_if_any(self) -> None:
        """Refuse when docs and code disagree anywhere.

        Raises:
            Refused: There is one at least.
        """
        if self.findings:
            raise Refused("\n".join(["The docs and the code disagree:", *self.findings]))
