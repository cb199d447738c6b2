#!/usr/bin/env python3
"""The recording-migration guide's approach as a script: requests, requests-toolbelt, 15 threads.

A peer for the benchmark, and a second client for the simulators: it knows nothing of Seatrial but the addresses.
It does what the guide says and no more: no ledger, no resume, no look before a repeat.

    guide_migrator.py --addresses addresses.json --plan DIR [--threads 15] [--limit N]

DIR is what `seatrial simulate --plan DIR/plan.toml` wrote: mapping tables and secrets are read from there.
Prints one JSON line: {"recordings": n, "interactions": n, "seconds": s, "failed": n}.
"""

import argparse
import csv
import io
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone

import requests
from requests_toolbelt import MultipartEncoder

PLAYABLE = {"pcm": "wav", "mp3": "mp3"}


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--addresses", required=True)
    parser.add_argument("--plan", required=True)
    parser.add_argument("--threads", type=int, default=15)
    parser.add_argument("--limit", type=int)
    return parser.parse_args()


def read_table(folder, name, key, value):
    with open(os.path.join(folder, "mapping", name + ".csv"), newline="", encoding="utf-8") as file:
        return {row[key]: row[value] for row in csv.DictReader(file)}


def token(base, client_id, secret):
    answer = requests.post(base + "/oauth/token", data={"grant_type": "client_credentials"}, auth=(client_id, secret), timeout=30)
    answer.raise_for_status()
    return answer.json()["access_token"]


def iso(unix_ms):
    moment = datetime.fromtimestamp(unix_ms / 1000.0, tz=timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (unix_ms % 1000)


class Migration:
    def __init__(self, options):
        with open(options.addresses, encoding="utf-8") as file:
            addresses = json.load(file)
        self.source, self.target = addresses["legacy"], addresses["genesys_cloud"]
        credentials = requests.get(addresses["control"] + "/_sim/credentials", timeout=30).json()
        self.tokens = [
            token(url, credentials[name]["client_id"], credentials[name]["client_secret"])
            for url, name in ((self.source, "legacy"), (self.target, "genesys_cloud"))
        ]
        self.agents = read_table(options.plan, "agents", "legacy_agent_id", "genesys_user_id")
        self.queues = read_table(options.plan, "queues", "legacy_queue_id", "genesys_queue_id")
        self.local = threading.local()
        users = self.listing(self.target + "/api/v2/users?pageSize=100&state=any&pageNumber=", self.tokens[1])
        self.fallback = next(user["id"] for user in users if user["name"].startswith("Historical Migration"))
        queues = self.listing(self.target + "/api/v2/routing/queues?pageSize=100&pageNumber=", self.tokens[1])
        self.unmapped = next(queue["id"] for queue in queues if queue["name"].startswith("Unmapped"))

    def listing(self, url, bearer):
        page, found = 1, []
        while True:
            body = self.session(bearer).get(url + str(page), timeout=60).json()
            found += body["entities"]
            if page >= body.get("pageCount", 1):
                return found
            page += 1

    def session(self, bearer):
        sessions = self.local.__dict__.setdefault("sessions", {})
        if bearer not in sessions:
            sessions[bearer] = requests.Session()
            sessions[bearer].headers["Authorization"] = "Bearer " + bearer
        return sessions[bearer]

    def interactions(self):
        cursor = None
        while True:
            params = {"view": "default", "size": 1000}
            if cursor:
                params["cursor"] = cursor
            url = self.source + "/api/v2/analytics/interactions/query"
            answer = self.session(self.tokens[0]).get(url, params=params, timeout=60)
            answer.raise_for_status()
            body = answer.json()
            yield from body.get("entities", [])
            cursor = body.get("metadata", {}).get("pagination", {}).get("nextPageCursor")
            if not cursor:
                return

    def call(self, send):
        """The guide's own retry: 429 is waited out, anything else fails the record."""
        while True:
            answer = send()
            if answer.status_code != 429:
                answer.raise_for_status()
                return answer
            time.sleep(float(answer.headers.get("Retry-After", "1")))

    def playable(self, audio, codec):
        if codec in PLAYABLE:
            return audio, PLAYABLE[codec]
        with tempfile.TemporaryDirectory() as folder:
            name = {"amr": "in.amr", "gsm": "in.gsm"}.get(codec, "in.wav")
            path, out = os.path.join(folder, name), os.path.join(folder, "out.mp3")
            with open(path, "wb") as file:
                file.write(audio)
            subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-codec:a", "libmp3lame", "-q:a", "2", out], check=True)
            with open(out, "rb") as file:
                return file.read(), "mp3"

    def upload(self, recording, detail):
        answer = self.call(lambda: self.session(self.tokens[0]).get(self.source + "/api/v2/recordings/%s/media" % recording["id"], timeout=120))
        audio, extension = self.playable(answer.content, detail["codec"])
        name = "%s.%s" % (recording["id"], extension)

        def send():
            kind = "audio/mpeg" if extension == "mp3" else "audio/wav"
            form = MultipartEncoder(fields={"file": (name, io.BytesIO(audio), kind), "name": name, "overwrite": "true"})
            session = self.session(self.tokens[1])
            return session.post(self.target + "/api/v2/files", data=form, headers={"Content-Type": form.content_type}, timeout=120)

        return self.call(send).json()["id"]

    def migrate(self, interaction):
        segments, moved = [], 0
        legs = {leg["id"]: leg for leg in interaction["segments"]}
        agents = [self.agents.get(leg["agentId"], self.fallback) for leg in interaction["segments"] if leg.get("agentId")]
        for recording in interaction["recordings"]:
            url = self.source + "/api/v2/recordings/" + recording["id"]
            detail = self.call(lambda: self.session(self.tokens[0]).get(url, timeout=60)).json()
            file_id = self.upload(recording, detail)
            leg = legs.get(recording.get("segmentId"), interaction)
            start, end = sorted((leg["startTime"], leg["endTime"]))
            segments.append({
                "id": str(uuid.uuid4()), "type": "call", "start": iso(start), "end": iso(end),
                "recording": {"id": str(uuid.uuid4()), "type": "call", "status": "complete", "fileId": file_id, "duration": detail["durationMs"]},
            })
            moved += 1
        start, end = sorted((interaction["startTime"], interaction["endTime"]))
        inbound = interaction["direction"].lower() == "inbound"
        number = interaction["callerNumber" if inbound else "dialledNumber"]
        body = {
            "id": str(uuid.uuid4()), "type": "call", "direction": interaction["direction"].lower(),
            "createdTime": iso(start), "updatedTime": iso(end), "externalTag": "st:guide:%s" % interaction["id"],
            "participants": [{"id": agent, "type": "agent"} for agent in dict.fromkeys(agents)]
            + [{"id": str(uuid.uuid4()), "type": "customer", "phone": number}],
            "routing": {"queue": {"id": self.queues.get(interaction["queueId"], self.unmapped)}} if interaction.get("queueId") else {},
            "segments": segments,
        }
        self.call(lambda: self.session(self.tokens[1]).post(self.target + "/api/v2/interactions", json=body, timeout=60))
        return moved


def main():
    options = arguments()
    migration = Migration(options)
    began = time.monotonic()
    counts = {"recordings": 0, "interactions": 0, "failed": 0}
    lock = threading.Lock()

    def one(interaction):
        try:
            moved = migration.migrate(interaction)
        except Exception as error:  # a record that fails is counted, as the guide's scripts do
            with lock:
                counts["failed"] += 1
            print("failed:", interaction["id"], type(error).__name__, file=sys.stderr)
            return
        with lock:
            counts["recordings"] += moved
            counts["interactions"] += 1

    with ThreadPoolExecutor(max_workers=options.threads) as pool:
        for n, interaction in enumerate(migration.interactions()):
            if options.limit and n >= options.limit:
                break
            pool.submit(one, interaction)
    counts["seconds"] = round(time.monotonic() - began, 3)
    print(json.dumps(counts))


if __name__ == "__main__":
    main()
