#!/usr/bin/env python3
"""The Python migrator with bugs planted, each as small as such bugs are: what a rehearsal has to find.

    broken_migrator.py [--bug NAME]... | --list      without --bug: MIX, a release that passes its happy path

Each bug overrides a method or two of the good migrator; BUGS names it, the class of damage it causes and where it shows."""

import argparse
import random
import sys
import tempfile
import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import migrator
from migrator import Parts
from peer_audio import Audio
from peer_guide import INTERACTIONS
from peer_rules import add_years


@dataclass
class Bug:
    """`defect` is the class of damage a verifier names; `conduct` stands where the damage is done to the platform, not to a recording."""
    defect: str
    does: str
    parts: dict


class GuideBlindRepeat:
    def create(self, body):
        new_id = lambda: body.update(id=str(uuid.uuid4()))  # a lost answer is taken for a lost request
        return self.api.call("create", "POST", INTERACTIONS, expect=(201,), look=new_id, json=body).json()


class GirBlindRepeat:
    def insert(self, document):
        self.rws.call("insert", "POST", self.insertion, json=document)
        return self.find(document["id"])

    def compare(self, document, kept):
        pass


class LastRow:
    page_size = 50

    def page(self, cursor):
        entities, cursor = super().page(cursor)
        return entities[:-1], cursor


class SwapOverdone:
    def span(self, thing, node):
        start, end, swapped = super().span(thing, node)
        return start, end, swapped or (thing.get("waitTimeMs") or 0) > (thing.get("talkTimeMs") or 0)


class MappingToday:
    def agent(self, legacy_id, at):
        return super().agent(legacy_id, self.clock.unix_ms())


class MappingFirstRow:
    def agent(self, legacy_id, at):
        rows = [row for row in self.agents.get(legacy_id, []) if row["valid_from"] is None and row["valid_to"] is None]
        return rows[0] if rows else self.fallback


class HoldByClass:
    def hold(self, detail):
        return super().hold(detail) and detail.get("retentionClass") != "10-Year Retention"


class RetentionFromUpload:
    def delete_at(self, retention_class, call):
        years = self.retention.get("class", {}).get(retention_class, {}).get("years")
        return None if years is None else add_years(self.clock.unix_ms(), years)


class LocalTime:
    def instant(self, value, node):
        ms = super().instant(value, node)
        offset = datetime.fromtimestamp(ms / 1000, timezone.utc).astimezone(ZoneInfo(self.time.get("site_zone", "UTC"))).utcoffset()
        return ms + round(offset.total_seconds() * 1000)


class WholeSeconds:
    def instant(self, value, node):
        return super().instant(value, node) // 1000 * 1000


class OffsetForgotten:
    def instant(self, value, node):
        return super().instant(value, None)


class NumberWithoutPlus:
    def number(self, number):
        return number.lstrip("+") if number else number


class WrapUpOfFirst:
    def call(self, entity, collided):
        call = super().call(entity, collided)
        return replace(call, wrap_up=call.wrap_up if len(call.legs) < 2 else None)


class FirstReadSource:
    """Takes a body as far as it came, as clients do that never hold it against Content-Length."""

    def media(self, recording):
        answer = self.api.session().get(self.api.base + f"/api/v2/recordings/{recording.id}/media", stream=True, timeout=60,
                                        headers=self.api.signed("GET"), allow_redirects=False)
        if answer.status_code != 200:
            return super().media(recording)
        answer.raw.enforce_content_length = False
        data = b""
        try:
            while chunk := answer.raw.read(65536):
                data += chunk
        except Exception:  # what came, came
            pass
        return data


class FirstReadJudge:
    def sound(self, recording):
        return self.audio.convert(self.source.media(recording), recording, self.rules)


class Tail:
    LONGEST_MS = 3400

    def mp3(self, samples):
        return super().mp3(replace(samples, data=samples.data[:self.LONGEST_MS * samples.rate // 1000 * samples.channels]))


class Mono:
    def mp3(self, samples):
        step = samples.channels
        mixed = type(samples.data)("h", (sum(samples.data[at:at + step]) // step for at in range(0, len(samples.data), step)))
        return super().mp3(replace(samples, data=mixed, channels=1))


class PausesOpen:
    def cover(self, samples, pauses):
        return False


class TrustsLabel:
    def is_linear(self, data):
        return True

    def wanted(self, plays, samples):
        return plays or super().wanted(plays, samples)


class AcceptsShort:
    def convert(self, data, recording, rules):
        self.short = "migrate"
        return super().convert(data, recording, rules)


class PartsSwapped:
    def segments(self, call, files):
        if len(files) > 1:
            first, second, *_ = files
            files = {**files, first: files[second], second: files[first]}
        return super().segments(call, files)


class Impatient:
    def back_off(self, attempt, answer, pacer):
        self.clock.sleep(0.01)


class TokenEachTime:
    def signed(self, method):
        self.auth.discard(self.auth.header(self))
        return super().signed(method)


class Forgets:
    def __init__(self, folder):
        super().__init__(tempfile.mkdtemp())


class RandomIds:
    made = {}

    def id(self, *parts):
        return self.made.setdefault(parts, str(uuid.UUID(int=random.getrandbits(128), version=4)))


BUGS = {
    "blind-repeat": Bug("D03", "repeats a create whose answer was lost, under a new id; on RWS under the same, which merges",
                        {"guide": GuideBlindRepeat, "gir": GirBlindRepeat}),
    "forgets": Bug("D03", "keeps its state and its ids in memory: a start after a kill writes again what was written",
                   {"rules": RandomIds, "ledger": Forgets}),
    "last-row": Bug("D01", "skips the last row of each page (D06 where pages are many)", {"source": LastRow}),
    "first-read": Bug("D01", "judges a media by one read, cut or not", {"source": FirstReadSource, "migration": FirstReadJudge}),
    "accepts-short": Bug("D02", "sends what is shorter than declared", {"audio": AcceptsShort}),
    "tail": Bug("D15", "ends a converted file after 3.4 seconds: a buffer too small for long ones", {"audio": Tail}),
    "parts-swapped": Bug("D33", "links the first two files of a call the wrong way round", {"guide": PartsSwapped}),
    "mono": Bug("D23", "folds agent and customer into one channel", {"audio": Mono}),
    "trusts-label": Bug("D24", "takes every WAV for one the target plays", {"audio": TrustsLabel}),
    "offset-forgotten": Bug("D35", "forgets the recorders' declared drift", {"rules": OffsetForgotten}),
    "local-time": Bug("D36", "writes local time as UTC: an hour off in summer", {"rules": LocalTime}),
    "whole-seconds": Bug("D40", "cuts times to the second", {"rules": WholeSeconds}),
    "swap-overdone": Bug("D41", "notes a repair of calls whose ends stood right", {"rules": SwapOverdone}),
    "mapping-dates": Bug("D46", "reads no row that has dates: the fallback takes re-used ids", {"rules": MappingFirstRow}),
    "mapping-today": Bug("D48", "maps an agent as of today, not of the call", {"rules": MappingToday}),
    "wrapup-lost": Bug("D51", "drops the wrap-up code of transferred calls", {"rules": WrapUpOfFirst}),
    "retention-from-upload": Bug("D56", "counts retention from the upload", {"rules": RetentionFromUpload}),
    "hold-by-class": Bug("D57", "takes ten years for hold enough", {"rules": HoldByClass}),
    "pauses-open": Bug("D59", "leaves audible what was said in a pause", {"audio": PausesOpen}),
    "number-plus": Bug("D61", "drops the plus of phone numbers", {"rules": NumberWithoutPlus}),
    "impatient": Bug("conduct", "repeats at once, whatever Retry-After says", {"api": Impatient}),
    "token-each-time": Bug("conduct", "asks for a token before each request", {"api": TokenEachTime}),
}
MIX = ("blind-repeat", "first-read", "accepts-short", "offset-forgotten", "impatient")


def broken(names):
    """The parts of a migrator with these bugs."""
    bases = {"rules": migrator.Rules, "audio": Audio, "api": migrator.Api, "guide": migrator.Guide, "public": migrator.Public,
             "gir": migrator.Gir, "migration": migrator.Migration, "source": migrator.Source, "ledger": migrator.Ledger}
    mixins = {part: tuple(BUGS[name].parts[part] for name in names if part in BUGS[name].parts) for part in bases}
    return Parts(**{part: type("Broken" + base.__name__, mixins[part] + (base,), {}) for part, base in bases.items()})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bug", action="append", choices=sorted(BUGS))
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    if options.list:
        for name, bug in BUGS.items():
            print(f"{name:22} {bug.defect:8} {bug.does}")
        return 0
    return migrator.main(broken(options.bug or MIX))


if __name__ == "__main__":
    sys.exit(main())
