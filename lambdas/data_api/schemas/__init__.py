"""The shapes of requests (`bodies.py`) and of answers (`views.py`).

The same declarations validate requests and make the OpenAPI document.
"""
