"""Shows an environment on one screen: what runs, what waits, what is wrong (`payments status`).

What could not be asked is shown as unknown with the reason, never as healthy. `deployed.py` reads the
stack and what the pipelines know of it, `gather.py` puts that together with the last smoke run,
parked orders and drift, and with how often and how well it is released to (`delivery.py`, `deployments.py`).
"""
