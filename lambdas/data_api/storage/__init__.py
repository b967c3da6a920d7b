"""Documents and the atomic writes on them, one module per collection.

A function here is one command to MongoDB (`w: majority`), and says in its filter under which condition it
happens; what it means when it did not is for the use case to find out by reading.
"""
