"""What bodies look like: `bodies.py` those that come in, `views.py` those that go out.

The same declarations validate requests and make the OpenAPI document.
"""
