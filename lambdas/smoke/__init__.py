"""Proves a deployment from the inside: makes synthetic data, judges what the workflow did to it, removes it.

`scenarios.py` is the data, `checks.py` what must have become of it, `handler.py` the way in. Nobody else's
data is touched: a synthetic order may only use synthetic products and users.
"""
