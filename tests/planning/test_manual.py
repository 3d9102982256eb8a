"""The generated schema and manual: as written, strict, complete."""

import difflib
from functools import reduce

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


def target_of(reference, schema):
    """The part of a schema that a `$ref` names."""
    return reduce(lambda part, key: part[key], reference.removeprefix("#/").split("/"), schema)


def is_described(property_, schema):
    """Whether a property, one of its alternatives, or a part that it refers to, has a description."""
    choices = [property_, *property_.get("anyOf", [])]
    targets = [target_of(choice["$ref"], schema) for choice in choices if "$ref" in choice]
    return any(each.get("description") for each in [*choices, *targets])


def test_the_schema_is_strict_and_describes_every_key():
    schema = yaml.safe_load(SCHEMA.read_text())
    objects = list(every_object(schema))
    assert len(objects) > 10
    assert all(object_.get("additionalProperties") is False for object_ in objects)
    properties = [item for object_ in objects for item in object_["properties"].items()]
    assert [key for key, property_ in properties if not is_described(property_, schema)] == []


def test_the_manual_has_a_place_for_every_table():
    text = MANUAL.read_text()
    assert [name for name in TABLES if f"<!-- keys: {name} -->" not in text] == []
