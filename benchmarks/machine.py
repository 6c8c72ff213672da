"""What a benchmark ran on, for the head of its table."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any


def describe_machine(packages: Sequence[str]) -> dict[str, Any]:
    """Processor, cores, load over the last minute, and the versions of what is installed."""
    found: dict[str, str] = {"Python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "versions": found,
    }


def head(machine: dict[str, Any]) -> str:
    """The machine as a paragraph."""
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    load = f"load at the start {machine['load']:g}"
    return f"{machine['cores']} cores, {machine['processor']}; {load}.\n{versions}."


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    fields = (line.partition(":") for line in lines)
    known = {name.strip(): value.strip() for name, _, value in fields}  # all cores are alike
    flags = {"avx512f": "AVX-512", "avx512_vnni": "VNNI", "avx512_bf16": "bf16", "amx_tile": "AMX"}
    has = [shown for flag, shown in flags.items() if flag in known.get("flags", "").split()]
    name = known.get("model name", platform.machine())
    return f"{name} ({', '.join(has)})" if has else name
