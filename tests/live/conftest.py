"""Tests of a real model. They are collected only where FERRY_LIVE names a file that says which one:

    by: google-cloud:claude-sonnet-4-6
    allowed: {version: claude-sonnet-4-6, regions: [us-east5], baa: "…", price: {input: 3, output: 15}}
    access: {project: my-project, location: us-east5}

It costs some 120 requests of about 1,500 tokens. Every patient in it is invented.
"""

import os

collect_ignore_glob = [] if os.environ.get("FERRY_LIVE") else ["test_*.py"]
