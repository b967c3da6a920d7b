"""The state machines as data: Amazon States Language in Python, JSONata as its query language.

`payment_workflow.py` is the order's journey, `smoke_workflow.py` proves a deployment, and `tasks.py`
holds what their tasks share: time-outs, retries and how a Lambda function is called.
"""
