"""What the JSON files that stages exchange hold: each is checked as a whole when it is read."""

import json
from pathlib import Path
from textwrap import shorten
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from esl.errors import InputError, explanations
from esl.files import read_json

Share = Annotated[float, Field(ge=0, le=1)]
"""A number in [0, 1]."""

Count = Annotated[int, Field(ge=0, lt=2**63)]
"""Of images or pixels; such a number fits an int64."""

Shares = dict[str, Share | None]
"""By name; null where nothing can be counted."""

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
"""A digest in hexadecimal."""


class Content(BaseModel):
    """The keys of a JSON file or of a part of it: all of them, and no others."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


def read_content(path: Path, *kinds: type[Content], what: str) -> dict[str, Any]:
    """The content of a JSON file, as it was written, that is one of several ``kinds``; ``what`` names it in errors.

    Raises:
        InputError: the file is missing or damaged, a value is out of its range, or a number is not finite.
    """
    content = read_json(path)
    mistakes = []
    for kind in kinds:
        try:
            kind.model_validate(content)
        except ValidationError as found:
            mistakes.append([line.removeprefix("(top level): ") for line in explanations(found)])
        else:
            return _finite(path, content)
    reason = shorten(min(mistakes, key=len)[0], 200, placeholder=" ...")  # of the kind that the file is most like
    raise InputError(f"{path}: not {what} ({reason}); delete it and run the workflow again")


def _finite(path: Path, content: dict[str, Any]) -> dict[str, Any]:
    """``content``, unless it holds a number such as 1e999 where a class leaves open what is there."""
    try:
        json.dumps(content, allow_nan=False)
    except (ValueError, RecursionError):
        reason = "holds a number that is not finite, or lists in lists beyond measure"
        raise InputError(f"{path}: {reason}; delete it and run the workflow again") from None
    return content
