"""Which edits change the code digest of a stage."""

import ast

import pytest
from planning.digest import code_digest, essence, import_closure

STAGES = ("train", "adapt", "infer", "evaluate", "threshold", "pseudo_label", "gate", "index", "summarize")


def same(one: str, other: str) -> bool:
    return ast.dump(essence(ast.parse(one))) == ast.dump(essence(ast.parse(other)))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = 1", "x = 1  # a remark"),
        ("x = (1,\n 2)", "x = (1, 2)"),
        ('def f():\n    """One."""\n    return 1', 'def f():\n    """Two."""\n    return 1'),
        ('X = 1\n"""One."""', 'X = 1\n"""Two."""'),
        ("raise InputError(f'{path}: no')", "raise InputError('not there', path) from None"),
        ("x: int = Field(1, ge=0, description='One.')", "x: int = Field(1, ge=0, description='Two.')"),
        ("lines.append(Problem((key,), f'{key}: one'))", "lines.append(Problem((key,), 'two'))"),
        ("raise argparse.ArgumentTypeError('one')", "raise argparse.ArgumentTypeError('two', key)"),
        ("print('one', file=sys.stderr)", "print(f'two {x}', file=sys.stderr)"),
        ("x = 1", "say(f'{x} images')\nx = 1"),
        ("x = 1", "x = 1\nprint('done', file=sys.stderr)"),
        ("parser.add_argument('--x', type=int, help='one')", "parser.add_argument('--x', type=int, help='two')"),
    ],
)
def test_what_changes_no_result_changes_no_digest(before, after):
    assert same(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = 1", "x = 2"),
        ("raise InputError('a')", "raise ValueError('a')"),
        ("x: int = Field(1, ge=0, description='One.')", "x: int = Field(2, ge=0, description='One.')"),
        ("x: int = Field(1, ge=0, description='One.')", "x: int = Field(1, ge=1, description='One.')"),
        ("print('a')", "print('b')"),
        ("x = 1", "x = 1\nf('done')"),
    ],
)
def test_what_may_change_a_result_changes_the_digest(before, after):
    assert not same(before, after)


def test_the_closure_follows_every_kind_of_import_and_leaves_out_registries_and_texts():
    closure = import_closure(["esl.stages.train"])
    assert {"esl.training.loop", "esl.training.step", "esl.data.stream", "esl.files", "esl"} <= set(closure)
    assert not [name for name in closure if name.rpartition(".")[2] in ("registry", "errors", "notes")]


def test_what_extensions_add_to_is_in_the_closure_of_no_training_and_no_inference():
    for stage in ("train", "adapt", "infer"):
        closure = set(import_closure([f"esl.stages.{stage}"]))
        for folder in ("esl.models.networks.", "esl.labels.methods.", "esl.training.terms.advent", "esl.data.formats."):
            assert not [name for name in closure if name.startswith(folder)], (stage, folder)
        assert not closure & {"esl.data.class_sets", "esl.data.report", "esl.stages.doctor"}
        assert not [name for name in closure if name.startswith("esl.data.label_tables")]


def test_what_draws_is_in_the_closure_of_nothing_that_computes():
    for stage in (*STAGES, "predict", "best_snapshot", "confidence"):
        drawing = [name for name in import_closure([f"esl.stages.{stage}"]) if name.startswith("esl.figures")]
        assert drawing == [], stage


def test_the_index_depends_on_no_report_no_class_set_and_no_other_format():
    closure = set(import_closure(["esl.stages.index"]))
    assert not closure & {"esl.data.class_sets", "esl.data.report", "esl.stages.doctor"}
    assert not closure & {"esl.data.formats.gta5", "esl.data.formats.mapillary", "esl.data.formats.folder"}


def test_different_roots_have_different_digests():
    digests = {code_digest(f"esl.stages.{stage}") for stage in STAGES}
    assert len(digests) == len(STAGES)
    plain = code_digest("esl.stages.train", "esl.models.networks.small")
    assert plain != code_digest("esl.stages.train", "esl.models.networks.deeplabv2")
