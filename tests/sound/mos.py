"""Mean opinion score of copies of recordings, by ViSQOL's model of speech.

Reads lines of `reference.wav<TAB>copy.wav` (16 kHz, one channel) and answers a score a line, 1 (bad) to 5 (as the
reference).
"""

import sys

from visqol import VisqolApi

api = VisqolApi()
api.create(mode="speech")
for line in sys.stdin:
    reference, copy = line.rstrip("\n").split("\t")
    print(f"{api.measure(reference, copy).moslqo:.3f}", flush=True)
