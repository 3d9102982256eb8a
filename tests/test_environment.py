"""The three lists of dependencies agree."""

import tomllib

import yaml

from tests.configs import PROJECT

CONDA_NAMES = {
    "torch": "pytorch",
    "snakemake": "snakemake-minimal",
    "isal": "python-isal",
    "matplotlib": "matplotlib-base",
}


def test_pyproject_constraints_and_environment_agree():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    ranges = {name.lower(): minimum for name, _, minimum in (line.partition(">=") for line in asked)}
    conda = yaml.safe_load((PROJECT / "environment.yml").read_text())["dependencies"]
    pip = next(entry["pip"] for entry in conda if isinstance(entry, dict))
    lines = [entry for entry in conda if isinstance(entry, str)] + pip
    environment = {name.lower(): minimum for name, _, minimum in (line.partition(">=") for line in lines)}
    assert environment.pop("python") == project["requires-python"].removeprefix(">=")
    assert environment.pop("pip") == ""
    assert environment == {CONDA_NAMES.get(name, name): minimum for name, minimum in ranges.items()}
    constraints = [line for line in (PROJECT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    tested = {
        name.lower().replace("_", "-"): version for name, _, version in (line.partition("==") for line in constraints)
    }
    for name, minimum in ranges.items():
        assert name in tested, f"{name} is not in constraints.txt"
        if minimum:
            numbers = [[int(part) for part in version.split(".")[:2]] for version in (tested[name], minimum)]
            assert numbers[0] >= numbers[1], f"{name}: constraints.txt has {tested[name]}, asked for {minimum}"
