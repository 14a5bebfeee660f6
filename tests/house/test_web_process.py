"""The web process stays light: what it imports, asked of a real interpreter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys, json
sys.path[:0] = ["platform", "."]
import config.asgi
from django.urls import get_resolver
get_resolver().url_patterns  # every view of every room is imported by now
heavy = {"torch", "torchvision", "safetensors", "matplotlib"}
print(json.dumps(sorted(heavy & set(sys.modules))))
"""


def test_the_web_process_never_imports_torch() -> None:
    environment = {"DJANGO_SETTINGS_MODULE": "config.settings"}
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, env={**os.environ, **environment}
    )
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout.splitlines()[-1]) == []
