"""How large the campaigns are: small by themselves, full with FERRY_CAMPAIGN=full (`make campaign`)."""

import os

FULL = os.environ.get("FERRY_CAMPAIGN") == "full"
