"""`python -m embedded_aws` is the command `embedded-aws`."""

import sys

from embedded_aws.command import main

sys.exit(main())
