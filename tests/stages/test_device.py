"""The precision that `auto` becomes."""

import argparse

import pytest
import torch

from esl.stages.device import add_device, make_fabric


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"amx_bf16": True, "avx512_bf16": False}, "bf16-mixed"),
        ({"amx_bf16": False, "avx512_bf16": True}, "bf16-mixed"),
        ({"avx2": True, "avx512_f": True, "amx_bf16": False, "avx512_bf16": False}, "32-true"),
        ({"neon": True, "bf16": True}, "32-true"),  # instructions alone: nobody has measured it there
    ],
)
@pytest.mark.parametrize("precision", ["auto", "32-true", "bf16-mixed"])
def test_auto_is_bfloat16_only_where_the_processor_computes_it(
    monkeypatch: pytest.MonkeyPatch, capabilities: dict[str, bool], expected: str, precision: str
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    parser = argparse.ArgumentParser()
    add_device(parser)
    flags = parser.parse_args(f"--accelerator cpu --precision {precision} --threads 1".split())
    chosen = make_fabric(flags)._precision.precision
    assert flags.precision == chosen == (expected if precision == "auto" else precision)
