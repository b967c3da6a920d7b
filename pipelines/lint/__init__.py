"""Finds what AWS would refuse, before AWS does: templates, house rules, and pipeline definitions."""
