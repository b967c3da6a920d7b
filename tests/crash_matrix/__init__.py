"""Every fault at every side effect of an order, on the real handlers, the real data API and a real mongod.

A run of the *generated* workflow definition is recorded: each Lambda invocation, each request of a step to
the data API and each command of the data API to MongoDB is a fault site, named by where it happens. A cell is
one scenario with one fault (or two) at such sites; after it, the guarantees of an order are checked. Time is
virtual and threads only hand a baton, so a cell is the same every time. Mutants show that it can fail.
"""
