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


def debug(binary, stage, rows):
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    done = subprocess.run([binary, "debug", stage], input=lines, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def similar(binary, dev):
    """Of the perturbed events whose hash differs from their base's: how often the base is among the three that
    look most like it."""
    bases, perturbed = list(rows(dev / "dataset.jsonl")), list(rows(dev / "perturbations.jsonl"))
    names = [json.loads(line)["base"] for line in (dev / "perturbations.jsonl").read_text().splitlines()]
    place = {row["name"]: i for i, row in enumerate(bases)}
    hashes = [set(r["hashes"]) for r in debug(binary, "group", bases + perturbed)]
    features = [r.get("output", []) for r in debug(binary, "features", bases + perturbed)]
    asked = [i for i, base in enumerate(names) if base in place and not hashes[len(bases) + i] & hashes[place[base]]]
    query = {"name": "all", "candidates": features[: len(bases)], "queries": [features[len(bases) + i] for i in asked]}
    ranked = debug(binary, "similar", [query])[0]["output"]
    # Bases that look the same to the last number share a place.
    found = [any(features[c] == features[place[names[i]]] for c in top[:3]) for i, top in zip(asked, ranked)]
    print(f"similar: the base is among the first three for {sum(found)} of {len(found)}, {sum(found) / len(found):.1%}")
    for i, hit in zip(asked, found):
        if not hit and "-v" in sys.argv:
            print("  missed", perturbed[i]["name"])


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
        similar(binary, dev)


if __name__ == "__main__":
    main()
