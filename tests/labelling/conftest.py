"""A target for the tests of this folder."""

import pytest

from tests.labelling.label_files import Target, write_target


@pytest.fixture(scope="session")
def target(tmp_path_factory: pytest.TempPathFactory) -> Target:
    """Five images with odd names; not to be written to."""
    return write_target(tmp_path_factory.mktemp("target"))
