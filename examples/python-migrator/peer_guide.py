"""Genesys Cloud by the recording-migration guide: a file, then an interaction that links it, then a look at what was kept."""

from peer_http import Api, ClientCredentials, Pacer, Refused
from peer_rules import BadPlan, iso

INTERACTIONS = "/api/v2/interactions"


class GenesysCloud:
    """What both surfaces share: the token, the organisation's lists, its maximum retention."""

    def __init__(self, rules, clock, environment):
        self.rules, target, pace = rules, rules.target, rules.plan.get("pace", {})
        base = target.get("base_url") or environment["REHEARSAL_GENESYS_CLOUD_URL"]
        auth = ClientCredentials(target.get("login_url", base), target["client_id"], rules.secret(target["client_secret"]))
        self.api = Api("target", base, clock, auth, pace.get("requests_per_minute", 300) * 0.95 / 60)
        self.uploads = Pacer(clock, pace.get("uploads_per_second", 100) * 0.95)

    def preflight(self):
        """Every id of the mapping exists there, or nothing is begun. Learns the organisation's maximum retention."""
        rules = self.rules
        settings = self.api.call("data retention", "GET", "/api/v2/analytics/dataretention/settings").json()
        rules.maximum_days = settings.get("retentionDays")
        users = {row["genesys_user_id"] for rows in rules.agents.values() for row in rows}
        if rules.fallback:
            users.add(rules.fallback["genesys_user_id"])
        queues = {row["genesys_queue_id"] for row in rules.queues.values()} | ({rules.default_queue} if rules.default_queue else set())
        self.known("users", users, "/api/v2/users?state=any&pageSize=500")
        self.known("queues", queues, "/api/v2/routing/queues?pageSize=500")
        self.known("skills", set(rules.skills.values()), "/api/v2/routing/skills?pageSize=500")
        self.known("wrap-up codes", set(rules.wrap_ups.values()), "/api/v2/routing/wrapupcodes?pageSize=500")

    def known(self, what, wanted, path):
        there, page = set(), 1
        while True:
            body = self.api.call(what, "GET", f"{path}&pageNumber={page}").json()
            there |= {entity["id"] for entity in body["entities"]}
            if page >= body.get("pageCount", 1):
                break
            page += 1
        missing = sorted(wanted - there)
        if missing:
            raise BadPlan(f"the mapping names {len(missing)} {what} the target does not have, such as {missing[0]}")

    def finish(self, ledger, again):
        """What is left to do when every call was written; `again` migrates one anew."""

    def tag(self, call):
        return f"st:{self.rules.namespace}:{call.id}"


class Guide(GenesysCloud):
    def carries(self, call):
        return True

    def write(self, call, ledger):
        """Puts the call there, once; a repeat finds what it left."""
        files = {recording.id: self.file(recording, ledger) for recording in call.recordings}
        body = self.interaction(call, files)
        kept = self.create(body)
        if not self.same(body, kept):
            kept = self.api.call(f"update {call.id}", "PUT", f"{INTERACTIONS}/{body['id']}", json=body).json()
            if not self.same(body, kept):
                raise RuntimeError(f"interaction {call.id} was not kept as sent")
        return "done"

    def file(self, recording, ledger):
        """Uploads under a name with the content's hash: a repeat replaces a file by itself and keeps its id."""
        sound = recording.audio
        known = ledger.file(recording.id, sound.sha256)
        if known:
            return known
        name = f"st-{self.rules.namespace}-{recording.id}.{sound.sha256[:12]}.{sound.extension}"
        answer = self.api.call(f"upload {recording.id}", "POST", "/api/v2/files", pacer=self.uploads, expect=(200, 201),
                               files={"file": (name, sound.data, sound.mime)}, data={"name": name, "overwrite": "true"})
        ledger.keep_file(recording.id, sound.sha256, answer.json()["id"])
        return answer.json()["id"]

    def create(self, body):
        try:
            return self.api.call("create", "POST", INTERACTIONS, expect=(201,), look=lambda: self.find(body["id"]), json=body).json()
        except Refused as refused:
            if refused.status != 409:
                raise
            return self.find(body["id"]).json()

    def find(self, interaction_id):
        found = self.api.call("read back", "GET", f"{INTERACTIONS}/{interaction_id}", expect=(200, 404))
        return found if found.status_code == 200 else None

    def interaction(self, call, files):
        legs = [leg for leg in call.legs if leg.agent]
        agents = [{"id": leg.agent["genesys_user_id"], "type": "agent"} for leg in legs]
        customer = {"id": self.rules.id("customer", call.id), "type": "customer"}
        number = call.dnis if call.direction == "outbound" else call.ani
        customer.update({key: value for key, value in (("phone", number), ("ani", call.ani), ("dnis", call.dnis)) if value is not None})
        if call.wrap_up:
            (agents[-1] if agents else customer)["wrapUpCode"] = call.wrap_up
        routing = {}
        if call.queue:
            routing["queue"] = {"id": call.queue}
        if call.skill:
            routing["skills"] = [{"id": call.skill}]
        return {
            "id": self.rules.id("interaction", call.id), "type": "call", "direction": call.direction if call.direction == "outbound" else "inbound", "createdTime": iso(call.start),
            "updatedTime": iso(call.end), "externalTag": self.tag(call), "participants": agents + [customer], "routing": routing,
            "attributes": call.attributes, "deletionProtection": call.hold, "segments": self.segments(call, files)}

    def segments(self, call, files):
        """One a recording, with the recording's own times, and one for each leg that has none."""
        segments, legs = [], {leg.id: leg for leg in call.legs}
        for recording in call.recordings:
            leg = legs.pop(recording.leg_id, None)
            segments.append(self.segment(recording.id, leg, recording.start, recording.end, self.recording(recording, files[recording.id])))
        segments += [self.segment(leg.id or call.id, leg, leg.start, leg.end, None) for leg in legs.values()]
        return sorted(segments, key=lambda segment: segment["start"])

    def segment(self, source_id, leg, start, end, recording):
        body = {"id": self.rules.id("segment", source_id), "type": "call", "start": iso(start), "end": iso(end)}
        if leg and leg.agent:
            body["participantId"] = leg.agent["genesys_user_id"]
        if recording:
            body["recording"] = recording
        return body

    def recording(self, recording, file_id):
        body = {"id": self.rules.id("recording", recording.id), "type": "call", "status": "complete", "fileId": file_id,
                "duration": recording.audio.length_ms, "annotations": self.annotations(recording)}
        retention = {"tag": recording.retention_class, "deleteDate": recording.delete_at and iso(recording.delete_at)}
        retention = {key: value for key, value in retention.items() if value is not None}
        return {**body, "retention": retention} if retention else body

    def annotations(self, recording):
        return [{"type": "pause", "reason": "SecurePause", "location": start, "durationMs": end - start}
                for start, end, _ in recording.pauses if 0 <= start < end]

    def same(self, sent, kept):
        """Whether all that was sent stands there; the server may add to it."""
        if isinstance(sent, dict):
            return isinstance(kept, dict) and all(self.same(value, kept.get(key)) for key, value in sent.items() if value not in ([], {}))
        if isinstance(sent, list):
            return isinstance(kept, list) and len(sent) == len(kept) and all(map(self.same, sent, kept))
        return sent == kept
