"""Orders: load samples, place and follow orders, run smoke executions, settle, reconcile.

Samples are checked by the data API's own rules. Functions are no installed package, so their folder is put
where imports look.
"""

import sys

from pipelines.core.repository import LAMBDAS

if str(LAMBDAS) not in sys.path:
    sys.path.append(str(LAMBDAS))
