"""Tests a deployment from the inside: creates synthetic data, checks what the workflow did to it, removes it.

`scenarios.py` is the data and what must become of it, `handler.py` the Lambda handler. No other
data is touched: a synthetic order may only use synthetic products and users.
"""
