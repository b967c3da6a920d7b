"""The rules of stage conditions: `providers` implements them, `checking` lists and runs them."""
