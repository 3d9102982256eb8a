"""The data are an input of the workflow; and two changes at once, of which neither hides the other."""

import json
import os
import time

import numpy as np
from PIL import Image

from tests.workflow.jobs import ESL, ROUNDS, SUMMARY, gta2city


def a_file(project, pattern):
    return min((project.root / "data/miniature/0").glob(pattern))


def test_a_validation_label_that_was_corrected_is_indexed_again_and_every_model_scored_again(own):
    path = a_file(own, "cityscapes/gtFine/val/*/*_labelIds.png")
    label = np.array(Image.open(path))
    label[0, 0] = 7 if label[0, 0] != 7 else 8
    Image.fromarray(label).save(path)
    jobs = own.planned()
    assert jobs == {
        "Checking every file of the target_val data",
        *(f"Evaluating {model}" for model in ("source", "adapted", *ROUNDS)),
        "Summarizing the models",
    }


def test_an_image_that_was_added_to_the_source_is_indexed_and_trained_on(own):
    for folder in ("images", "labels"):
        path = a_file(own, f"gta5/{folder}/*.png")
        (path.parent / "99999.png").write_bytes(path.read_bytes())
    jobs = own.planned()
    assert jobs >= {"Checking every file of the source data", "Training the source model", "Training esl-round1"}
    assert not any("target_" in job for job in jobs)


def test_a_target_image_that_was_replaced_reruns_inference_but_no_source_training(own):
    path = a_file(own, "cityscapes/leftImg8bit/train/*/*.png")
    Image.fromarray(np.array(Image.open(path))[::-1]).save(path)
    jobs = own.planned()
    assert jobs >= ESL | {"Checking every file of the target_train data", "Inferring maps with adapted, shard 1-of-2"}
    assert "Training the source model" not in jobs


def test_after_the_data_changed_one_run_brings_everything_up_to_date(own):
    path = a_file(own, "cityscapes/gtFine/val/*/*_labelIds.png")
    Image.fromarray(np.full_like(np.array(Image.open(path)), 7)).save(path)
    run = own.snakemake()
    assert run.returncode == 0, run.stdout + run.stderr
    assert own.planned() == set()


def test_an_index_of_the_target_that_is_written_again_trains_no_source_model(own):
    path = own.root / "results/gta2city/data/target_train.json"
    later = time.time() + 60
    os.utime(path, (later, later))
    assert "Training the source model" not in own.planned()


def test_after_a_failed_index_its_advice_keeps_every_model(own):
    label = a_file(own, "gta5/labels/*.png")
    content = label.read_bytes()
    label.write_bytes(b"damaged")
    index = "results/gta2city/data/source.json"
    failed = own.snakemake()
    assert failed.returncode != 0 and not (own.root / index).exists()
    assert f"run `snakemake --cores 1 {index}` by itself first" in failed.stdout + failed.stderr
    label.write_bytes(content)
    assert own.snakemake(targets=(index,)).returncode == 0
    assert own.planned() == set()


def test_a_mistyped_root_that_is_corrected_reruns_nothing(finished):
    run = finished.snakemake(change=gta2city(source={"root": "data/nowhere"}))
    assert run.returncode != 0
    assert finished.planned() == set()


def test_results_of_other_data_are_not_overwritten(own):
    (own.root / "data/other").mkdir()
    run = own.snakemake("--dry-run", change=gta2city(source={"root": "data/other"}))
    assert run.returncode != 0
    message = (
        "results/gta2city holds results of data/miniature/0/gta5, but benchmarks.gta2city.source.root is data/other"
    )
    assert message in run.stderr
    assert own.planned() == set()


# -------------------------------------------------- two changes at once, one of them behind an `ancient` input


TRAINED_ESL = ["results/gta2city/esl-round1/train.csv"]
MOVED_GATE = {"gate": {"kept_max": 0.99}}


def correct_a_validation_label(project):
    Image.fromarray(np.full((64, 128), 7, np.uint8)).save(a_file(project, "cityscapes/gtFine/val/*/*_labelIds.png"))


def test_a_moved_gate_hides_no_other_setting(finished):
    change = gta2city(**MOVED_GATE, training={"round": {"learning_rate": 0.003}})
    assert finished.planned(change=change) >= {f"Training {round_}" for round_ in ROUNDS}


def test_corrected_validation_labels_hide_no_other_setting(own):
    correct_a_validation_label(own)
    jobs = own.planned(change=gta2city(methods={"esl": {"bound": 0.2}}))
    assert jobs >= {"Checking every file of the target_val data", *ESL}
    jobs = own.planned(change=gta2city(training={"source": {"learning_rate": 0.003}}))
    assert jobs >= {"Checking every file of the target_val data", "Training the source model"}


def test_corrected_validation_labels_hide_no_change_of_the_code(own):
    correct_a_validation_label(own)
    own.edit("esl/labels/measures/entropy.py", 'sure: Sure = "low"', 'sure: Sure = "low" + ""')
    assert own.planned() >= {"Inferring maps with adapted, shard 1-of-2", *ESL}


def test_a_moved_gate_hides_no_change_of_the_evaluation(edited):
    edited.edit("esl/evaluation/metrics.py", "NUM_COPIES = 4", "NUM_COPIES = 2 + 2")
    assert edited.planned(change=gta2city(**MOVED_GATE)) >= {"Evaluating esl-round1", "Evaluating source", SUMMARY}


def test_a_moved_gate_hides_no_missing_file(own):
    for name in ("miou.json", "esl-round1/train.csv"):
        (own.root / "results/gta2city" / name).unlink()
    jobs = own.planned(change=gta2city(**MOVED_GATE), targets=["results/gta2city/miou.json", *TRAINED_ESL])
    assert jobs >= {SUMMARY, "Training esl-round1"}


def test_two_changes_at_once_are_both_in_the_result(own):
    correct_a_validation_label(own)
    change, scores = gta2city(methods={"esl": {"bound": 0.2}}), "results/gta2city/esl-round1/miou.json"
    before = (own.root / scores).read_bytes()
    run = own.snakemake(change=change, targets=[scores])
    assert run.returncode == 0, run.stdout + run.stderr
    assert (own.root / scores).read_bytes() != before
    thresholds = json.loads((own.root / "results/gta2city/esl-round1/thresholds.json").read_text())
    assert thresholds["parameters"]["bound"] == 0.2
    assert own.planned(change=change, targets=[scores]) == set()


def test_a_target_label_that_was_corrected_or_lost_infers_and_trains_nothing_again(own):
    """Labels of the training split are diagnosis: what counts them runs again, and nothing else."""
    path = a_file(own, "cityscapes/gtFine/train/*/*_labelIds.png")
    Image.fromarray(np.full_like(np.array(Image.open(path)), 7)).save(path)
    expected = {
        "Checking every file of the target_train data",
        *(f"Writing pseudo-labels for {name}" for name in ROUNDS),
    }
    assert own.planned() == expected
    path.unlink()
    assert own.planned() == expected
    images = ("results/gta2city/source/predictions.json", "results/gta2city/miou.json")
    run = own.snakemake(targets=images)
    assert run.returncode == 0, run.stdout + run.stderr
    quality = json.loads((own.root / "results/gta2city/esl-round1/pseudo_labels.json").read_text())["quality"]
    assert quality["labelled_images"] == 9
    a_file(own, "cityscapes/gtFine/val/*/*_labelIds.png").unlink()
    assert not any("Predicting" in job for job in own.planned(targets=images))


def test_a_touched_data_set_reruns_nothing(own):
    for path in (own.root / "data/miniature/0").rglob("*.png"):
        os.utime(path)
    assert own.planned() == set()
