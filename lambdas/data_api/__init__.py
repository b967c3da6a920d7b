"""The data API: the only code that touches MongoDB, a private REST API behind one Lambda function.

`routes.py` is its table of contents: each route names the module that runs it, one per use case, a verb. Use
cases decide in terms of orders, products and users; `storage/` knows documents and atomic writes; `shapes/`
says what bodies look like, for validation and for the OpenAPI document alike. `handler.py` is the way in.

How it stays right: every operation is one atomic write on one document, with its idempotency record inside;
undo leaves a tombstone that a late request finds; every change of an order's state is a compare-and-set.
"""
