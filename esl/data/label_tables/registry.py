"""The tables of label ids for declared datasets. A new table is a module and a row here."""

LABEL_TABLES = {
    "cityscapes": "esl.data.label_tables.cityscapes:CITYSCAPES_LABELS",
    "cityscapes_train_ids": "esl.data.label_tables.cityscapes:TRAIN_ID_LABELS",
    "gta5": "esl.data.label_tables.gta5:GTA5_LABELS",
    "synthia": "esl.data.label_tables.synthia:SYNTHIA_LABELS",
}
"""Name -> module:attribute."""
