"""The type of a MongoDB document, and of a JSON body: keys are strings, values what BSON or JSON holds."""

from typing import Any

Document = dict[str, Any]
