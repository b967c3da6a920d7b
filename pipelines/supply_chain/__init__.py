"""What we are made of and whether it can be trusted: one named check for each question, each with a report.

`catalogue.py` lists them; every other module answers one question and returns its `Verdict`. A check that
could not be made is no pass: it says so, and `payments audit` ends with an error unless it was told that this
one may stay open (`reports.py`, `reports/audit/`).
"""
