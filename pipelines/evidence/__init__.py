"""What a release manager decides about, gathered and shown.

`gather.py` puts together one `Evidence` (`evidence.py`): what would change, and whether production still is
what was deployed (`stack_changes.py`), which of it is risky (`risks.py`, by what `exposure.py` finds), how
tests and smoke ended (`reports.py`), which commits are released (`commits.py`), what that costs. `page.py`
shows it as one HTML file, `evidence.py` in the lines that an approval can hold.
"""
