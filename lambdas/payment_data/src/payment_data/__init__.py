"""What every function of the payment workflow shares, published as one library.

`errors` is the one table of what can go wrong; `money`, `ids` and `fields` say what is valid; `client` speaks
to the data API over `transport`, whose requests `sigv4` signs; `step` makes a function a Lambda handler;
`payment_methods` holds the ways to pay. It imports nothing heavy, because a step's cold start is its import.
"""
