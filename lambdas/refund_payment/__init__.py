"""The step *Refund payment*: cancels the order and returns its charge, or bars it for ever."""
