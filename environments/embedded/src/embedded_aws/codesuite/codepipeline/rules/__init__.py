"""The rules of stage conditions: one module for each provider, listed in `catalogue`, run by `checking`.

A rule says nothing when it holds and raises `RuleFailed` when it does not.
"""
