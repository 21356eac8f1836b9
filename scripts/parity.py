#!/usr/bin/env python3
"""Scores grouping against cases with known answers: parity.py <vedette binary> [folder].

The folder holds `dev/*.jsonl` with inputs and expected answers, and `compare.py` and `compare_sets.py`, which score
predictions. Only the inputs are handed to the binary. Without a folder the repository's own cases say what holds:
`cargo test -p processing`.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

# What the binary may see of a row; everything else is an answer or says where it came from.
INPUTS = ("name", "event", "project", "platform", "config", "input", "rules", "base", "frames", "exception",
          "rules_text", "text", "initial_contributes")
SETS = {
    "normalize": "normalize",
    "parameterization": "parameterize",
    "stacktrace_rules": "stacktrace-rules",
    "trim_function": "trim-function",
    "fingerprint_rules": "fingerprint-rules",
    "fingerprint_parse": "fingerprint-parse",
}


def rows(path):
    for line in path.read_text().splitlines():
        row = json.loads(line)
        # In a perturbation `base` names the row it was made of, elsewhere the rules it builds on.
        if "relation" in row:
            row.pop("base", None)
        yield {key: row[key] for key in INPUTS if key in row}


def predict(binary, stage, paths, out):
    lines = "".join(json.dumps(row) + "\n" for path in paths for row in rows(path))
    done = subprocess.run([binary, "debug", stage], input=lines, capture_output=True, text=True, check=True)
    out.write_text(done.stdout)


def main():
    binary, folder = sys.argv[1], Path(sys.argv[2])
    dev = folder / "dev"
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "predictions.jsonl"
        predict(binary, "group", [dev / "dataset.jsonl", dev / "perturbations.jsonl"], out)
        subprocess.run([sys.executable, folder / "compare.py", out], check=True)
        for name, stage in SETS.items():
            predict(binary, stage, [dev / f"{name}.jsonl"], out)
            subprocess.run([sys.executable, folder / "compare_sets.py", name, out], check=True)


if __name__ == "__main__":
    main()
