"""What every function of the payment workflow shares, published as one library.

`errors` is the one table of what can go wrong, `error_names` groups it for the state machines; `money`
and `fields` say what is valid; `client` and its `catalog` speak to the data API over `transport`, which
`sigv4` signs for; `connections` and `timeouts` are those of every HTTP request; `step` makes a function a
Lambda handler; `payment_methods` holds the ways to pay. It imports nothing heavy, because a step's cold start
is its import.
"""
