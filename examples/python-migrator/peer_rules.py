"""What the plan says becomes of a call: instants, people, numbers, retention. No request and no byte of audio is known here."""

import csv
import hashlib
import hmac
import os
import re
import tomllib
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

DAY_MS = 86_400_000
EARLIEST, LATEST = 631_152_000_000, 4_102_444_800_000  # 1990 to 2100: outside lies a mistaken unit, which is not guessed
SKIPS = ("expired", "unmapped_queue", "agreed")


class BadPlan(Exception):
    """The plan cannot be used: exit 2 before the first request."""


class StaysBehind(Exception):
    """A reason of the plan for which something is not migrated."""

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


@dataclass
class Leg:
    id: str
    agent: dict | None  # the row of agents.csv
    start: int
    end: int


@dataclass
class Recording:
    id: str
    leg_id: str | None
    start: int
    end: int
    retention_class: str | None
    delete_at: int | None
    hold: bool
    pauses: list
    file_name: str | None
    declared_ms: int | None
    size: int | None
    media_url: str
    call_id: str | None = None  # whose it says it is
    audio: object = None


@dataclass
class Call:
    id: str
    start: int
    end: int
    direction: str
    ani: str | None
    dnis: str | None
    queue: str | None
    partition: str | None
    skill: str | None
    wrap_up: str | None
    disposition: str | None
    legs: list
    attributes: dict
    recordings: list = field(default_factory=list)

    @property
    def hold(self):
        return any(recording.hold for recording in self.recordings)


def number(value):
    """A whole number, also as text; anything else is none."""
    found = re.fullmatch(r"(-?\d+)(\.0+)?", str(value))
    return int(found[1]) if found else None


def iso(ms):
    return (datetime(1970, 1, 1) + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds") + "Z"


def parse_iso(text):
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return round(moment.replace(tzinfo=moment.tzinfo or timezone.utc).timestamp() * 1000)


def add_years(ms, years):
    moment = datetime(1970, 1, 1) + timedelta(milliseconds=ms)
    try:
        moment = moment.replace(year=moment.year + years)
    except ValueError:  # 29 February
        moment = moment.replace(year=moment.year + years, day=28)
    return (moment - datetime(1970, 1, 1)) // timedelta(milliseconds=1)


class Rules:
    def __init__(self, path, clock):
        self.folder, self.clock = os.path.dirname(os.path.abspath(path)), clock
        with open(path, "rb") as file:
            self.plan = plan = tomllib.load(file)
        self.namespace = plan["identity"]["namespace"]
        if plan["identity"].get("carrier", "external_tag") != "external_tag":
            raise BadPlan("this migrator ties calls by the external tag only")
        if plan["source"]["kind"] != "legacy":
            raise BadPlan("this migrator reads the legacy platform only")
        self.rules, self.time, self.audio = plan["rules"], plan.get("time", {}), plan["audio"]
        self.pii, self.retention, self.target = plan["pii"], plan["retention"], plan["target"]
        if isinstance(self.pii["pauses"], dict):
            raise BadPlan("pauses = { seal } is not done here")
        self.maximum_days = None
        self.read_tables(plan["mapping"])

    def read_tables(self, files):
        self.agents = {}
        for row in self.table(files["agents"]):
            for end in ("valid_from", "valid_to"):
                row[end] = parse_iso(row[end]) if row.get(end) else None
            self.agents.setdefault(row["legacy_agent_id"], []).append(row)
        self.queues = {row["legacy_queue_id"]: row for row in self.table(files["queues"])}
        self.skills = {row["legacy_skill"]: row["genesys_skill_id"] for row in self.table(files.get("skills"))}
        self.wrap_ups = {row["legacy_code"]: row["genesys_wrapup_id"] for row in self.table(files.get("wrapups"))}
        self.exclusions = {row["legacy_recording_id"] for row in self.table(self.rules.get("exclusions"))}
        kind, _, user = self.rules["unmapped_agent"].partition(":")
        self.fallback = self.fallback_row(user) if kind == "fallback" else None
        kind, _, self.default_queue = self.rules["unmapped_queue"].partition(":")

    def table(self, name):
        if not name:
            return []
        with open(os.path.join(self.folder, name), newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def fallback_row(self, user):
        rows = [row for rows in self.agents.values() for row in rows if row["genesys_user_id"] == user]
        return {**(rows[0] if rows else {}), "genesys_user_id": user}

    def secret(self, reference):
        if "env" in reference:
            return os.environ[reference["env"]]
        with open(os.path.join(self.folder, reference["file"]), encoding="utf-8") as file:
            return file.read().removesuffix("\n")

    def id(self, *parts):
        """An id of our own: the same in every run, so that a repeat meets itself. In the form of version 4, which is all the public API takes."""
        digest = hashlib.sha256("/".join((self.namespace,) + parts).encode()).digest()
        return str(uuid.UUID(bytes=digest[:16], version=4))

    # Time

    def instant(self, value, node):
        if isinstance(value, bool) or value is None:
            raise StaysBehind("time_unusable")
        if number(value) is not None:
            ms = number(value) * (1000 if self.time.get("unit", "ms") == "s" else 1)
        else:
            ms = self.instant_of_text(str(value).strip())
        ms += self.time.get("node", {}).get(node, {}).get("offset_ms", 0)
        if not EARLIEST <= ms < LATEST:
            raise StaysBehind("time_unusable")
        return ms

    def instant_of_text(self, text):
        try:
            moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
            if moment.tzinfo is None:  # a repeated hour is its earlier instant, a missing one moves forward: what fold=0 means
                moment = moment.replace(tzinfo=ZoneInfo(self.time["naive_zone"]))
        except (ValueError, KeyError):
            raise StaysBehind("time_unusable") from None
        return round(moment.timestamp() * 1000)

    def span(self, thing, node):
        """Start, end, and whether they stood reversed."""
        start, end = self.instant(thing.get("startTime"), node), self.instant(thing.get("endTime"), node)
        return (end, start, True) if end < start else (start, end, False)

    # People and routing

    def agent(self, legacy_id, at):
        """The row of the mapping that held on the day of the call; never by extension."""
        for row in self.agents.get(legacy_id, []):
            if (row["valid_from"] is None or row["valid_from"] <= at) and (row["valid_to"] is None or at < row["valid_to"]):
                return row
        if self.fallback is None:
            raise StaysBehind("unmapped_agent")
        return self.fallback

    def queue(self, legacy_id):
        if legacy_id is None:
            return None
        if legacy_id in self.queues:
            return self.queues[legacy_id]["genesys_queue_id"]
        if not self.default_queue:
            raise StaysBehind("unmapped_queue")
        return self.default_queue

    def number(self, number):
        if number is None:
            return None
        longest_run = max((len(run) for run in re.findall(r"\d+", number)), default=0)
        rule = self.pii["phones"]
        if rule == "keep" or ("*" in number and longest_run < 7):  # the source has hidden it already
            return number
        if rule == "mask":
            return self.masked(number)
        return self.hashed(number, self.secret(rule["hash"]))

    def masked(self, number):
        to_hide = sum(c.isdigit() for c in number) - 4
        shown = []
        for c in number:
            hide = c.isdigit() and to_hide > 0
            to_hide -= hide
            shown.append("*" if hide else c)
        return "".join(shown)

    def hashed(self, number, key):
        bare = re.split("[@;]", re.sub(r"^(tel|sip):", "", number.strip()))[0]
        bare = re.sub(r"[ \-.()/\u00a0]", "", bare)
        if not re.fullmatch(r"\+\d{7,15}", bare):
            raise StaysBehind("pii_unprotectable")
        return hmac.new(key.encode(), bare.encode(), hashlib.sha256).hexdigest()

    # A call

    def call(self, entity, collided):
        """What of a call is known without its recordings."""
        if collided:
            raise StaysBehind("id_collision")
        node = entity.get("recorderNode")
        start, end, swapped = self.span(entity, node)
        queue = self.queue(entity.get("queueId"))
        partition = self.queues.get(entity.get("queueId"), {}).get("gir_partition")
        call = Call(
            id=str(entity["id"]), start=start, end=end, direction=str(entity.get("direction") or "").lower(),
            queue=queue, partition=partition or None, skill=self.skills.get(entity.get("skill")),
            wrap_up=self.wrap_ups.get(entity.get("wrapUpCode")), disposition=entity.get("dispositionCode"),
            legs=self.legs(entity, start, end, node), ani=self.number(entity.get("callerNumber")),
            dnis=self.number(entity.get("dialledNumber")), attributes=self.attributes(entity, swapped))
        return call

    def legs(self, entity, start, end, node):
        legs = []
        for segment in entity.get("segments") or []:
            try:
                leg_start, leg_end, _ = self.span(segment, node)
            except StaysBehind:
                leg_start, leg_end = start, end
            row = self.agent(segment["agentId"], start) if segment.get("agentId") else None
            legs.append(Leg(str(segment["id"]), row, leg_start, leg_end))
        if not legs and entity.get("agentId"):
            legs.append(Leg("", self.agent(entity["agentId"], start), start, end))
        return sorted(legs, key=lambda leg: leg.start)

    def attributes(self, entity, swapped):
        code = entity.get("wrapUpCode")
        told = {
            "st.wait_ms": number(entity.get("waitTimeMs")), "st.talk_ms": number(entity.get("talkTimeMs")), "st.skill_group": entity.get("skillGroup"),
            "st.ivr_node": entity.get("ivrNodeId"), "st.disposition": entity.get("dispositionCode"), "st.raw_start": entity.get("startTime"),
            "st.wrap_up_code": code if code not in self.wrap_ups else None, "st.repair": "ends_swapped" if swapped else None,
        }
        return {name: str(value) for name, value in told.items() if value is not None}

    # Recordings

    def recording(self, detail, call, node):
        """A recording by its own words; its audio is judged elsewhere. Unusable times are told by `start` being none."""
        node = detail.get("recorderNode") or node
        try:
            start, end, _ = self.span(detail, node)
        except StaysBehind:
            start = end = None
        retention_class = detail.get("retentionClass")
        return Recording(
            id=str(detail["id"]), leg_id=detail.get("segmentId"), start=start, end=end, retention_class=retention_class,
            delete_at=self.delete_at(retention_class, call), hold=self.hold(detail),
            pauses=self.pauses(detail),
            file_name=detail.get("fileName"), declared_ms=number(detail.get("durationMs")), size=number(detail.get("sizeBytes")), media_url=detail["mediaUrl"],
            call_id=None if detail.get("interactionId") is None else str(detail["interactionId"]))

    def pauses(self, detail):
        """Start, end and reason; one without a start or an end can be covered nowhere, which -1 says."""
        ends = ((number(pause.get("startOffsetMs")), number(pause.get("endOffsetMs")), pause.get("reason")) for pause in detail.get("pauses") or [])
        return [(-1 if start is None else start, -1 if end is None else end, reason) for start, end, reason in ends]

    def hold(self, detail):
        return bool(detail.get("legalHold"))

    def delete_at(self, retention_class, call):
        """The call's end and the class's calendar years, never the upload."""
        years = self.retention.get("class", {}).get(retention_class, {}).get("years")
        return None if years is None else add_years(call.end, years)

    def retain(self, recording, call, hold):
        """Keeps a recording back whose time has ended or whose date the organisation would refuse. A held call goes whole."""
        now = self.clock.unix_ms()
        if recording.delete_at is None:
            return
        if not hold and self.retention.get("expired") == "skip" and recording.delete_at <= now:
            raise StaysBehind("expired")
        if self.maximum_days is not None:
            latest = call.start + self.maximum_days * DAY_MS
            if recording.delete_at > latest:
                if self.retention.get("over_max") != "clamp" or latest <= now:
                    raise StaysBehind("retention_over_max")
                recording.delete_at = latest

    def unplaceable(self, recording, length_ms):
        return self.pii["pauses"] != "keep" and any(
            not 0 <= start < end or start >= length_ms for start, end, _ in recording.pauses)
