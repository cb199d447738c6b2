#!/usr/bin/env python3
"""A migrator that is not ours: what a competent engineer would write from the guide and docs/reference/gir.md, for `rehearse --migrator`.

Reads where everything is from REHEARSAL_* (docs/guide/test-your-own-migrator.md). Needs Python 3.11, requests, ffmpeg; sox for AMR, openssl for
encrypted targets. Its state is one SQLite file in REHEARSAL_WORK: killed at any moment and started again, it goes on.
Exit codes: 0 done, 10 some stayed behind, 11 stopped and can go on, 12 source and 13 target unreachable or refusing, 2 refused."""

import json
import os
import sqlite3
import sys
import threading
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

import requests

from peer_audio import Audio
from peer_gir import Gir
from peer_guide import Guide
from peer_http import Api, ClientCredentials, Clock, Denied, Refused, Unreachable
from peer_public import Public
from peer_rules import SKIPS, BadPlan, Rules, StaysBehind

MOST_WORKERS = 12  # the guide: 10 to 20


class Ledger:
    """What was extracted and what became of it. A page and its cursor are one transaction; so is every ending."""

    def __init__(self, folder):
        os.makedirs(folder, exist_ok=True)
        self.lock = threading.Lock()
        self.db = sqlite3.connect(os.path.join(folder, "state.db"), check_same_thread=False, isolation_level=None)
        self.db.executescript("""
            PRAGMA journal_mode = WAL;
            PRAGMA synchronous = FULL;
            CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT);
            CREATE TABLE IF NOT EXISTS call (n INTEGER PRIMARY KEY, id TEXT UNIQUE, entity TEXT, collided INTEGER DEFAULT 0,
                                             state TEXT DEFAULT 'open', note TEXT);
            CREATE TABLE IF NOT EXISTS recording (id TEXT PRIMARY KEY, call TEXT, reason TEXT);
            CREATE TABLE IF NOT EXISTS sent (call TEXT, recording TEXT PRIMARY KEY, conversation TEXT, delete_at INTEGER, name TEXT);
            CREATE TABLE IF NOT EXISTS file (recording TEXT, sha256 TEXT, id TEXT, PRIMARY KEY (recording, sha256));
        """)

    def ask(self, sql, *values):
        with self.lock:
            return self.db.execute(sql, values).fetchall()

    def meta(self, key):
        rows = self.ask("SELECT value FROM meta WHERE key = ?", key)
        return rows[0][0] if rows else None

    def set_meta(self, key, value):
        self.ask("INSERT OR REPLACE INTO meta VALUES (?, ?)", key, value)

    def keep_page(self, entities, cursor):
        with self.lock, self.db:
            self.db.execute("BEGIN")
            for entity in entities:
                text = json.dumps(entity, sort_keys=True)
                known = self.db.execute("SELECT entity FROM call WHERE id = ?", (str(entity["id"]),)).fetchone()
                if known is None:
                    self.db.execute("INSERT INTO call (id, entity) VALUES (?, ?)", (str(entity["id"]), text))
                elif known[0] != text:
                    self.db.execute("UPDATE call SET collided = 1 WHERE id = ?", (str(entity["id"]),))
            self.db.execute("INSERT OR REPLACE INTO meta VALUES ('cursor', ?)", (json.dumps(cursor),))

    def open_calls(self):
        return self.ask("SELECT id, entity, collided FROM call WHERE state IN ('open', 'left') ORDER BY n")

    def end(self, call_id, state, note=None, reasons=()):
        with self.lock, self.db:
            self.db.execute("BEGIN")
            self.db.execute("UPDATE call SET state = ?, note = ? WHERE id = ?", (state, note, call_id))
            self.db.execute("DELETE FROM recording WHERE call = ?", (call_id,))
            self.db.executemany("INSERT OR REPLACE INTO recording VALUES (?, ?, ?)", [(key, call_id, why) for key, why in reasons])

    def file(self, recording_id, sha256):
        rows = self.ask("SELECT id FROM file WHERE recording = ? AND sha256 = ?", recording_id, sha256)
        return rows[0][0] if rows else None

    def keep_file(self, recording_id, sha256, file_id):
        self.ask("INSERT OR REPLACE INTO file VALUES (?, ?, ?)", recording_id, sha256, file_id)

    def sent(self, *row):
        """An upload that is taken in later: call, recording and conversation as the target calls them, deletion date, name of the upload."""
        self.ask("INSERT OR REPLACE INTO sent VALUES (?, ?, ?, ?, ?)", *row)

    def waiting(self):
        return self.ask("SELECT sent.* FROM sent JOIN call ON call.id = sent.call WHERE call.state = 'sent' ORDER BY call.n")

    def settle(self, call_id, state):
        self.ask("UPDATE call SET state = ? WHERE id = ?", state, call_id)

    def call(self, call_id):
        return self.ask("SELECT id, entity, collided FROM call WHERE id = ?", call_id)[0]

    def counts(self):
        states = dict(self.ask("SELECT state, count(*) FROM call GROUP BY state"))
        reasons = Counter(dict(self.ask("SELECT reason, count(*) FROM recording WHERE reason IS NOT NULL GROUP BY reason")))
        return states, reasons


class Source:
    """The legacy platform: interactions by cursor, recordings by id, media as bytes."""

    page_size = 1000  # the source's most

    def __init__(self, rules, clock, api):
        source = rules.plan["source"]
        base = source["base_url"].rstrip("/")
        auth = ClientCredentials(base, source["client_id"], rules.secret(source["client_secret"]))
        self.api, self.hosts, self.plan = api("source", base, clock, auth), set(source.get("media_hosts", [])), source
        self.rules = rules

    def page(self, cursor):
        params = {"view": "default", "size": self.page_size}
        for bound in ("from", "to"):
            if self.plan.get(bound):
                params[bound] = self.rules.instant_of_text(str(self.plan[bound]))
        if cursor:
            params["cursor"] = cursor
        body = self.read(self.api.call("interactions", "GET", "/api/v2/analytics/interactions/query", params=params))
        return body.get("entities", []), body.get("metadata", {}).get("pagination", {}).get("nextPageCursor")

    def recording(self, recording_id):
        return self.read(self.api.call(f"recording {recording_id}", "GET", f"/api/v2/recordings/{quote(recording_id, safe='')}"))

    def read(self, answer):
        """Its JSON; half a character, which no target takes, becomes the sign for one that was lost. What has a decimal point
        stays as it is written."""
        return json.loads(answer.text, parse_float=str, object_hook=lambda found: {key: self.whole(value) for key, value in found.items()})

    def whole(self, value):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if isinstance(value, str) else value

    def media(self, recording):
        """Its bytes. A body that ends early is read again: requests holds it against Content-Length."""
        url = urljoin(self.api.base + "/", recording.media_url)
        answer = self.api.call(f"media {recording.id}", "GET", url, expect=(200, 302, 307)) if self.own(url) else self.elsewhere(recording, url)
        if answer.status_code in (302, 307):
            location = urljoin(url, answer.headers["Location"])
            return self.elsewhere(recording, location).content
        return answer.content

    def own(self, url):
        return urlsplit(url).netloc == urlsplit(self.api.base).netloc

    def elsewhere(self, recording, url):
        """From a host the plan names, without our token; a pre-signed address that has run out is asked for anew by the next try."""
        if not self.own(url) and urlsplit(url).netloc not in self.hosts:
            raise Refused(f"media {recording.id}: the plan names no host {urlsplit(url).netloc}", requests.Response())
        return self.api.patiently(f"media {recording.id}", lambda: self.api.session().get(url, timeout=60), None, (200,))


class Migration:
    def __init__(self, rules, audio, source, target, ledger):
        self.rules, self.audio, self.source, self.target, self.ledger = rules, audio, source, target, ledger

    def run(self):
        self.target.preflight()
        self.extract()
        workers = min(MOST_WORKERS, self.rules.plan.get("pace", {}).get("workers", MOST_WORKERS))
        calls = self.ledger.open_calls()
        with ThreadPoolExecutor(workers) as pool:
            try:
                for _ in pool.map(lambda row: self.one(*row), calls):
                    pass
                self.target.finish(self.ledger, lambda call_id: self.one(*self.ledger.call(call_id)))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    def extract(self):
        cursor = json.loads(self.ledger.meta("cursor") or '""')
        while cursor is not None:
            entities, cursor = self.source.page(cursor)
            self.ledger.keep_page(entities, cursor)

    def one(self, call_id, entity, collided):
        """One call, to its end. What goes wrong with it is its own affair, unless nobody answers at all."""
        try:
            state, reasons = self.migrate(json.loads(entity), bool(collided))
            self.ledger.end(call_id, state, reasons=reasons)
        except (Denied, Unreachable):
            raise
        except Exception as error:  # left for the next run
            print(f"call {call_id} is left: {type(error).__name__}: {error}", file=sys.stderr)
            if not isinstance(error, (Refused, RuntimeError)):
                traceback.print_exc()
            self.ledger.end(call_id, "left", f"{type(error).__name__}: {error}")

    def migrate(self, entity, collided):
        ids = [str(reference["id"]) for reference in entity.get("recordings") or []]
        excluded = {key: "agreed" for key in ids if key in self.rules.exclusions}
        try:
            call = self.rules.call(entity, collided)
        except StaysBehind as stays:
            return "behind", [(key, excluded.get(key, stays.reason)) for key in ids]
        reasons = self.gather(call, entity, ids, excluded)
        names = [recording.file_name for recording in call.recordings if recording.file_name and recording.id not in excluded]
        if names:
            call.attributes["st.file_name"] = ";".join(names)
        call.recordings = [recording for recording in call.recordings if recording.id not in reasons]
        if ids and not call.recordings:
            return "behind", list(reasons.items())
        if not self.target.carries(call):
            return "not_carried", []
        return self.target.write(call, self.ledger), list(reasons.items())

    def gather(self, call, entity, ids, excluded):
        """Reads and judges each recording. Why some stay behind, by id."""
        node = entity.get("recorderNode")
        call.recordings = [self.rules.recording(self.source.recording(key), call, node) for key in ids]
        hold, reasons = call.hold, dict(excluded)
        for recording in call.recordings:
            if recording.id in reasons:
                continue
            try:
                if recording.call_id not in (None, call.id):
                    raise StaysBehind("id_collision")
                recording.audio = self.sound(recording)
                self.rules.retain(recording, call, hold)
            except StaysBehind as stays:
                reasons[recording.id] = stays.reason
        blocked = next((why for why in reasons.values() if why not in SKIPS), None)
        if blocked and self.rules.rules.get("partial", "hold") == "hold":
            reasons = {recording.id: reasons.get(recording.id, blocked) for recording in call.recordings}
        return reasons

    def sound(self, recording):
        """A media that looks bad is read twice before it is judged: a cut on the way differs on the second read, a bad source does not."""
        data = self.source.media(recording)
        while True:
            try:
                if recording.size is not None and len(data) != recording.size:
                    raise StaysBehind("audio_undecodable")
                return self.audio.convert(data, recording, self.rules)
            except StaysBehind:
                again = self.source.media(recording)
                if again == data:
                    if recording.size is not None and len(data) != recording.size:
                        recording.size = None
                        continue
                    raise
                data = again

    def sentence(self):
        states, reasons = self.ledger.counts()
        behind = {why: count for why, count in reasons.items() if why not in SKIPS}
        skipped = {why: count for why, count in reasons.items() if why in SKIPS}
        told = [f"{states.get('done', 0)} calls migrated"]
        for word, counted in (("quarantined", behind), ("skipped", skipped)):
            if counted:
                told.append(f"{sum(counted.values())} recordings {word} (" + ", ".join(f"{why} {n}" for why, n in sorted(counted.items())) + ")")
        if states.get("left"):
            told.append(f"{states['left']} calls left, run again")
        return 10 if behind or states.get("left") else 0, "; ".join(told)


@dataclass
class Parts:
    """What a migrator is made of; `broken_migrator.py` puts others in."""
    rules: type = Rules
    audio: type = Audio
    api: type = Api
    guide: type = Guide
    public: type = Public
    gir: type = Gir
    migration: type = Migration
    source: type = Source
    ledger: type = Ledger


def build(parts, environment):
    clock = Clock(environment)
    rules = parts.rules(environment["REHEARSAL_PLAN"], clock)
    kind, ingest = rules.target["kind"], rules.target.get("ingest", "guide")
    target = parts.gir if kind == "gir" else parts.public if ingest == "public" else parts.guide
    ledger = parts.ledger(environment["REHEARSAL_WORK"])
    source = parts.source(rules, clock, parts.api)
    return parts.migration(rules, parts.audio(rules), source, target(rules, clock, environment), ledger)


def main(parts=Parts(), environment=os.environ):
    try:
        migration = build(parts, environment)
        migration.run()
        code, sentence = migration.sentence()
    except (BadPlan, KeyError, OSError) as error:
        code, sentence = 2, f"refused: {error}"
    except (Denied, Unreachable) as error:
        code, sentence = {"source": 12, "target": 13}[error.side], str(error)
    except KeyboardInterrupt:
        code, sentence = 11, "stopped; start again to go on"
    print(sentence)
    return code


if __name__ == "__main__":
    sys.exit(main())
