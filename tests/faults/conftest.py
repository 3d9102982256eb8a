"""Finished checkouts, as the tests of the workflow have them."""

from tests.workflow.conftest import own, run_once

__all__ = ["own", "run_once"]
