"""Jobs of the tiny benchmark by their messages, and changes of its config."""

ESL = {
    "Choosing thresholds for esl-round1",
    "Checking the teacher of esl-round1",
    "Writing pseudo-labels for esl-round1",
    "Training esl-round1",
    "Evaluating esl-round1",
    "Summarizing the models",
}
ROUNDS = ("control-round1", "bdl-round1", "esl-round1")
SUMMARY = "Summarizing the models"
SETTINGS = "Writing all settings"


def gta2city(**benchmark):
    """A change of the benchmark's settings."""
    return {"benchmarks": {"gta2city": benchmark}}
