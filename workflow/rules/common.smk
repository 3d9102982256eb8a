"""Settings of a benchmark, the models that it asks for, and digests of the code behind a stage."""

import ast
import difflib
import hashlib
import json
import re
import shlex
import sys
from copy import deepcopy
from functools import cache
from pathlib import Path

import jsonschema
import yaml
from snakemake.exceptions import WorkflowError

PROJECT = Path(workflow.basedir).parent
sys.path.insert(0, str(PROJECT))
from esl.data.class_sets import CLASS_SETS, declared_class_set
from esl.data.formats.declared import declared, unknown_members, unknown_names
from esl.data.formats.registry import FORMATS
from esl.errors import InputError
from esl.labels.rules import RULES, cbst_portion

START_OF_ROUNDS = {
    "none": "source",
    "abn": "adapted",
    "minent": "minent",
    "advent": "advent",
}  # adaptation of the source stage -> model
RENDERED = ("gta5", "synthia", "cityscapes", "mapillary")
ROUND = rf"(?:{'|'.join(RULES)})-round[1-9]\d*"


def checked_config():
    """Fills in the schema's defaults; every mistake in the config is told at once, by key."""
    schema = yaml.safe_load(
        (PROJECT / "workflow/schemas/config.schema.yaml").read_text()
    )
    filled = with_defaults(dict(config), schema)
    errors = sorted(
        jsonschema.Draft202012Validator(schema).iter_errors(filled),
        key=lambda error: list(error.path),
    )
    if errors:
        raise WorkflowError(
            "config: " + "\nconfig: ".join(explained(error) for error in errors)
        )
    config.update(filled)
    for name, benchmark in config["benchmarks"].items():
        known_name(f"{name}.class_set", benchmark, [*CLASS_SETS, *config["class_sets"]])
        for domain in ("source", "target"):
            known = [*FORMATS, *config["datasets"]]
            known_name(f"{name}.{domain}.dataset", benchmark[domain], known)
        checked_training(f"config: benchmarks.{name}", benchmark)
    checked_declarations()


def checked_training(key, benchmark):
    """Settings that do not go together are told before anything runs."""
    training, network = benchmark["training"], benchmark["network"]
    for part in ("source", "round"):
        schedule, iterations = (
            training[part][name] for name in ("schedule", "iterations")
        )
        if schedule is not None and schedule < iterations:
            raise WorkflowError(
                f"{key}.training.{part}.schedule: {schedule} is less than the {iterations} iterations"
            )
        if (
            training[part]["adaptation"] == "advent"
            and benchmark["compute"]["precision"] == "16-mixed"
        ):
            raise WorkflowError(
                f"{key}.compute.precision: advent trains in 32-true or bf16-mixed, not in 16-mixed"
            )
    pretrained = benchmark["pretrained"]
    if training["round"]["initial"] == "pretrained" and pretrained is None:
        raise WorkflowError(
            f"{key}.training.round.initial: rounds start from `pretrained` weights, but {key}.pretrained names none"
        )
    if pretrained is not None and not network.startswith("deeplabv2_resnet101"):
        raise WorkflowError(
            f"{key}.pretrained: only deeplabv2_resnet101 starts from published weights, and the network is {network}"
        )
    if (pretrained == "torchvision") != (
        network == "deeplabv2_resnet101_torchvision"
    ) and (pretrained == "torchvision"):
        raise WorkflowError(
            f"{key}.network: torchvision's weights fit deeplabv2_resnet101_torchvision, not {network}"
        )


def known_name(key, settings, known):
    """The last part of ``key`` in ``settings`` must be one of the ``known`` names."""
    name = settings[key.rpartition(".")[2]]
    if name not in known:
        raise WorkflowError(
            f"config: benchmarks.{key}: no {name!r}{suggestion(name, known)}"
        )


def checked_declarations():
    """Data sets and class sets of the user's own: every mistake is told before anything runs."""
    try:
        own = [
            declared_class_set(name, entry)
            for name, entry in config["class_sets"].items()
        ]
        formats = {
            name: declared(name, entry) for name, entry in config["datasets"].items()
        }
        for class_set in own:
            if unknown := unknown_members(class_set, list(formats.values())):
                raise InputError(
                    f"class_sets.{class_set.name}: labels that no data set has: {', '.join(unknown)}"
                )
        members = tuple(
            names
            for class_set in [*CLASS_SETS.values(), *own]
            for names in class_set.members
        )
        for name, format_ in formats.items():
            if unknown := unknown_names(format_, members):
                raise InputError(
                    f"datasets.{name}: labels that no class set knows: {', '.join(unknown)}; null ignores an id on purpose"
                )
    except InputError as error:
        raise WorkflowError(f"config: {error}") from None
    for kind, shipped in (("datasets", FORMATS), ("class_sets", CLASS_SETS)):
        for name in config[kind]:
            if name in shipped:
                raise WorkflowError(
                    f"config: {kind}.{name}: a shipped one has this name; choose another"
                )


def with_defaults(value, schema):
    """``value`` with every key that it leaves out set to the schema's default."""
    if not isinstance(value, dict):
        return value
    if odd := [key for key in value if not isinstance(key, str)]:
        if schema.get("additionalProperties") is False:
            raise WorkflowError(
                f"config: the key {odd[0]!r} is no text: put it in quotation marks"
            )
        return value  # ids of labels are numbers
    filled = dict(value)
    for key, sub in schema.get("properties", {}).items():
        if key not in filled and "default" in sub:
            filled[key] = deepcopy(sub["default"])
        if key in filled:
            filled[key] = with_defaults(filled[key], sub)
    for pattern, sub in schema.get("patternProperties", {}).items():
        filled |= {
            key: with_defaults(item, sub)
            for key, item in filled.items()
            if re.search(pattern, key)
        }
    return filled


def explained(error):
    """One line on a schema error: the key, what was expected, the likely correction."""
    where = ".".join(str(part) for part in error.path) or "(top level)"
    if error.validator == "additionalProperties":
        known = [*error.schema.get("properties", {})]
        patterns = [*error.schema.get("patternProperties", {})]
        unknown = [
            key
            for key in error.instance
            if key not in known and not any(re.search(p, key) for p in patterns)
        ]
        return "; ".join(
            f"{where}: unknown key {key!r}{suggestion(key, known)}" for key in unknown
        )
    return f"{where}: {error.message}" + (
        f" ({error.schema['description']})" if "description" in error.schema else ""
    )


def suggestion(key, known):
    """The known keys nearest to ``key``, as a question."""
    near = difflib.get_close_matches(key, known, n=1)
    return (
        f"; did you mean {near[0]!r}?"
        if near
        else f"; known keys: {', '.join(sorted(known))}"
    )


checked_config()


@cache
def benchmark_settings(name):
    """The settings of a benchmark; ``NAME-seedK`` is the benchmark NAME with seed K, in training and rendering alike."""
    base, _, seed = (
        name.partition("-seed") if name not in config["benchmarks"] else (name, "", "")
    )
    settings = deepcopy(config["benchmarks"][base])
    if seed:
        settings["seed"] = int(seed)
    for domain in ("source", "target"):
        settings[domain]["root"] = settings[domain]["root"].replace(
            "{seed}", str(settings["seed"])
        )
    return settings


def setting(path):
    """A function of the wildcards: the value at a dotted ``path`` in the settings of the benchmark."""

    def value(wildcards):
        found = benchmark_settings(wildcards.benchmark)
        for key in path.split("."):
            found = found[key]
        return found

    return value


def flags(*paths, **renamed):
    """A function of the wildcards: command-line flags from dotted setting paths.

    A flag is called as the last part of its path unless it is renamed; ``true`` gives a bare flag, ``false`` and null none,
    a list several words.
    """
    named = {path.rpartition(".")[2]: path for path in paths} | renamed
    return lambda wildcards: rendered(
        {name: setting(path)(wildcards) for name, path in named.items()}
    )


def rendered(values):
    """Flag names and values as shell words."""
    words = []
    for name, value in values.items():
        if value is None or value is False:
            continue
        words.append(f"--{name.replace('_', '-')}")
        if value is not True:
            values = value if isinstance(value, list) else [value]
            words += [shlex.quote(str(item)) for item in values]
    return " ".join(words)


def data_split(wildcards):
    """The flags of the index stage for one part of a benchmark's data.

    A folder that is missing is told here, while jobs are planned: as a failing job, the check would take the index of
    the data before with it, and every model would be trained again once the path is corrected.
    """
    root = data_root(wildcards)
    domain, _, split = wildcards.part.partition("_")
    class_set = setting("class_set")(wildcards)
    data = setting(domain)(wildcards)
    key = f"benchmarks.{wildcards.benchmark}.{domain}.root"
    if not is_rendered(root) and not root.is_dir():
        raise WorkflowError(
            f"{key}: no such folder: {root}; obtain the data set and unpack it there, or correct the path"
        )
    of_other_data(wildcards, root)
    values = {
        "key": key,
        "root": root,
        "dataset": data["dataset"],
        "declared": as_json(config["datasets"].get(data["dataset"])),
        "split": data[f"{split}_split"] if split else data["split"],
        "class_set": class_set,
        "declared_classes": as_json(config["class_sets"].get(class_set)),
        "labels": {"source": "required", "target_train": "optional"}.get(
            wildcards.part, "all_or_none"
        ),
        "mismatched_labels": data["mismatched_labels"],
        "missing_labels": data.get("missing_labels"),
    }
    return rendered(values)


def of_other_data(wildcards, root):
    """Refuses to write over results of other data, such as the miniature's over those of a full-scale overlay."""
    index = Path(f"results/{wildcards.benchmark}/data/{wildcards.part}.json")
    if not index.is_file():
        return
    with index.open(
        encoding="utf-8"
    ) as file:  # the root stands at the head of what may be many megabytes
        found = re.search(r'"root": ("(?:[^"\\]|\\.)*")', file.read(10000))
    before = Path(json.loads(found[1])) if found else root
    if before != root:
        raise WorkflowError(
            f"results/{wildcards.benchmark} is of {before}, but benchmarks.{wildcards.benchmark} is of {root}: is a "
            f"--configfile missing, or one too many? To keep both, rename the folder results/{wildcards.benchmark}; where "
            f"the same data have moved, delete {index}"
        )


def as_json(declaration):
    """A declaration of the config as a flag of a stage."""
    return None if declaration is None else json.dumps(declaration)


def rendering(wildcards):
    """The manifest of the miniature when the data lie there; real data sets need nothing made."""
    root = data_root(wildcards)
    return [f"{root}.json"] if is_rendered(root) else []


def data_root(wildcards):
    """The folder of a part of a benchmark's data."""
    return Path(setting(wildcards.part.partition("_")[0])(wildcards)["root"])


def is_rendered(root):
    """Whether the project renders what lies in ``root`` itself."""
    return root.parent.parent == Path("data/miniature") and root.name in RENDERED


def data_name(wildcards):
    """What miou.json calls the data: the miniature by that name, real data by the index's fingerprint."""
    root = Path(setting("target.root")(wildcards))
    return rendered({"data": "miniature" if is_rendered(root) else None})


def every_index(wildcards):
    """All parts of the data: checked before anything trains, without being a reason to train again."""
    return [
        ancient(f"results/{wildcards.benchmark}/data/{part}.json")
        for part in ("source", "target_train", "target_val")
    ]


def models(wildcards):
    """The folders of every model of a benchmark, in the order of the summary."""
    settings = benchmark_settings(wildcards.benchmark)
    rounds = [
        f"{name}-round{n + 1}"
        for name, method in settings["methods"].items()
        for n in range(method["rounds"])
    ]
    first = START_OF_ROUNDS[settings["training"]["source"]["adaptation"]]
    return [
        "source",
        *([first] if first != "source" else []),
        *rounds,
        *(["oracle"] if settings["oracle"] else []),
    ]


def every_pseudo_label(wildcards):
    """The manifests of all rounds that keep anything."""
    rounds = [
        model
        for model in models(wildcards)
        if "-round" in model and not model.startswith("control")
    ]
    return [
        f"results/{wildcards.benchmark}/{round}/pseudo_labels.json" for round in rounds
    ]


def start_of_rounds(wildcards):
    """The model that teaches the first round: the source model, brought nearer to the target if the config asks."""
    return START_OF_ROUNDS[setting("training.source.adaptation")(wildcards)]


def teacher(wildcards):
    """The model before a round."""
    name, _, number = wildcards.round.rpartition("-round")
    return (
        start_of_rounds(wildcards)
        if number == "1"
        else f"{name}-round{int(number) - 1}"
    )


def initial_weights(wildcards):
    """What a round starts from: the model that teaches the first round, its own teacher, or published weights."""
    initial = setting("training.round.initial")(wildcards)
    if initial == "pretrained":
        return pretrained_weights(wildcards)
    model = {"source": start_of_rounds, "teacher": teacher}[initial](wildcards)
    return f"results/{wildcards.benchmark}/{model}/checkpoint.pt"


def pretrained_weights(wildcards):
    """The file of published weights; a missing one is told while jobs are planned."""
    weights = setting("pretrained")(wildcards)
    if weights in (None, "torchvision"):
        return []
    if not Path(weights).is_file():
        raise WorkflowError(
            f"benchmarks.{wildcards.benchmark}.pretrained: no such file: {weights}; for deeplabv2_resnet101 get the "
            "ResNet-101 pretrained on ImageNet that github.com/valeoai/ADVENT links to "
            "(DeepLab_resnet_pretrained_imagenet.pth) and put it there"
        )
    return weights


def start(wildcards, input):
    """The flag that says what a training starts from."""
    pretrained = setting("pretrained")(wildcards)
    if "round" not in wildcards.keys():
        return rendered({"pretrained": pretrained})
    if setting("training.round.initial")(wildcards) == "pretrained":
        return rendered({"pretrained": pretrained})
    return rendered({"initial": input.initial})


def teacher_maps(wildcards):
    """Every shard of the teacher of a round."""
    shards = setting("inference.shards")(wildcards)
    folder = f"results/{wildcards.benchmark}/{teacher(wildcards)}/maps"
    return [f"{folder}/{number + 1}-of-{shards}.h5" for number in range(shards)]


def gate(wildcards):
    """A round waits for its gate, but a gate that is moved is no reason to train a round again."""
    if setting("gate.action")(wildcards) == "ignore":
        return []
    return ancient(f"results/{wildcards.benchmark}/{wildcards.round}/gate.json")


def thresholds_before(wildcards):
    """The thresholds of the same method's round before; a first round has none."""
    name, _, number = wildcards.round.rpartition("-round")
    if number == "1":
        return []
    return (
        f"results/{wildcards.benchmark}/{name}-round{int(number) - 1}/thresholds.json"
    )


def selection(wildcards):
    """The flags of a round's selection; published values unless the config says otherwise."""
    name, _, number = wildcards.round.partition("-round")
    stored = setting("inference.maps")(wildcards)
    if missing := [map_ for map_ in RULES[name].maps if map_ not in ("label", *stored)]:
        raise WorkflowError(
            f"benchmarks.{wildcards.benchmark}.inference.maps: {name} reads {', '.join(missing)}, "
            f"which is not stored: add it, or run no {name}"
        )
    method = dict(setting("methods")(wildcards).get(name, {}))
    schedule = {key: method[key] for key in method if key.startswith("portion")}
    if name == "cbst":
        portion = cbst_portion(int(number), **schedule)
        method["quantile"] = round(1 - portion, 12)
    return rendered(
        {
            "rule": name,
            "quantile": method.get("quantile"),
            "bound": method.get("bound"),
        }
    )


def processors(wildcards):
    """The threads of a training: where a GPU computes, one for each process that reads pictures, and two beside."""
    if setting("compute.accelerator")(wildcards) == "cpu":
        return 2
    return 2 + 2 * setting("compute.workers")(wildcards)


def adversary(wildcards):
    """The flags of an adaptation; none where nothing is adapted."""
    if getattr(wildcards, "adaptation", None) or (
        setting("training.round.adaptation")(wildcards) != "none"
    ):
        return flags(
            "training.adaptation_weight",
            "training.auxiliary_adaptation_weight",
            "training.discriminator_rate",
        )(wildcards)
    return ""


def gpus(wildcards):
    """How many GPUs a job needs."""
    return 0 if setting("compute.accelerator")(wildcards) == "cpu" else 1


def launcher(wildcards, resources):
    """What starts a training: nothing, or, with the resource ``mpi``, a process for every GPU on ``nodes`` nodes."""
    starter = resources.get("mpi")
    if not starter:
        return ""
    nodes = resources.get("nodes", 1)
    return (
        f"{starter} --nodes={nodes} --ntasks-per-node={max(resources.gpu // nodes, 1)} "
    )


def best_snapshots(wildcards):
    """The choice among the snapshots of every model that was trained; none unless the config asks for snapshots."""
    if not setting("training.snapshot_every")(wildcards):
        return []
    return [
        f"results/{wildcards.benchmark}/{model}/best_snapshot.json"
        for model in models(wildcards)
        if model != "adapted"  # which is not trained
    ]


@cache
def code(stage):
    """A digest of a stage's code and of every module of ``esl`` that it imports, directly or not.

    It is taken over the syntax trees without docstrings: comments and formatting change nothing, an edit in substance
    reruns the rules that carry the digest (Snakemake itself never looks into imported modules).
    """
    digest = hashlib.sha256()
    for name, tree in sorted(import_closure(stage if '.' in stage else f"esl.stages.{stage}").items()):
        data = module_file(name).with_suffix(".yaml")
        read = yaml.safe_load(data.read_text()) if data.is_file() else None
        digest.update(f"{name}\n{ast.dump(tree)}\n{read}\n".encode())
    return digest.hexdigest()[:16]


def import_closure(start):
    """Module name -> syntax tree of ``start`` and every module of this project that it reaches by imports."""
    closure, waiting = {}, [start]
    while waiting:
        name = waiting.pop()
        file = module_file(name)
        if name in closure or file is None:
            continue
        closure[name] = tree = without_docstrings(
            ast.parse(file.read_text(encoding="utf-8"))
        )
        waiting.append(name.rpartition(".")[0])
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                waiting += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                waiting += [
                    node.module,
                    *(f"{node.module}.{alias.name}" for alias in node.names),
                ]
    return closure


def module_file(name):
    """The file of a module of this project, or ``None``."""
    path = PROJECT / name.replace(".", "/")
    candidates = (
        [path.with_suffix(".py"), path / "__init__.py"]
        if name.split(".")[0] in ("esl", "miniature")
        else []
    )
    return next((file for file in candidates if file.is_file()), None)


def without_docstrings(tree):
    """The tree without string statements, which say nothing to the interpreter."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [
                item
                for item in body
                if not (
                    isinstance(item, ast.Expr)
                    and isinstance(item.value, ast.Constant)
                    and isinstance(item.value.value, str)
                )
            ]
    return tree
