"""The three lists of dependencies agree."""

import tomllib

import yaml
from packaging.requirements import Requirement

from tests.configs import PROJECT

CONDA_NAMES = {
    "torch": "pytorch",
    "snakemake": "snakemake-minimal",
    "isal": "python-isal",
    "matplotlib": "matplotlib-base",
}


def _bounds(lines):
    """Name -> the versions that are asked for."""
    requirements = map(Requirement, lines)
    return {requirement.name.lower().replace("_", "-"): requirement.specifier for requirement in requirements}


def test_pyproject_constraints_and_environment_agree():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    extras = (line for extra in project["optional-dependencies"].values() for line in extra)
    asked = _bounds([*project["dependencies"], *extras])
    conda = yaml.safe_load((PROJECT / "environment.yml").read_text())["dependencies"]
    pip = next(entry["pip"] for entry in conda if isinstance(entry, dict))
    environment = _bounds([entry for entry in conda if isinstance(entry, str)] + pip)
    assert environment.pop("python") == project["requires-python"]
    assert environment.pop("pip") == ""
    assert environment == {CONDA_NAMES.get(name, name): versions for name, versions in asked.items()}
    lines = (PROJECT / "constraints.txt").read_text().splitlines()
    constraints = _bounds(line for line in lines if not line.startswith("#"))
    for name, versions in asked.items():
        assert name in constraints, f"{name} is not in constraints.txt"
        (tested,) = constraints[name]
        assert tested.operator == "==" and tested.version in versions, (
            f"{name}: constraints.txt has {tested.version}, asked for {versions}"
        )


def test_snakemake_is_bounded_below_the_next_major_version_since_planning_replaces_a_part_of_it():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert "10.0" not in _bounds(project["dependencies"])["snakemake"]
