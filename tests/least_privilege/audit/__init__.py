"""Whether every permission of every role is needed: what a rehearsal's roles did, against what they may.

The embedded AWS enforces IAM and records which statement allowed each call
(`embedded_aws.iam.call_log`). A permission that no call needed is dead, unless AWS needs it where the
embedded AWS has nothing to ask: those stand in two tables (`of_stacks.py`, `of_pipelines.py`), each with the
statement, the reason and its source, and nothing else does.
"""
