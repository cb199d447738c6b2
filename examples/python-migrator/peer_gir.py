"""Genesys Interaction Recording: a file in the WebDAV store, its metadata in RWS, a copy in SpeechMiner (docs/reference/gir.md)."""

import hashlib
import os
import re
import threading
import uuid
from urllib.parse import quote

from peer_http import Api, Basic, Refused
from peer_rules import BadPlan, iso
from peer_seal import Sealer

LABEL_PATIENCE = 8


def stamp(ms):
    return iso(ms)[:-1] + "+0000"


class Rws(Api):
    """RWS wants, with each write, a token of the session that a read has begun; each thread has a session of its own."""

    def signed(self, method):
        headers = super().signed(method)
        if method not in ("GET", "HEAD"):
            if getattr(self.local, "csrf", None) is None:
                self.begin_session(headers)
            headers.update(self.local.csrf)
        return headers

    def begin_session(self, headers):
        answer = self.patiently("session", lambda: self.session().get(
            self.base + "/api/v2/diagnostics/version", headers=headers, timeout=30), None, (200,), self.pacer)
        name = answer.headers.get("X-CSRF-HEADER")
        self.local.csrf = {name: answer.headers["X-CSRF-TOKEN"]} if name else {}

    def stale(self, answer, signed):
        if answer.status_code != 403 or "Csrf" not in answer.text:
            return False
        self.local.csrf = None
        return True


class Gir:
    def __init__(self, rules, clock, environment):
        self.rules, target = rules, rules.target

        def account(name, default=None):
            return Basic(target[name + "username"], rules.secret(target[name + "password"]))

        pace = rules.plan.get("pace", {}).get("requests_per_minute", 300) / 60
        self.rws = Rws("target", target["rws_url"], clock, account(""), min(pace, 50))
        self.store = Api("target", target["webdav_url"], clock, account("webdav_"), rules.plan.get("pace", {}).get("uploads_per_second", 100))
        speechminer = target.get("speechminer_url")
        self.speechminer = Api("target", speechminer, clock, account("speechminer_"), min(pace, 50)) if speechminer else None
        self.replaces = target.get("speechminer_repost", "replace") == "replace"
        self.ops = f"/api/v2/ops/contact-centers/{target['contact_center_id']}/recordings/"
        self.insertion = f"/internal-api/contact-centers/{target['contact_center_id']}/recordings"
        certificates = [os.path.join(rules.folder, name) for name in target.get("certificates", [])]
        self.sealer = Sealer(certificates, os.path.join(environment["REHEARSAL_WORK"], "sealed")) if certificates else None
        self.folders, self.labels, self.lock = set(), set(), threading.Lock()

    def preflight(self):
        """Every account is let in, or nothing is begun."""
        self.rws.call("preflight", "GET", self.ops + "st-nobody", expect=(200, 404))
        self.store.call("preflight", "PROPFIND", "/", expect=(207,), headers={"Depth": "0"})

    def finish(self, ledger, again):
        """Nothing comes later here."""

    def carries(self, call):
        """RWS takes no recording without a media file."""
        return bool(call.recordings)

    def write(self, call, ledger):
        document = self.document(call)
        kept = self.find(document["id"]) or self.insert(document)
        self.compare(document, kept)
        if call.hold:  # before the labels: a purge rule looks for those
            self.tag(call, "applyNonDelete", "", {"operationName": "applyNonDelete"})
        for label in self.wanted_labels(call):
            self.define(label)
            if label not in {one.get("name") for one in kept.get("labels") or []}:
                self.tag(call, label, "/labels", {"labels": [{"name": label}]})
        if self.speechminer:
            self.post(call, document, ledger)
        return "done"

    # RWS

    def find(self, record_id):
        answer = self.rws.call("read", "GET", self.ops + quote(record_id, safe=""), expect=(200, 404))
        return answer.json()["recording"] if answer.status_code == 200 else None

    def insert(self, document):
        """A second insertion of an id would merge: it is looked for before any repeat, and read back after."""
        answer = self.rws.call("insert", "POST", self.insertion, look=lambda: self.find(document["id"]), json=document)
        kept = answer if isinstance(answer, dict) else self.find(document["id"])
        if kept is None:
            raise BadPlan("what was inserted is not shown: the plan's region is not the node's")
        return kept

    def compare(self, document, kept):
        """What stands under our id is what we would send; anything else is for a person, for a repeat would merge."""
        ours = {(one["mediaId"], one["mediaDescriptor"]["path"]) for one in document["mediaFiles"]}
        theirs = [(one.get("mediaId"), one.get("originalMediaDescriptor", {}).get("path")) for one in kept.get("mediaFiles", [])]
        if set(theirs) != ours or len(theirs) != len(ours) or len(kept.get("eventHistory", [])) != len(document["eventHistory"]):
            raise RuntimeError(f"{document['id']} is there already, and different")

    def define(self, label):
        with self.lock:
            if label not in self.labels:
                self.rws.call("label", "POST", "/api/v2/recording-label-definitions", expect=(200, 201, 409),
                              json={"name": label, "displayName": label, "description": "migrated recordings"})
                self.labels.add(label)

    def tag(self, call, what, path, body):
        """404 for as long as the search does not know the recording."""
        for attempt in range(LABEL_PATIENCE):
            place = f"/api/v2/recordings/{quote(self.record_id(call), safe='')}{path}"
            answer = self.rws.call(what, "POST", place, expect=(200, 201, 204, 404, 409), json=body)
            if answer.status_code != 404:
                return
            self.rws.clock.sleep(1.5 ** attempt)
        raise Refused(what, answer)

    def wanted_labels(self, call):
        """One label for the class that keeps longest; nothing may be deleted early, so none and an unknown one outlive all others."""
        years = {name: one["years"] for name, one in self.rules.retention.get("class", {}).items()}
        classes = {recording.retention_class for recording in call.recordings}
        labels = [f"st-batch-{self.rules.namespace}"]
        if None not in classes:
            unknown = sorted(name for name in classes if name not in years)
            longest = unknown[0] if unknown else max(sorted(classes), key=lambda name: years[name])
            labels.append("st-ret-" + re.sub(rb"[^\x20-\x7e]", lambda byte: b"%%%02X" % byte[0][0], longest.encode()).decode())
        return labels

    def record_id(self, call):
        return f"st-{self.rules.namespace}-{call.id}"

    # The document

    def document(self, call):
        call_uuid = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.rules.namespace}/{call.id}")).upper()
        return {
            "id": self.record_id(call), "callerPhoneNumber": call.ani or "Unknown", "dialedPhoneNumber": call.dnis or "Unknown",
            "region": self.rules.target["region"], "callType": {"inbound": "Inbound", "outbound": "Outbound"}.get(call.direction, "Unknown"),
            "mediaFiles": [self.media(call, recording, call_uuid) for recording in call.recordings],
            "eventHistory": self.history(call, call_uuid)}

    def media(self, call, recording, call_uuid):
        media_id, sound = f"st-{self.rules.namespace}-{recording.id}", recording.audio
        data, sealed = (self.sealer.seal(recording.id, sound) if self.sealer else (sound.data, {}))
        parameters = {"callUuid": call_uuid, "id": media_id, "ani": call.ani, "dnis": call.dnis}
        agent = self.agent_of(call, recording)
        if agent:
            parameters.update(username=self.named(agent, "gir_username"), agentId=self.named(agent, "gir_login"))
        body = {
            "callUUID": call_uuid, "mediaId": media_id, "startTime": stamp(recording.start), "stopTime": stamp(recording.end),
            "type": "audio/mp3" if sound.extension == "mp3" else "audio/wav", "duration": str(sound.length_ms), "size": str(len(data)),
            "parameters": {key: value for key, value in parameters.items() if value is not None},
            "accessgroups": [agent["gir_access_group"]] if agent and agent.get("gir_access_group") else [],
            "partitions": [call.partition] if call.partition else [], "masks": self.masks(recording),
            "mediaDescriptor": {"storage": "webDAV", "path": self.file(call, media_id, sound, data)}, **sealed}
        return {key: value for key, value in body.items() if value not in ([], {})}

    def agent_of(self, call, recording):
        if len(call.legs) == 1 and not call.legs[0].id:
            return call.legs[0].agent
        return next((leg.agent for leg in call.legs if leg.id == recording.leg_id), None)

    def named(self, agent, column):
        if not agent.get(column):
            raise BadPlan(f"agents.csv: {agent.get('legacy_agent_id', 'the fallback')} has no {column}")
        return agent[column]

    def masks(self, recording):
        masks = []
        for start, end, _ in recording.pauses:
            masks += [{"time": stamp(recording.start + start), "type": "paused"}, {"time": stamp(recording.start + end), "type": "resume"}]
        return masks

    def history(self, call, call_uuid):
        events = []
        for leg in (leg for leg in call.legs if leg.agent):
            first, _, last = leg.agent.get("genesys_user_name", "").partition(" ")
            contact = {"type": "User", "phoneNumber": self.named(leg.agent, "gir_login"), "userName": self.named(leg.agent, "gir_username"),
                       "firstName": first or "-", "lastName": last or "-"}
            events += [(leg.start, "Joined", {"contact": contact}), (leg.end, "Left", {"contact": contact})]
        number = call.dnis if call.direction == "outbound" else call.ani
        contact = {"type": "External", "phoneNumber": number or "Unknown"}
        events += [(call.start, "Joined", {"contact": contact}), (call.end, "Left", {"contact": contact})]
        ids = {"st.queue": call.queue, "st.skill": call.skill, "st.wrap_up": call.wrap_up}
        added = {**call.attributes, **{key: value for key, value in ids.items() if value}}
        events.append((call.start, "Data", {"eventId": self.record_id(call) + "-meta", "data": {"added": added}}))
        events.sort(key=lambda event: event[0])
        return [{"occurredAt": stamp(at), "calluuid": call_uuid, "event": event, **rest} for at, event, rest in events]

    # The store

    def file(self, call, media_id, sound, data):
        """Uploads beside its name, reads the length back, and moves it there; what is there already is not sent again."""
        folder = f"/st-{self.rules.namespace}"
        for path in (folder, f"{folder}/{iso(call.start)[:10]}"):
            self.make_folder(path)
        digest = hashlib.sha256(data).hexdigest()[:12]
        path = quote(f"{path}/{media_id}.{digest}.{sound.extension}{'.bin' if self.sealer else ''}")
        if self.length(path) != len(data):
            part = path + ".part"
            while self.length(part) != len(data):
                self.store.call("upload", "PUT", part, expect=(200, 201, 204), data=data)
            destination = {"Destination": self.store.base + path, "Overwrite": "F"}
            there = lambda: True if self.length(path) == len(data) else None
            self.store.call("move", "MOVE", part, expect=(201, 204, 412), look=there, headers=destination)
            if self.length(path) != len(data):
                raise RuntimeError(f"{path} did not come whole")
        return self.store.base + path

    def make_folder(self, path):
        with self.lock:
            if path not in self.folders:
                self.store.call("folder", "MKCOL", path + "/", expect=(201, 405))
                self.folders.add(path)

    def length(self, path):
        answer = self.store.call("length", "HEAD", path, expect=(200, 404))
        return int(answer.headers["Content-Length"]) if answer.status_code == 200 else None

    # SpeechMiner

    def post(self, call, document, ledger):
        """The same document. Where a second post would stand beside the first, one of unknown outcome is a person's."""
        key = "speechminer:" + call.id
        begun = ledger.meta(key)
        if begun == "done":
            return
        if begun and not self.replaces:
            raise RuntimeError(f"{document['id']} may have been posted to SpeechMiner: look there")
        ledger.set_meta(key, "begun")

        def look():
            if not self.replaces:
                raise RuntimeError(f"{document['id']} may have been posted to SpeechMiner: look there")

        self.speechminer.call("post", "POST", "", expect=(200, 201, 204), look=look, json=document)
        ledger.set_meta(key, "done")
