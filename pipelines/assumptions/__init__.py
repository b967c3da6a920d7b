"""What the system believes of AWS, Atlas, MongoDB and Stripe without having met them, and why.

Nothing here has run on live AWS, and an emulator of ours proves nothing about it. So each belief that the
system leans on is an entry: the claim, the code that leans on it, its evidence, and how to prove it on a real
account. `evidence.py` says what counts as evidence, the other modules hold the entries by subject, and
`register.py` puts the weakest first. The docs publish them.
"""
