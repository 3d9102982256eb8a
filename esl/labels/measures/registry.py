"""The measures of confidence, by the names of their maps. A new measure is a module and a row here."""

MEASURES = {
    "entropy": "esl.labels.measures.entropy:Entropy",
    "confidence": "esl.labels.measures.max_probability:MaxProbability",
    "margin": "esl.labels.measures.margin:Margin",
}
"""Name -> module:class."""
