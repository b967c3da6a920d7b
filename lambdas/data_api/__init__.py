"""The data API: the only code that touches MongoDB, a private REST API behind one Lambda function.

`http/routes.py` is its table of contents: each route names the use case that runs it, a verb. Use cases
decide in terms of orders, products and users; `domain/` holds their rules; `storage/` knows documents and
atomic writes; `schemas/` says what bodies look like, for validation and for the OpenAPI document alike; and
`handler.py` is the Lambda function's entry point.

How it stays right: every operation is one atomic write on one document, with its idempotency record inside;
undo leaves a tombstone that a late request finds; every change of an order's state is a compare-and-set.
"""
