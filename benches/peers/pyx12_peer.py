"""pyx12 on the files of a folder: its tokens of the 850s, its validation of 997s (it has no map of an 850)."""
import io
import json
import logging
import os
import sys
import time

import pyx12.params
import pyx12.x12file
import pyx12.x12n_document

logging.disable(logging.CRITICAL)
folder = sys.argv[1]


def measure(stage, name, run):
    with open(os.path.join(folder, name)) as file:
        text = file.read()
    turns = []
    begin = time.perf_counter()
    while len(turns) < 3 or time.perf_counter() - begin < 5:
        start = time.perf_counter()
        run(text)
        turns.append(time.perf_counter() - start)
    median = sorted(turns)[len(turns) // 2]
    line = {"stage": stage, "library": "pyx12", "file": name, "bytes": len(text)}
    print(json.dumps(line | {"kb_per_s": int(len(text) / 1000 / median)}), flush=True)


def tokenize(text):
    assert sum(len(segment) for segment in pyx12.x12file.X12Reader(io.StringIO(text))) > 0


def validate(text):
    assert pyx12.x12n_document.x12n_document(pyx12.params.params(), io.StringIO(text), None, None)


measure("tokenize", "part.edi", tokenize)
measure("validate", "997.edi", validate)
