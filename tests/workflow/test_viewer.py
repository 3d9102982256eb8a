"""The viewer as a target of the workflow: asked for by name alone, and made again when its page changes."""

RESULTS = "results/gta2city"
VIEWER = f"{RESULTS}/esl-round1/viewer.html"
MADE = {"Making the viewer of esl-round1"}


def test_a_viewer_is_made_once_and_only_by_its_own_name(own):
    figures = own.planned(targets=[f"{RESULTS}/figures.md"])
    assert figures and not figures & MADE and own.planned() == set()
    assert own.planned(targets=[VIEWER]) == MADE
    run = own.snakemake(targets=[VIEWER])
    assert run.returncode == 0, run.stdout + run.stderr
    assert len([*(own.root / VIEWER).with_suffix("").glob("*.js")]) == 10
    log = (own.root / "logs/gta2city/esl-round1/viewer.log").read_text()
    assert "10 images, confidence, entropy, compared with bdl-round1" in log and "open it in a browser" in log
    assert own.planned(targets=[VIEWER]) == own.planned() == set()
    own.edit("esl/viewer/page/style.css", "#0072b2", "#0072b3")
    assert own.planned(targets=[VIEWER]) == MADE and own.planned() == set()


def test_the_lines_of_the_viewer_plan_a_method_of_their_own_and_rerun_no_other(own):
    lines = {"measure": "confidence", "threshold": 0.9, "classes": {"road": 0.95, "sky": None}}
    change = {"benchmarks": {"gta2city": {"methods": {"fixed": lines}}}}
    planned = own.planned(change=change)
    assert "Choosing thresholds for fixed-round1" in planned
    assert not [job for job in planned if "esl-round1" in job or job.startswith("Inferring")]
