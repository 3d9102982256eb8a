"""The JSON files that stages exchange: each is checked as a whole when it is read, and becomes an object."""

import json
from pathlib import Path
from textwrap import shorten
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from esl.errors import InputError, explanations
from esl.files import read_json

Share = Annotated[float, Field(ge=0, le=1)]
"""A number in [0, 1]."""

Count = Annotated[int, Field(ge=0, lt=2**63)]
"""A number of images or pixels; it fits an int64."""

Shares = dict[str, Share | None]
"""Shares by name; null where nothing can be counted."""

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
"""A digest in hexadecimal."""


class Content(BaseModel):
    """A JSON file or a part of one: all keys of the class and no others, in the order of its fields.

    A key that has a default stands in the file only where its value is another.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    def to_json(self) -> dict[str, Any]:
        """The content as plain JSON, which ``read_content`` reads."""
        return self.model_dump(exclude_defaults=True)


C = TypeVar("C", bound=Content)


def read_content(path: Path, *kinds: type[C], what: str) -> C:
    """Reads a JSON file as the first of the ``kinds`` that it fits; ``what`` names the file in errors.

    Raises:
        InputError: the file is missing or damaged, a value is out of its range, or a number is not finite.
    """
    content = read_json(path)
    mistakes = []
    for kind in kinds:
        try:
            found = kind.model_validate(content)
        except ValidationError as error:
            mistakes.append([line.removeprefix("(top level): ") for line in explanations(error)])
        else:
            _require_finite(path, content)
            return found
    reason = shorten(min(mistakes, key=len)[0], 200, placeholder=" ...")  # of the kind that the file is most like
    raise InputError(f"{path}: not {what} ({reason}); delete it and run the workflow again")


def _require_finite(path: Path, content: dict[str, Any]) -> None:
    """Raises InputError for a number such as 1e999 in a part that its class leaves open."""
    try:
        json.dumps(content, allow_nan=False)
    except (ValueError, RecursionError):
        reason = "holds a number that is not finite, or lists that are nested too deep"
        raise InputError(f"{path}: {reason}; delete it and run the workflow again") from None
