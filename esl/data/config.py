"""The data in the config: the datasets of a benchmark, and the user's own datasets and class sets.

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
"""A split of a dataset; patterns of ids or image paths, with spaces between them; or the path of a list file (.txt),
relative to the root or to the working folder."""

Byte = Annotated[int, Field(ge=0, le=255)]
Rgb = Annotated[list[Byte], Field(min_length=3, max_length=3)]
Pattern = Annotated[str, Field(min_length=1)]


class Data(Settings):
    """The format and the folder of a dataset, and the size of its images."""

    dataset: str = Field(description="The format on disk: a format in `config/README.md`, or one of `datasets`.")
    root: PathText = Field(
        description="The folder of the unpacked dataset, relative to the working folder of `snakemake`; `{seed}` is "
        "replaced by the benchmark's seed.",
    )
    size: Resize = "own"


class SourceData(LabelChecks, Data):
    """The labelled data."""

    split: Split = Field(
        "all",
        description="The split to train on; `all` for a dataset without splits; patterns of ids or image paths, such "
        "as `ulm_* bonn_*`; or the path of a list file (`.txt`) with an id, image path or pattern on each line.",
    )


class LabelPaths(Settings):
    """Labels for scores and labels for training in files or folders of their own."""

    measure: PathText | None = Field(None, description="Labels for scores.")
    train: PathText | None = Field(None, description="Labels for training.")

    @model_validator(mode="after")
    def _names_a_path(self) -> Self:
        if self.measure is None and self.train is None:
            raise ValueError("expected `measure` or `train`, or both")
        return self


class TargetData(SizeChecks, Data):
    """The data to adapt to; only the oracle and diagnosis read labels of the training split, and `labels`."""

    train_split: Split = Field("train", description="The split to adapt to, patterns, or a list file.")
    val_split: Split = Field("val", description="The split to evaluate on, patterns, or a list file.")
    labels: PathText | LabelPaths | None = Field(
        None,
        description="Labels of target images that are to be used: a file or folder of CVAT's Segmentation mask 1.1, "
        "of COCO, or of PNGs, whose subsets `measure` and `train` say what they are for; or `{measure: PATH, train: "
        "PATH}`. `own`: for training, those of the images drawn by `labelling` that the dataset itself has labels of. "
        "null: no label of the training split is used.",
    )


class LabelDeclaration(Settings):
    """One kind of label file."""

    files: Pattern = Field(
        description="A pattern of paths, as for `images`; or a folder of files with the names of the images."
    )
    ids: str | Annotated[dict[str, str | None], Field(min_length=1)] | None = Field(
        None,
        description="Meaning of the ids in 8-bit labels: id -> name of a Cityscapes label or of a label in a class "
        "set, or null for an ignored id; an unlisted id is a defect. Or the name of a table: `cityscapes`, "
        "`cityscapes_train_ids`, `gta5`, `synthia`.",
    )
    colours: Annotated[dict[str, Rgb | Annotated[list[Rgb], Field(min_length=1)]], Field(min_length=1)] | None = Field(
        None,
        description="Meaning of the colours in colour labels: label name -> a colour [R, G, B], or several; "
        "`unlabeled` for ignored colours, such as a void colour. An unlisted colour is a defect.",
    )

    channel: Literal["red"] | None = Field(
        None, description="The channel of the ids in RGB or RGBA labels: `red` for labels of CARLA."
    )

    @model_validator(mode="after")
    def _ids_or_colours(self) -> Self:
        if (self.ids is None) == (self.colours is None):
            raise ValueError("expected either `ids` or `colours`")
        if self.channel is not None and self.ids is None:
            raise ValueError("`channel` goes with `ids`, not with `colours`")
        return self


class DatasetDeclaration(Settings):
    """A dataset of your own: the paths of its files below the root, and the meaning of its labels."""

    title: str | None = Field(None, description="The name in reports; by default the key.")
    images: Pattern | Annotated[list[Pattern], Field(min_length=1)] = Field(
        description="A pattern of paths, or several: `{split}` stands for the split, any other `{name}` for a part of "
        "the image's id, `*` for anything but `/`. A pattern without any part of an id is a folder: it stands for "
        "every image in it, at any depth.",
    )
    labels: list[LabelDeclaration] = Field(
        [],
        description="Kinds of label files, by priority: a split uses the first kind with any files in it. Leave it out "
        "if there are no labels.",
    )
    bits: int = Field(
        16,
        ge=9,
        le=16,
        description="Bits of the values in grey 16-bit images; the upper 8 of them are used. Set 12 or 14 for sensors "
        "with nearly black images otherwise.",
    )
    splits: Annotated[list[str], Field(min_length=1)] | None = Field(
        None,
        description="The splits, if folders next to them look like splits, too; by default every `{split}` with an "
        "image.",
    )


class ClassDeclaration(Settings):
    """One class of a class set of your own."""

    labels: Annotated[list[str], Field(min_length=1)] | None = Field(
        None, description="Names of the labels in the class; by default its own name."
    )
    colour: Rgb | None = Field(
        None,
        description="[R, G, B] in images of labels; by default the colour of the Cityscapes label of its name, or one "
        "of matplotlib's `tab20`.",
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
