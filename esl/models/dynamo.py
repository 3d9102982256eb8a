"""PyTorch's compiler only where something is compiled: importing it takes 1.4 s of processor time.

timm and torchvision import ``torch._dynamo`` for two functions that matter only while a network is compiled. PyTorch
imports the compiler itself where an optimiser is made or a network compiled.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from types import ModuleType
from typing import Any

COMPILER = "torch._dynamo"


@contextmanager
def without_compiler() -> Iterator[None]:
    """Gives the libraries that the block imports placeholders instead of ``torch._dynamo``, unless that is there.

    The functions that they take from it ask the real module once they are called.
    """
    if COMPILER in sys.modules:
        yield
        return
    compiler, utils = ModuleType(COMPILER), ModuleType(f"{COMPILER}.utils")
    placeholders = {module.__name__: module for module in (compiler, utils)}
    compiler.__dict__.update(utils=utils, disable=_disable)
    utils.__dict__.update(is_compile_supported=_is_compile_supported)
    sys.modules |= placeholders
    try:
        yield
    finally:
        for name, module in placeholders.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]


def _disable(function: Callable[..., Any], recursive: bool = True, **options: Any) -> Callable[..., Any]:
    """Stands for ``torch._dynamo.disable``: keeps a function uncompiled, once there is a compiler."""

    @wraps(function)
    def disabled(*arguments: Any, **keywords: Any) -> Any:
        if COMPILER not in sys.modules:
            return function(*arguments, **keywords)
        return sys.modules[COMPILER].disable(function, recursive, **options)(*arguments, **keywords)

    return disabled


def _is_compile_supported(device_type: str) -> bool:
    from torch._dynamo.utils import is_compile_supported

    return bool(is_compile_supported(device_type))
