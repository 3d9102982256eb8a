"""How the work is shared out changes no byte: shards, threads and batches, from images to pseudo-labels."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import torch

from esl.data.class_sets import CLASS_SETS
from esl.data.formats.build import format_named
from esl.data.index import Index, read_index
from esl.data.inspection import inspect
from esl.data.settings import Checks
from esl.errors import InputError
from esl.files import write_json
from esl.labels.manifest import read_manifest
from esl.labels.writer import joined
from esl.models.build import build_network
from esl.models.checkpoint import Description, save_checkpoint
from esl.stages import infer, label_shard, pseudo_label, threshold
from tests.contents import DIGEST, whole_labelled_shard

METHODS = ("esl", "bdl", "fda", "cbst")


@contextmanager
def _torch_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, write_cityscapes: Callable[..., Path]) -> Index:
    """Nine images, every third of them upright, smooth, as the network is used to."""
    rng = np.random.default_rng(0)
    frames = {}
    for number in range(9):
        shape = (12, 8) if number % 3 == 2 else (8, 12)
        frames[f"ulm_{number:06d}_000019"] = (
            np.kron(rng.integers(0, 256, (*shape, 3)), np.ones((8, 8, 1))).astype(np.uint8),
            np.kron(rng.integers(0, 34, shape), np.ones((8, 8))).astype(np.uint8),
        )
    root = write_cityscapes(tmp_path_factory.mktemp("sharding"), "train", frames)
    return inspect(
        "cityscapes", format_named("cityscapes"), root, "train", CLASS_SETS["cityscapes19"], Checks()
    ).sound_index()


def _check_a_job_for_each_shard(maps: list[Path], flags: str, folder: Path, method: str) -> None:
    """Jobs of single shards, joined, write the bytes that one job writes, labelled images or not."""
    index = read_index(folder.parent / "index.json")
    blind = [replace(sample, label=None, pixels=None, label_sha256=None) for sample in index.samples]
    write_json(folder.parent / "blind.json", replace(index, samples=blind).to_json())
    with TemporaryDirectory() as name:
        again = Path(name)
        for path in maps:
            own = f"--maps {path} {flags} --folder {again}/pseudo_labels --output {again}/labelled/{path.stem}.json"
            label_shard.main(own.split())
        every = f"--maps {' '.join(map(str, maps))} {flags} --labelled {again}/labelled"
        pseudo_label.main(f"{every} --output {again}/pseudo_labels.json".split())
        one = sorted((folder / method / "pseudo_labels").iterdir())
        for path in (folder / method / "pseudo_labels.json", *one):
            assert (again / path.relative_to(folder / method)).read_bytes() == path.read_bytes(), path
        assert len(list((again / "pseudo_labels").iterdir())) == len(one)
        for path in one[:1]:
            (again / path.relative_to(folder / method)).unlink()
            with pytest.raises(
                InputError, match=rf"{path.name}: missing or changed; to write it again delete {again}/lab"
            ):
                pseudo_label.main(f"{every} --output {again}/pseudo_labels.json".split())
        pseudo_label.main(f"{every} --output {again}/pseudo_labels.json".replace("/index.json", "/blind.json").split())
        labelled = read_manifest(folder / method / "pseudo_labels.json")
        assert read_manifest(again / "pseudo_labels.json") == labelled.model_copy(update={"quality": None})


def test_what_shards_wrote_for_other_thresholds_or_twice_is_refused(tmp_path: Path) -> None:
    first, second = tmp_path / "1-of-2.json", tmp_path / "2-of-2.json"
    write_json(first, whole_labelled_shard({"a": {}}))
    write_json(second, whole_labelled_shard({"b": {}, "c": {}}, pixels=[1] * 256))
    written = joined([first, second], DIGEST, DIGEST)
    assert [*written.files] == ["a", "b", "c"] and written.pixels.tolist() == [385] + [1] * 255
    for teacher, thresholds in ((DIGEST, "1" * 64), ("1" * 64, DIGEST)):
        with pytest.raises(InputError, match=r"1-of-2\.json: made with another teacher or thresholds; delete it"):
            joined([first, second], teacher, thresholds)
    write_json(second, whole_labelled_shard({"b": {}, "a": {}}))
    with pytest.raises(InputError, match=r"2-of-2\.json: holds 'a', which another shard holds too"):
        joined([first, second], DIGEST, DIGEST)


@pytest.mark.parametrize(
    ("precision", "dealt"),
    [
        ("32-true", [(2, 1, 1), (1, 2, 1), (1, 1, 4), (7, 2, 4)]),
        ("bf16-mixed", [(2, 2, 4)]),  # processors without instructions for it are slow
    ],
)
def test_shards_threads_and_batches_change_no_byte_of_thresholds_and_pseudo_labels(
    tmp_path: Path, index: Index, precision: str, dealt: list[tuple[int, int, int]]
) -> None:
    torch.manual_seed(0)
    network = build_network("small", 19)
    torch.nn.init.normal_(network.classifier.weight, std=1.0)  # type: ignore[union-attr, arg-type]
    save_checkpoint(
        tmp_path / "model.pt", network.state_dict(), Description.of("small", CLASS_SETS["cityscapes19"], {}, {})
    )
    write_json(tmp_path / "index.json", index.to_json())

    def chain(shards: int, threads: int, batch: int) -> dict[str, bytes]:
        folder = tmp_path / f"{shards}-{threads}-{batch}"
        maps = [folder / f"{number}-of-{shards}.h5" for number in range(1, shards + 1)]
        for path in maps:
            flags = f"--checkpoint {tmp_path}/model.pt --index {tmp_path}/index.json --output {path}"
            compute = {"accelerator": "cpu", "precision": precision}
            settings = json.dumps({"size": "own", "batch_size": batch, "compute": compute})
            infer.main([*f"{flags} --shard {path.stem} --threads {threads}".split(), "--settings", settings])
        every = " ".join(map(str, maps))
        for method in METHODS:
            flags = f"--maps {every} --output {folder}/{method}/thresholds.json"
            threshold.main([*flags.split(), "--settings", json.dumps({"method": method})])
            flags = f"--maps {every} --thresholds {folder}/{method}/thresholds.json --index {tmp_path}/index.json"
            pseudo_label.main(f"{flags} --threads {threads} --output {folder}/{method}/pseudo_labels.json".split())
            if precision == "32-true" and shards > 1:
                _check_a_job_for_each_shard(maps, flags.removeprefix(f"--maps {every} "), folder, method)
        files = [*folder.rglob("*.json"), *folder.rglob("*.png")]
        return {str(path.relative_to(folder)): path.read_bytes() for path in files}

    with _torch_threads():
        first = chain(shards=1, threads=1, batch=1)
        assert len(first) == len(METHODS) * (2 + 9)
        assert len({first[f"{method}/pseudo_labels.json"] for method in METHODS}) == len(METHODS)
        for shards, threads, batch in dealt:
            assert chain(shards, threads, batch) == first, (shards, threads, batch)
