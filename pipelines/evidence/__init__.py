"""What a release manager decides about, gathered and shown.

`gather.py` puts together one `Evidence`: what would change (`stack_changes.py`), which of it is risky
(`risks.py`, from `grants.py` and `openings.py`), what tests and smoke said (`reports.py`), which commits it
is (`commits.py`), whether production still is what was deployed (`drift.py`), what that costs (`prices.py`).
`page.py` and `details.py` show it as one HTML file, `summary.py` in the few lines that an approval may hold.
"""
