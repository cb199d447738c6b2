"""Genesys Cloud by its public API: the call as events, each recording as an upload that is taken in later, then a look whether it came."""

import base64
import csv
import hashlib
import io
import json
import zipfile
from datetime import datetime, timedelta, timezone

from peer_guide import GenesysCloud
from peer_http import Refused
from peer_rules import iso

PATIENCE = 600  # seconds until an upload that has not come is left for the next run
RETRIES = 8


class Public(GenesysCloud):
    def carries(self, call):
        return True

    def preflight(self):
        super().preflight()
        self.began = datetime.now(timezone.utc) - timedelta(days=1)
        authority = self.rules.plan["mapping"].get("external_id_authority")
        for legacy_id, rows in self.rules.agents.items() if authority else ():
            for row in rows:
                if row["valid_to"] is None:  # an external id belongs to one user: of an id that changed hands, to whom it is now
                    self.external_id(row["genesys_user_id"], authority, legacy_id)

    def external_id(self, user, authority, key):
        self.api.call("external id", "POST", f"/api/v2/users/{user}/externalid", expect=(200, 201, 409),
                      json={"authorityName": authority, "externalKey": key})

    def write(self, call, ledger):
        """Tells the call and sends its recordings. Every id is our own, so that all of it may be sent again."""
        conversation = self.rules.id("conversation", call.id)
        self.tell(self.events(call, conversation))
        self.attribute(conversation, call.attributes)
        if call.hold:
            self.api.call("hold", "PUT", "/api/v2/recordings/deletionprotection?protect=true", expect=(200, 204),
                          json={"conversationIds": [conversation]})
        for recording in call.recordings:
            name = self.upload(call, recording, conversation)
            ledger.sent(call.id, self.rules.id("recording", recording.id), conversation, recording.delete_at, name)
        return "sent" if call.recordings else "done"

    # The call

    def events(self, call, conversation):
        """Lists by kind, as the API takes them. Every event has an id of its own that is the same in every run."""
        lists = {}

        def add(kind, at, leg, **fields):
            key = self.rules.id("event", call.id, kind, leg)
            event = {"eventId": key, "eventDateTime": iso(at), "conversationId": conversation, "communicationId": self.leg_id(call, leg)}
            lists.setdefault(kind, []).append({**event, **fields})

        def established(kind, at, leg, **fields):
            source = {"sourceId": "legacy", "interactionId": call.id, "tagId": self.tag(call)}
            start = {"inbound": call.direction != "outbound", "alerting": False}
            add(kind, at, leg, initialConfiguration=start, sourceConfiguration=source, **fields)

        def ended(at, leg, how):
            add("communicationEndedEvents", at, leg, disconnectType=how)

        def inside(at):  # the conversation is as long as its events: none is told beyond the call
            return min(max(at, call.start), call.end)

        numbers = {key: value for key, value in (("ani", call.ani), ("dnis", call.dnis)) if value is not None}
        established("externalEstablishedEvents", call.start, "customer", **numbers)
        agents = [leg for leg in call.legs if leg.agent]
        if call.queue:
            skills = {"skillIds": [call.skill]} if call.skill else {}
            established("routingEstablishedEvents", call.start, "queue", queueId=call.queue, **skills)
            ended(inside(agents[0].start) if agents else call.end, "queue", "TransferUser")
        for leg in agents:
            established("userEstablishedEvents", inside(leg.start), leg.id, userId=leg.agent["genesys_user_id"])
            ended(inside(leg.end), leg.id, "Peer" if leg is agents[-1] else "TransferUser")
        if agents and call.wrap_up:
            notes = {"notes": call.disposition} if call.disposition else {}
            add("communicationDispositionAppliedEvents", inside(agents[-1].end), agents[-1].id, code=call.wrap_up, **notes)
        ended(call.end, "customer", "Self")
        return lists

    def leg_id(self, call, leg):
        return self.rules.id("communication", call.id, leg)

    def tell(self, lists):
        """Sends events until each is taken; those refused for good are a reason to leave the call."""
        for attempt in range(RETRIES):
            answer = self.api.call("events", "POST", "/api/v2/events/conversations", json=lists)
            errors = {error["eventId"]: error for error in answer.json().get("errors", [])}
            final = [error for error in errors.values() if not error.get("retryable")]
            if final:
                raise RuntimeError(f"event {final[0]['eventId']}: {final[0]['message']}")
            if not errors:
                return
            lists = {kind: [event for event in events if event["eventId"] in errors] for kind, events in lists.items()}
            lists = {kind: events for kind, events in lists.items() if events}
            self.api.back_off(attempt, None, None)
        raise RuntimeError("events were not taken")

    def attribute(self, conversation, attributes):
        """Attributes stand on the customer participant, whose id the server made."""
        for attempt in range(RETRIES):
            found = self.api.call("conversation", "GET", f"/api/v2/conversations/{conversation}", expect=(200, 404))
            customers = [one for one in found.json().get("participants", []) if one.get("purpose") == "customer"]
            if customers:
                path = f"/api/v2/conversations/{conversation}/participants/{customers[0]['id']}/attributes"
                self.api.call("attributes", "PATCH", path, expect=(200, 202, 204), json={"attributes": attributes})
                return
            self.api.back_off(attempt, None, None)
        raise RuntimeError("the conversation does not show its customer")

    # Its recordings

    def upload(self, call, recording, conversation):
        package, name = self.package(call, recording, conversation)
        ask = {"fileName": name, "contentMd5": base64.b64encode(hashlib.md5(package).digest()).decode(),
               "signedUrlTimeoutSeconds": 3600, "contentType": "application/zip"}
        place = self.api.call(f"upload {recording.id}", "POST", "/api/v2/uploads/recordings", json=ask).json()

        def put():
            self.uploads.wait()
            return self.api.session().put(place["url"], data=package, headers=place["headers"], timeout=120)

        self.api.patiently(f"upload {recording.id}", put, None, (200,))
        return name

    def package(self, call, recording, conversation):
        """The ZIP of an upload: the audio and what it is. Without a date of its own, so that the same recording is the same bytes."""
        sound, stem = recording.audio, f"st-{self.rules.namespace}-{recording.id}.{recording.audio.sha256[:12]}"
        leg = next((leg for leg in call.legs if leg.id == recording.leg_id and leg.agent), None)
        metadata = {
            "version": 1, "conversationId": conversation, "communicationId": self.leg_id(call, leg.id if leg else "customer"),
            "recordingId": self.rules.id("recording", recording.id), "originatingRecordingId": recording.id, "startTime": iso(recording.start),
            "endTime": iso(recording.end), "fileName": f"{stem}.{sound.extension}", "mediaType": sound.mime,
            "annotations": [{"type": "pause", "reason": "SecurePause", "location": start, "durationMs": end - start}
                            for start, end, _ in recording.pauses if 0 <= start < end]}
        if recording.delete_at is not None:
            metadata["deleteDate"] = iso(recording.delete_at)
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as package:
            package.writestr(zipfile.ZipInfo("metadata.json"), json.dumps(metadata))
            package.writestr(zipfile.ZipInfo(metadata["fileName"]), sound.data)
        return out.getvalue(), f"{stem}.zip"

    def finish(self, ledger, again):
        """Waits for what was sent: asks each conversation, attaches orphans, sends failed uploads again by migrating the call anew."""
        until, clock, asked = self.api.clock.seconds() + PATIENCE, self.api.clock, 0
        while waiting := ledger.waiting():
            for call_id in sorted({row[0] for row in waiting}):
                if all([self.arrived(*row[1:4]) for row in waiting if row[0] == call_id]):
                    ledger.settle(call_id, "done")
            waiting = ledger.waiting()
            if waiting and asked % 4 == 1:
                self.attach(waiting)
                failed = self.failed()
                for call_id in sorted({row[0] for row in waiting if row[4] in failed}):
                    again(call_id)
            if waiting and clock.seconds() > until:
                for call_id in {row[0] for row in waiting}:
                    ledger.settle(call_id, "left")
                return
            asked += 1
            clock.sleep(2 if waiting else 0)

    def arrived(self, recording, conversation, delete_at):
        path = f"/api/v2/conversations/{conversation}/recordings"
        answer = self.api.call("recordings", "GET", path + "?formatId=NONE", expect=(200, 202, 404))
        there = {one["id"]: one for one in answer.json()} if answer.status_code == 200 else {}
        if recording not in there:
            return False
        wanted = iso(delete_at) if delete_at is not None else None
        if there[recording].get("deleteDate") != wanted:
            self.api.call("deletion date", "PUT", f"{path}/{recording}", json={"deleteDate": wanted})
        return True

    def attach(self, waiting):
        ours, page = {row[1]: row for row in waiting}, 1
        while True:
            body = self.api.call("orphans", "GET", f"/api/v2/orphanrecordings?pageSize=25&pageNumber={page}").json()
            for orphan in body["entities"]:
                row = ours.get(orphan.get("recording", {}).get("id"))
                if row:
                    date = {"deleteDate": iso(row[3])} if row[3] is not None else {}
                    self.api.call("orphan", "PUT", f"/api/v2/orphanrecordings/{orphan['id']}", expect=(200, 404),
                                  json={"conversationId": row[2], **date})
            if page >= body.get("pageCount", 1):
                return
            page += 1

    def failed(self):
        """File names whose last upload failed, by the upload report: a failed one may not say which recording it was."""
        report = self.api.call("upload report", "POST", "/api/v2/recording/uploads/reports", expect=(200, 202),
                               json={"dateSince": iso(int(self.began.timestamp() * 1000))}).json()
        while report["state"] not in ("Completed", "Failed"):
            self.api.clock.sleep(2)
            report = self.api.call("upload report", "GET", f"/api/v2/recording/uploads/reports/{report['id']}").json()
        if "signedUrl" not in report:
            raise Refused("upload report failed", report)
        text = self.api.patiently("upload report", lambda: self.api.session().get(report["signedUrl"], timeout=60), None, (200,)).text
        rows = sorted(csv.DictReader(io.StringIO(text)), key=lambda row: row["dateUpdated"])
        last = {row["fileName"]: row["status"] for row in rows}
        return {name for name, status in last.items() if status == "Failure"}
