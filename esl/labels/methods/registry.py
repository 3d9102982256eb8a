"""The selection methods by name. A new method is a module and a row here."""

METHODS = {
    "esl": "esl.labels.methods.esl:Esl",
    "bdl": "esl.labels.methods.bdl:Bdl",
    "fda": "esl.labels.methods.fda:Fda",
    "cbst": "esl.labels.methods.cbst:Cbst",
    "sac": "esl.labels.methods.sac:Sac",
    "fixed": "esl.labels.methods.fixed:Fixed",
    "control": "esl.labels.methods.control:Control",
}
"""Name -> module:class."""
