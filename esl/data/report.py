"""Writes the report of an inspection, as text for one screen."""

from esl.data.formats.base import Format
from esl.data.inspection import Inspection
from esl.data.notes import truncate

SHOWN_ITEMS = 8
"""The most sizes, and the most defects, in a report."""


def report(inspection: Inspection, format_: Format) -> str:
    """The detected format, the number of samples, their sizes, classes present and absent, and defects."""
    index = inspection.index
    sizes = [f"{size} ({count})" for size, count in index.sizes().items()]
    lines = [
        f"{index.root}: {format_.title}, split {index.split!r}, read as {index.dataset!r}",
        f"  images     {len(index.samples)} sound, {len(index.labelled)} of them labelled"
        + (f", {len(index.left_out)} without a label left out" if index.left_out else ""),
        f"  sizes      {', '.join(truncate(sizes, SHOWN_ITEMS)) or '-'}",
    ]
    if index.label_files is None:
        lines.append("  labels     none: a dataset of images")
    else:
        kind = {
            "ids": "8-bit ids",
            "first_of_16_bits": "8-bit ids, or 16-bit ones in the first channel",
            "red": "8-bit ids in the red channel",
        }
        lines.append(f"  labels     {index.label_files}: {kind.get(index.encoding, 'colours')}")
        lines += _classes(inspection)
    lines += [f"  note       {line}" for line in inspection.notes]
    lines.append(f"  defects    {len(inspection.defects) or 'none'}")
    lines += [f"    {line}" for line in truncate(inspection.defects, SHOWN_ITEMS)]
    return "\n".join(lines)


def _classes(inspection: Inspection) -> list[str]:
    index = inspection.index
    pixels = index.class_pixels()
    total = sum(pixels.values())
    possible = {index.class_of(label) for label in index.labels}
    present = [f"{name} {100 * count / total:.3g} %" for name, count in pixels.items() if count]
    absent = [name for name, count in pixels.items() if not count and name in possible]
    impossible = [name for name in pixels if name not in possible]
    ignored = [
        f"{label.name} ({label.id})"
        for label in index.labels
        if label.id in inspection.present and index.class_of(label) is None
    ]
    rows = [
        (f"  {index.class_set.name}\n{' ' * 13}present: ", present),
        (" " * 13 + "absent: ", absent),
        (" " * 13 + "no label of this dataset belongs to: ", impossible),
        ("  ignored    ", ignored),
    ]
    return [f"{head}{', '.join(names) or 'none'}" for head, names in rows if names or names is present]
