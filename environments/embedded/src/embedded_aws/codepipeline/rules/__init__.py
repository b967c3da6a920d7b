"""The rules of stage conditions: `catalogue` lists, `providers` implements and `checking` runs them."""
