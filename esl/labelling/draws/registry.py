"""The rules that draw images to label, by name. A new rule is a module and a row here."""

DRAWS = {
    "random": "esl.labelling.draws.random:Random",
    "least_kept": "esl.labelling.draws.least_kept:LeastKept",
    "expected_error": "esl.labelling.draws.expected_error:ExpectedError",
    "spread": "esl.labelling.draws.spread:Spread",
}
"""Name -> module:class."""

READS = {"least_kept": "pseudo_labels", "expected_error": "maps"}
"""The files of a round that a rule reads, beyond the images; ``esl/labelling/draws/base.py`` says what they are."""
