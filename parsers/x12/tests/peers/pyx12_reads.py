"""Reads interchanges of acknowledgments with pyx12, one file a line from standard input: the envelope by its
reader, each segment between ST and SE by its map of the 997 or 999. Prints what is wrong with each."""

import io
import json
import logging
import sys

import pyx12.error_handler
import pyx12.map_if
import pyx12.map_index
import pyx12.params
import pyx12.x12file
from pyx12.x12n_document import apply_segment_errors

logging.disable(logging.CRITICAL)
PARAMS = pyx12.params.params()
MAPS = {}


def segments_of(node, found):
    for child in getattr(node, "pos_map", {}) and [c for at in sorted(node.pos_map) for c in node.pos_map[at]]:
        if child.is_segment():
            found.setdefault(child.id, child)
        else:
            segments_of(child, found)
    return found


def map_of(icvn, vriic):
    if (icvn, vriic) not in MAPS:
        name = pyx12.map_index.map_index().get_filename(icvn, vriic, "FA")
        MAPS[icvn, vriic] = segments_of(pyx12.map_if.load_map_file(name, PARAMS), {})
    return MAPS[icvn, vriic]


def faults(text):
    found = []
    source = pyx12.x12file.X12Reader(io.StringIO(text))
    icvn, known = None, {}
    for segment in source:
        found += [str(error) for error in source.pop_errors()]
        name = segment.get_seg_id()
        if name == "ISA":
            icvn = segment.get_value("ISA12")
        elif name == "GS":
            known = map_of(icvn, segment.get_value("GS08"))
        elif name in known and name not in ("GE", "IEA"):
            if not apply_segment_errors(known[name], segment, pyx12.error_handler.errh_null()):
                found.append(segment.format())
        elif name not in ("GE", "IEA"):
            found.append("unknown segment " + segment.format())
    found += [str(error) for error in source.pop_errors()]
    source.cleanup()
    found += [str(error) for error in source.pop_errors()]
    return found


print(json.dumps([faults(json.loads(line)) for line in sys.stdin]))
