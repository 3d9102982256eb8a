"""The base of every settings class, which declares each key once, with its type, bounds, default and meaning.

Planning composes the classes into the config; its schema and the tables of the manual are generated from them. A stage
takes its own class as one JSON object.
"""

import json
import re
from typing import Annotated, Any, Self, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from esl.errors import InputError, explanations, explanations_below

_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+")


class Settings(BaseModel):
    """A group of settings: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    def canonical(self) -> str:
        """Compact JSON of the values that differ from the defaults, keys sorted: equal settings give equal text.

        >>> Settings().canonical()
        '{}'
        """
        content = self.model_dump(mode="json", exclude_defaults=True)
        return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The settings in ``text``, as ``canonical`` writes them.

        Raises:
            InputError: the text is not JSON, or holds keys or values that the class does not take; names each key.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise InputError("--settings: " + "\n--settings: ".join(explanations(error))) from None


S = TypeVar("S", bound=Settings)


def subset(settings: Settings, cls: type[S]) -> S:
    """The settings of ``cls``, taken from ``settings``, whose class has at least the same fields."""
    return cls.model_validate({name: getattr(settings, name) for name in cls.model_fields})


def named_settings(name: str, cls: type[S], values: Any) -> S:
    """The settings of a named entry of a registry, such as a method; ``values`` are plain JSON.

    Raises:
        ValueError: every mistake, by its key below ``name``; unknown keys with the likely one.
    """
    try:
        return cls.model_validate_json(json.dumps(values))
    except ValidationError as error:
        raise ValueError(explanations_below(name, error, cls.model_fields)) from None


def without_nulls(value: Any) -> Any:
    """A mapping without its null entries: null in an overlay removes an entry of another config file."""
    return {key: entry for key, entry in value.items() if entry is not None} if isinstance(value, dict) else value


def _number(value: Any) -> Any:
    """Text such as ``1e-3`` as a number, which YAML 1.1 reads as text; other values unchanged."""
    return float(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else value


Number = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
"""A finite float; ``1e-3`` counts, although YAML reads it as text."""


def size_wh(text: str) -> tuple[int, int]:
    """``256x128`` -> (width, height) in pixels.

    Raises:
        ValueError: the text has another form.

    >>> size_wh("256x128")
    (256, 128)
    """
    width, _, height = text.partition("x")
    if not (width.isdigit() and height.isdigit() and int(width) and int(height)):
        raise ValueError("expected WIDTHxHEIGHT in pixels, such as 1024x512")
    return int(width), int(height)


def resize_wh(value: str | int) -> tuple[int, int] | int | None:
    """The meaning of a ``Resize``: (width, height); the length of the longer side; or ``None``, for no resizing.

    >>> resize_wh("1024x512"), resize_wh(1024), resize_wh("own")
    ((1024, 512), 1024, None)
    """
    if value == "own":
        return None
    text = str(value)
    return int(text) if text.isdigit() and int(text) else size_wh(text)


def crop_wh(value: str) -> tuple[int, int] | None:
    """The meaning of a ``Crop``: (width, height), or ``None`` for whole images.

    >>> crop_wh("192x96"), crop_wh("whole")
    ((192, 96), None)
    """
    return None if value == "whole" else size_wh(value)


def _checked_path(value: str) -> str:
    if not value.isprintable():
        raise ValueError("expected a path of printable characters")
    return value


PathText = Annotated[str, Field(min_length=1), AfterValidator(_checked_path)]
"""The path of a folder or file: no line breaks and no NUL, which neither a file system nor a log can show."""


def _checked_resize(value: str | int) -> str | int:
    try:
        resize_wh(value)
    except ValueError:
        raise ValueError("expected WIDTHxHEIGHT, the length of the longer side, or 'own'") from None
    return value


def _checked_crop(value: str) -> str:
    try:
        crop_wh(value)
    except ValueError:
        raise ValueError("expected WIDTHxHEIGHT in pixels, or 'whole'") from None
    return value


Resize = Annotated[
    str | int,
    AfterValidator(_checked_resize),
    Field(
        description="The size that images are resized to: `WIDTHxHEIGHT` in pixels; the length of the longer side "
        "(the aspect ratio is kept); or `own`, for no resizing."
    ),
]
"""The target size of images; ``resize_wh`` reads it."""

Crop = Annotated[
    str,
    AfterValidator(_checked_crop),
    Field(description="The size of training crops, `WIDTHxHEIGHT` in pixels; or `whole`, for no cropping."),
]
"""The size of training crops; ``crop_wh`` reads it."""
