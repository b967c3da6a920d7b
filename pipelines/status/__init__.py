"""How an environment does, gathered from where it is known, for one screen (`payments status`).

What could not be asked is told as that, with the reason, and never as all well. `deployed.py` looks at the
payments stack, `promoted.py` at the pipelines, and `gather.py` puts both together with what is there already:
the last smoke run, parked orders, drift and the measures of delivery.
"""
