"""Print the documentation page of the detector tables."""

from __future__ import annotations

import sys

from agentlogsafe.redaction.detectors import markdown

sys.stdout.write(markdown())
