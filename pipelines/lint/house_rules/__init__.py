"""The house's own rules for CloudFormation templates, beside cfn-lint's: E9001 and up, for errors.

Each is a function from a template to its faults, registered under an id that the page
`docs/reference/house-rules.md` explains. cfn-lint runs them with its own (`pipelines/lint/templates.py`), so
an exception stands in a resource's Metadata as for any other rule, and needs its reason there.
"""
