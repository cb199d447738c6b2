#!/usr/bin/env python3
"""A first migrator, from nothing: the guide's surface of Genesys Cloud, and what `scenarios/happy_path.toml` asks for.

    seatrial rehearse scenarios/happy_path.toml --migrator 'python3 examples/python-migrator/first_migrator.py'

Needs Python 3.11, requests and ffmpeg. It keeps no state, repeats nothing and sets nothing aside: `migrator.py` beside it does.
The numbers are those of docs/guide/test-your-own-migrator.md, "From nothing"."""

import csv
import hashlib
import os
import subprocess
import tomllib
import uuid
from datetime import datetime, timedelta, timezone

import requests

ENV = os.environ
with open(ENV["REHEARSAL_PLAN"], "rb") as file:
    PLAN = tomllib.load(file)
SPACE = PLAN["identity"]["namespace"]


def signed_in(url, client, secret):
    """1. A token by client credentials, the same on both platforms."""
    session = requests.Session()
    answer = session.post(f"{url}/oauth/token", data={"grant_type": "client_credentials"}, auth=(client, secret))
    answer.raise_for_status()
    session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return session


def table(name):
    with open(ENV[f"REHEARSAL_MAPPING_{name}"], newline="", encoding="utf-8") as rows:
        return list(csv.DictReader(rows))


AGENTS = table("AGENTS")
QUEUES = {row["legacy_queue_id"]: row["genesys_queue_id"] for row in table("QUEUES")}
SKILLS = {row["legacy_skill"]: row["genesys_skill_id"] for row in table("SKILLS")}
CODES = {row["legacy_code"]: row["genesys_wrapup_id"] for row in table("WRAPUPS")}
LEGACY, CLOUD = ENV["REHEARSAL_LEGACY_URL"], ENV["REHEARSAL_GENESYS_CLOUD_URL"]


def time(value):
    """3. The source tells milliseconds of the Unix epoch, or ISO 8601 with its zone."""
    if isinstance(value, (int, float)):
        return datetime.fromtimestamp(0, timezone.utc) + timedelta(milliseconds=value)
    return datetime.fromisoformat(value)


def text(moment):
    """The target takes UTC with `Z` and milliseconds."""
    return moment.astimezone(timezone.utc).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def own_id(*parts):
    """An id that is the same in every run, so that a repeat is met by 409 and not by a second call."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join((SPACE, *map(str, parts)))))


def agent(legacy_id, at):
    """4. A desk changes hands: the row that held when the call began; the plan's fallback where none did."""
    for row in AGENTS:
        since, until = row["valid_from"], row["valid_to"]
        if row["legacy_agent_id"] == legacy_id and (not since or time(since) <= at) and (not until or at < time(until)):
            return row["genesys_user_id"]
    return PLAN["rules"]["unmapped_agent"].removeprefix("fallback:")


def media(source, detail):
    """5. The file, also where it lies on another host, which must not see our token; its pauses silenced where the plan says so; as MP3."""
    answer = source.get(f"{LEGACY}{detail['mediaUrl']}" if detail["mediaUrl"].startswith("/") else detail["mediaUrl"], allow_redirects=False)
    if answer.is_redirect:
        answer = requests.get(answer.headers["Location"])
    answer.raise_for_status()
    to_cover = detail.get("pauses") or [] if PLAN["pii"]["pauses"] == "silence" else []
    pauses = [f"volume=0:enable='between(t,{p['startOffsetMs'] / 1000},{p['endOffsetMs'] / 1000})'" for p in to_cover]
    # ffmpeg changes the volume a block at a time, and its blocks last 128 ms at 8 kHz: a pause would open late and close late.
    filters = ",".join(["asetnsamples=8:p=0", *pauses])
    command = ["ffmpeg", "-v", "error", "-i", "pipe:0", "-af", filters, "-b:a", "64k", "-f", "mp3", "pipe:1"]
    return subprocess.run(command, input=answer.content, stdout=subprocess.PIPE, check=True).stdout


def upload(target, detail, data):
    """6. multipart/form-data with the parts `file`, `name` and `overwrite`; the answer's id links it."""
    name = f"st-{SPACE}-{detail['id']}.{hashlib.sha256(data).hexdigest()[:12]}.mp3"
    answer = target.post(f"{CLOUD}/api/v2/files", files={"file": (name, data, "audio/mpeg")}, data={"name": name, "overwrite": "true"})
    answer.raise_for_status()
    return answer.json()["id"]


def recording(target, detail, ended, data):
    """7. Retention counts from the end of the call, in calendar years, and never from the upload."""
    kept = {"id": own_id("recording", detail["id"]), "type": "call", "status": "complete", "fileId": upload(target, detail, data), "duration": detail["durationMs"],
            "annotations": [{"type": "pause", "reason": "SecurePause", "location": p["startOffsetMs"], "durationMs": p["endOffsetMs"] - p["startOffsetMs"]}
                            for p in detail.get("pauses") or []]}
    years = PLAN["retention"]["class"].get(detail.get("retentionClass"), {}).get("years")
    if years:
        last_day = 28 if (ended.month, ended.day) == (2, 29) else ended.day
        kept["retention"] = {"tag": detail["retentionClass"], "deleteDate": text(ended.replace(year=ended.year + years, day=last_day))}
    return kept


def call(source, target, entity):
    """8. One interaction: who spoke, when, where from, each leg a segment, each recording in the segment of its leg."""
    start, end = time(entity["startTime"]), time(entity["endTime"])
    details = [source.get(f"{LEGACY}/api/v2/recordings/{known['id']}").json() for known in entity.get("recordings") or []]
    of_leg = {detail.get("segmentId"): detail for detail in details}
    agents, segments = [], []
    for leg in entity["segments"]:
        detail = of_leg.get(leg["id"])
        span = detail or leg
        segment = {"id": own_id("segment", leg["id"]), "type": "call", "start": text(time(span["startTime"])), "end": text(time(span["endTime"]))}
        if leg.get("agentId"):
            segment["participantId"] = agent(leg["agentId"], start)
            agents.append({"id": segment["participantId"], "type": "agent"})
        if detail:
            segment["recording"] = recording(target, detail, end, media(source, detail))
        segments.append(segment)
    outbound = entity["direction"].lower() == "outbound"
    customer = {"id": own_id("customer", entity["id"]), "type": "customer", "phone": entity["dialledNumber" if outbound else "callerNumber"],
                "ani": entity["callerNumber"], "dnis": entity["dialledNumber"]}
    if entity.get("wrapUpCode") in CODES:
        (agents or [customer])[-1]["wrapUpCode"] = CODES[entity["wrapUpCode"]]
    told = {"st.wait_ms": "waitTimeMs", "st.talk_ms": "talkTimeMs", "st.skill_group": "skillGroup", "st.ivr_node": "ivrNodeId",
            "st.disposition": "dispositionCode", "st.raw_start": "startTime"}
    attributes = {name: str(entity[key]) for name, key in told.items() if entity.get(key) is not None}
    names = [detail["fileName"] for detail in details if detail.get("fileName")]
    if names:
        attributes["st.file_name"] = ";".join(names)
    routing = {"queue": {"id": QUEUES[entity["queueId"]]}} if entity.get("queueId") else {}
    if entity.get("skill") in SKILLS:
        routing["skills"] = [{"id": SKILLS[entity["skill"]]}]
    body = {"id": own_id("interaction", entity["id"]), "type": "call", "direction": "outbound" if outbound else "inbound", "createdTime": text(start),
            "updatedTime": text(end), "externalTag": f"st:{SPACE}:{entity['id']}", "participants": agents + [customer], "segments": segments,
            "routing": routing, "attributes": attributes,
            "deletionProtection": any(detail.get("legalHold") for detail in details)}
    answer = target.post(f"{CLOUD}/api/v2/interactions", json=body)
    if answer.status_code != 409:  # 409: a former run made it
        answer.raise_for_status()


def main():
    source = signed_in(LEGACY, ENV["REHEARSAL_LEGACY_CLIENT_ID"], ENV["REHEARSAL_LEGACY_CLIENT_SECRET"])
    target = signed_in(CLOUD, ENV["REHEARSAL_GENESYS_CLOUD_CLIENT_ID"], ENV["REHEARSAL_GENESYS_CLOUD_CLIENT_SECRET"])
    done, cursor = 0, ""
    while cursor is not None:  # 2. page by page, by the cursor of the last
        page = source.get(f"{LEGACY}/api/v2/analytics/interactions/query", params={"view": "default", "size": 1000, **({"cursor": cursor} if cursor else {})}).json()
        for entity in page["entities"]:
            call(source, target, entity)
            done += 1
        cursor = page["metadata"]["pagination"].get("nextPageCursor")
    print(f"{done} calls migrated")


if __name__ == "__main__":
    main()
