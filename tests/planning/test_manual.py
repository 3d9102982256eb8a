"""The generated schema and manual: as written, strict, complete."""

import difflib

import yaml
from planning.manual import MANUAL, SCHEMA, TABLES, drift


def test_schema_and_manual_are_as_the_settings_classes_say():
    differences = [
        "".join(difflib.unified_diff(before.splitlines(True), after.splitlines(True), str(path), "as generated"))
        for path, (before, after) in drift().items()
    ]
    assert not differences, "run `make manual`:\n" + "\n".join(differences)


def every_object(schema):
    """Every schema of an object with properties, at any depth."""
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            yield schema
        for value in schema.values():
            yield from every_object(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from every_object(value)


def test_the_schema_is_strict_and_describes_every_key():
    schema = yaml.safe_load(SCHEMA.read_text())
    objects = list(every_object(schema))
    assert len(objects) > 10
    for object_ in objects:
        assert object_.get("additionalProperties") is False
        for key, property_ in object_["properties"].items():
            described = property_.get("description") or "$ref" in property_ or "anyOf" in property_
            assert described, key


def test_the_manual_has_a_table_with_every_key_of_every_group():
    text = MANUAL.read_text()
    for name, cls in TABLES.items():
        assert f"<!-- keys: {name} -->" in text
        for key in cls.model_fields:
            assert f"`{key}`" in text or f".{key}`" in text, key
