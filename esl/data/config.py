"""The data in the config: where a benchmark's datasets are, and datasets and class sets that the user declares.

Only planning and the doctor read these classes: an edit here reruns no stage.
"""

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from esl.data.settings import LabelChecks, SizeChecks
from esl.settings import PathText, Resize, Settings, without_nulls


def _inside(split: str) -> str:
    if any(".." in PurePosixPath(entry).parts for entry in split.split()):
        raise ValueError("expected a path without ..")
    return split


Split = Annotated[str, Field(pattern=r"^([A-Za-z0-9_-]+|[^/].*\.txt|([^/].*)?[*?\[].*)$"), AfterValidator(_inside)]
"""A split of a dataset; patterns of ids or image paths, with spaces between them; or the path of a list file, which
ends in .txt: relative to the root or to the working folder."""

Byte = Annotated[int, Field(ge=0, le=255)]
Rgb = Annotated[list[Byte], Field(min_length=3, max_length=3)]
Pattern = Annotated[str, Field(min_length=1)]


class Data(Settings):
    """The format and the folder of a dataset, and the size of its images."""

    dataset: str = Field(description="The format on disk: one that `config/README.md` lists, or one of `datasets`.")
    root: PathText = Field(
        description="The folder that the dataset was unpacked into, relative to where `snakemake` runs; `{seed}` "
        "is replaced by the benchmark's seed.",
    )
    size: Resize = "own"


class SourceData(LabelChecks, Data):
    """The labelled data."""

    split: Split = Field(
        "all",
        description="The split to train on; `all` for a dataset without splits; patterns of ids or image paths, such "
        "as `ulm_* bonn_*`; or a list file: a text file of ids, image paths or patterns, one per line, whose path ends "
        "in `.txt`.",
    )


class TargetData(SizeChecks, Data):
    """The data to adapt to; training labels are read for the oracle and for diagnosis only."""

    train_split: Split = Field("train", description="The split to adapt to, patterns, or a list file.")
    val_split: Split = Field("val", description="The split to evaluate on, patterns, or a list file.")


class LabelDeclaration(Settings):
    """One kind of label file."""

    files: Pattern = Field(
        description="A pattern of paths, as for `images`; or a folder, whose files have the names of the images."
    )
    ids: str | Annotated[dict[str, str | None], Field(min_length=1)] | None = Field(
        None,
        description="What every id of an 8-bit label means: the name of a Cityscapes label or of a label in a class "
        "set, or null where it is ignored; an id that is not listed is a defect. Or the name of a table: `cityscapes`, "
        "`cityscapes_train_ids`, `gta5`, `synthia`.",
    )
    colours: Annotated[dict[str, Rgb | Annotated[list[Rgb], Field(min_length=1)]], Field(min_length=1)] | None = Field(
        None,
        description="The same for colour labels: the name of each label with its colour [R, G, B], or several; "
        "`unlabeled` for colours that are ignored, such as a void colour. A colour that is not listed is a defect.",
    )

    channel: Literal["red"] | None = Field(
        None, description="The channel that holds the ids, where labels are RGB or RGBA: `red` for those of CARLA."
    )

    @model_validator(mode="after")
    def _ids_or_colours(self) -> Self:
        if (self.ids is None) == (self.colours is None):
            raise ValueError("expected either `ids` or `colours`")
        if self.channel is not None and self.ids is None:
            raise ValueError("`channel` goes with `ids`, not with `colours`")
        return self


class DatasetDeclaration(Settings):
    """A dataset of your own: where its files are below the root, and what its labels mean."""

    title: str | None = Field(None, description="Its name in reports; by default its key.")
    images: Pattern | Annotated[list[Pattern], Field(min_length=1)] = Field(
        description="A pattern of paths, or several: `{split}` stands for the split, any other `{name}` for a part of "
        "the image's id, `*` for anything but `/`. A pattern without any part of an id is a folder: every image in it, "
        "at any depth, is taken.",
    )
    labels: list[LabelDeclaration] = Field(
        [],
        description="Kinds of label files, by priority: a split uses the first kind that it has any files of. Leave it "
        "out if there are no labels.",
    )
    bits: int = Field(
        16,
        ge=9,
        le=16,
        description="Bits of the values in grey 16-bit images, of which the upper 8 are used: 12 or 14 for sensors "
        "whose images are nearly black otherwise.",
    )
    splits: Annotated[list[str], Field(min_length=1)] | None = Field(
        None,
        description="The splits, where folders next to them look like splits too; by default every `{split}` that has "
        "an image.",
    )


class ClassDeclaration(Settings):
    """One class of a class set of your own."""

    labels: Annotated[list[str], Field(min_length=1)] | None = Field(
        None, description="Names of the labels that make up the class; by default its own name."
    )
    colour: Rgb | None = Field(
        None,
        description="[R, G, B] in images of labels; by default that of the Cityscapes label of its name, or one of "
        "matplotlib's `tab20`.",
    )


def merged_declarations(configs: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The `datasets` and `class_sets` of config files, merged as Snakemake does; null removes an entry.

    >>> first = {"datasets": {"a": {"images": "x"}, "b": {"images": "y"}}}
    >>> merged_declarations([first, {"datasets": {"a": {"title": "A"}, "b": None}}])
    {'datasets': {'a': {'images': 'x', 'title': 'A'}}, 'class_sets': {}}
    """
    merged: Any = {}
    for config in configs:
        merged = _merged(merged, config)
    return {key: without_nulls(merged.get(key) or {}) for key in ("datasets", "class_sets")}


def _merged(value: Any, overlay: Any) -> Any:
    """A value of a config file with an overlay over it: mappings are merged, all else is replaced."""
    if not isinstance(overlay, Mapping):
        return overlay
    below = value if isinstance(value, Mapping) else {}
    return {**below, **{key: _merged(below.get(key), entry) for key, entry in overlay.items()}}
