"""Stage: the maps of a teacher and the pseudo-labels of a round -> a page that opens without a server or network."""

import argparse
from pathlib import Path

from esl.data.index import read_index
from esl.files import atomic_path
from esl.stages.command import add_paths, say, stage
from esl.viewer.build import material, write_images
from esl.viewer.content import content_of
from esl.viewer.page import page
from esl.viewer.rounds import read_selection


def main(arguments: list[str] | None = None) -> None:
    """Makes the viewer of one round: maps, thresholds, manifest and index in; the page and a folder beside it out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--maps", type=Path, required=True, nargs="+", help="every shard of the round's teacher")
    add_paths(parser, "--thresholds", "--manifest", "--index", "--output")
    parser.add_argument(
        "--others", type=Path, default=[], nargs="*", help="pseudo_labels.json of rounds to compare with"
    )
    parser.add_argument("--threads", type=int, default=1, help="threads that compute and compress")
    flags = parser.parse_args(arguments)
    index = read_index(flags.index)
    round_ = read_selection(flags.manifest, index.class_set, flags.thresholds)
    others = [read_selection(manifest, index.class_set) for manifest in flags.others]
    source = material(flags.maps, round_, others, index)
    compared = f", compared with {', '.join(other.name for other in others)}" if others else ""
    say(f"viewer of {round_.name}: {len(index.samples)} images, {', '.join(source.scales)}{compared}")
    folder: Path = flags.output.with_suffix("")
    images, sums = write_images(source, folder, workers=flags.threads)
    content = content_of(source, images, sums, flags.manifest.parent.parent.name, folder.name)
    with atomic_path(flags.output) as part:
        part.write_text(page(content), encoding="utf-8")
    size = sum(path.stat().st_size for path in folder.glob("*.js")) / max(len(images), 1)
    say(f"{flags.output}: open it in a browser; {size / 1000:.0f} kB an image")


if __name__ == "__main__":
    stage(main)
