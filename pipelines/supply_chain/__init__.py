"""Audit what the product is made of: one named check for each question, each with a report.

`payments audit` lists them; every module here answers one question and returns its `CheckResult`. A check
that could not be made is no pass: `payments audit` ends with an error unless this one was allowed to stay
open (`check_result.py`, `reports/audit/`).
"""
