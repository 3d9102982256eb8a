"""COCO (cocodataset.org/#format-data): polygons and run-length encoded masks, the later painted over the earlier."""

import json
from functools import partial
from pathlib import PurePosixPath
from typing import Annotated as Constrained
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, ValidationError

from esl.classes import IGNORE, ClassSet
from esl.errors import InputError, explanations, one_line
from esl.labelling.returned.base import Annotated, Files, set_named
from esl.labelling.returned.cvat import train_id_of, unknown_class

Side = Constrained[int, Field(ge=1, le=2**16)]


class _Image(BaseModel):
    id: int
    file_name: str
    width: Side
    height: Side


class _Annotation(BaseModel):
    image_id: int
    category_id: int
    segmentation: list[list[float]] | dict[str, Any]


class _Category(BaseModel):
    id: int
    name: str


class _Coco(BaseModel):
    """The keys of a COCO file that are read."""

    images: list[_Image]
    annotations: list[_Annotation]
    categories: list[_Category]


def annotated(files: Files, class_set: ClassSet) -> list[Annotated]:
    """Every image of every JSON file, with the set that the file's name says.

    Raises:
        InputError: a file is not of this form, or the package pycocotools is not installed.
    """
    return [each for name in files.names if name.lower().endswith(".json") for each in _of_file(files, name, class_set)]


def _of_file(files: Files, name: str, class_set: ClassSet) -> list[Annotated]:
    where = files.where(name)
    try:
        coco = _Coco.model_validate(json.loads(files.text(name)))
    except ValidationError as error:
        raise InputError(f"{where}: not a COCO file ({next(explanations(error))}); export it again") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not a COCO file ({one_line(error)}); export it again") from None
    names = {category.id: category.name for category in coco.categories}
    by_image: dict[int, list[_Annotation]] = {image.id: [] for image in coco.images}
    for annotation in coco.annotations:
        if annotation.image_id not in by_image or annotation.category_id not in names:
            raise InputError(f"{where}: an annotation names an image or a category that is not there; export it again")
        by_image[annotation.image_id].append(annotation)
    return [
        Annotated(
            name=image.file_name,
            set=set_named(PurePosixPath(name).stem),
            where=f"{where}: {image.file_name}",
            read=partial(_read, f"{where}: {image.file_name}", image, by_image[image.id], names, class_set),
        )
        for image in coco.images
    ]


def _read(
    where: str, image: _Image, annotations: list[_Annotation], names: dict[int, str], class_set: ClassSet
) -> NDArray[np.uint8]:
    label = np.full((image.height, image.width), IGNORE, dtype=np.uint8)
    for annotation in annotations:
        train_id = train_id_of(names[annotation.category_id], class_set)
        if train_id is None:
            raise InputError(unknown_class(where, names[annotation.category_id], class_set))
        label[_mask(where, annotation.segmentation, image)] = train_id
    return label


def _mask(where: str, segmentation: list[list[float]] | dict[str, Any], image: _Image) -> NDArray[np.bool_]:
    """The pixels (H, W) of a segmentation: polygons, or run lengths, compressed or not."""
    try:
        from pycocotools import mask as masks
    except ModuleNotFoundError:
        raise InputError("COCO needs the package pycocotools: pip install 'esl[export]'") from None
    size = [image.height, image.width]
    if isinstance(segmentation, dict) and segmentation.get("size") != size:
        raise InputError(f"{where}: a mask of {segmentation.get('size')} in an image of {size}; export it again")
    try:
        if isinstance(segmentation, list):
            codes = masks.frPyObjects(segmentation, *size)
        elif isinstance(segmentation["counts"], list):
            codes = [masks.frPyObjects(segmentation, *size)]
        else:
            codes = [segmentation]
        mask: NDArray[np.bool_] = masks.decode(codes).any(axis=2)
    except Exception as error:  # of Cython, for any odd value
        raise InputError(f"{where}: a mask that cannot be read ({one_line(error)}); export it again") from None
    if mask.shape != (image.height, image.width):
        raise InputError(f"{where}: a mask of {mask.shape} in an image of {size}; export it again")
    return mask
