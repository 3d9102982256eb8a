"""The shipped formats by name: modules of Python, and declarations in ``declared.yaml``."""

from pathlib import Path

FORMATS = {
    "gta5": "esl.data.formats.gta5:FORMAT",
    "mapillary": "esl.data.formats.mapillary:FORMAT",
    "folder": "esl.data.formats.folder:FORMAT",
}
"""Formats with a module of their own: name -> "module:attribute", a ``Format``."""

DECLARED = "esl.data.formats.declared:build_declared_format"
"""The function to build a ``Format`` from a name and a declaration, shipped or the user's."""

DECLARATIONS = Path(__file__).with_name("declared.yaml")
