"""Whether two requests with the same key are the same request."""

import hashlib
import json

from data_api.domain.documents import Document


def fingerprint(body: Document) -> str:
    """Return a digest of the body that does not depend on the order of its keys."""
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
