"""The step *Arrange delivery*: one delivery per line, then the order is complete."""
