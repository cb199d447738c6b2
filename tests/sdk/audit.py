#!/usr/bin/env python3
"""A migration and an audit by the vendor's Python SDK, with no change but the host.

    audit.py --addresses addresses.json --answers answers.jsonl

`addresses.json` is what `seatrial simulate --addresses` wrote. Every answer is kept in `answers.jsonl` (operation, method, path, status, body),
to be held against the vendor's models. Prints a JSON line for each failed operation and {"operations": n, "failed": n} at the end.
The simulator must have: transcoding of some 100 ms, orphans after some 1000 ms, a 429 on the first listing of wrap-up codes,
and no permission recording:orphan:delete. tests/sdk/main.rs starts it so.
"""

import argparse
import base64
import datetime
import hashlib
import io
import json
import math
import os
import struct
import sys
import time
import urllib.error
import urllib.request
import uuid
import wave
import zipfile

import PureCloudPlatformClientV2 as sdk
from PureCloudPlatformClientV2.rest import ApiException

INTERVAL = "2023-10-27T00:00:00.000Z/2023-10-28T00:00:00.000Z"
UTC = datetime.timezone.utc
# As a client of the SDK has them: typed. It writes them with an offset.
# Years ahead of the day the script is run on.
AHEAD = datetime.datetime.now(UTC).replace(microsecond=0) + datetime.timedelta(days=34 * 365)
DELETE_DATE = AHEAD


class Audit:
    """Runs named operations, counts them, and keeps what was answered."""

    def __init__(self, answers):
        self.operations, self.failed, self.answers, self.asked = 0, 0, answers, None

    def watch(self, client):
        """Notes the path of each call, which only the SDK knows as its description has it."""
        call = client.call_api

        def noted(path, method, *rest, **more):
            self.asked = (client, method, path)
            return call(path, method, *rest, **more)

        client.call_api = noted

    def __call__(self, name, call, holds=lambda answer: True, refused=None):
        """One operation: its answer, which must hold, or the (status, code) it must be refused with."""
        self.operations, self.asked = self.operations + 1, None
        try:
            answer = call()
            if self.asked:
                last = self.asked[0].last_response
                self.keep(name, last.status, last.data)
            if refused:
                self.fail(name, "not refused")
            elif not holds(answer):
                self.fail(name, "the answer does not hold: %.600s" % answer)
            return answer
        except ApiException as error:
            self.keep(name, error.status, error.body)
            code = json.loads(error.body or "{}").get("code")
            if refused != (error.status, code):
                self.fail(name, "refused: %s %s" % (error.status, error.body))
        except Exception as error:  # whatever it is, the other operations go on
            self.fail(name, "%s: %s" % (type(error).__name__, error))
        return None

    def until(self, name, call, holds, seconds=20):
        """One operation repeated until its answer holds."""
        end = time.monotonic() + seconds

        def poll():
            while True:
                answer = call()
                if holds(answer) or time.monotonic() > end:
                    return answer
                time.sleep(0.1)

        return self(name, poll, holds)

    def keep(self, name, status, body):
        if self.asked:
            line = {"operation": name, "method": self.asked[1], "path": self.asked[2], "status": status, "body": body or ""}
            self.answers.write(json.dumps(line) + "\n")

    def fail(self, name, why):
        self.failed += 1
        print(json.dumps({"operation": name, "why": why}), flush=True)


def v4():
    return str(uuid.uuid4())


def call_events(names):
    """The events of tests/sdk/call.json with names put in, as a batch."""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "call.json"), encoding="utf-8") as file:
        text = file.read()
    for name, value in names.items():
        text = text.replace('"@%s"' % name, json.dumps(value))
    batch = json.loads(text)
    for events in batch.values():
        for event in events:
            second = event.pop("second")
            event["eventId"], event["conversationId"] = v4(), names["conversation"]
            event["eventDateTime"] = "2023-10-27T%02d:%02d:%02d.000Z" % (names["hour"], second // 60, second % 60)
    return batch


def tone(hertz):
    """Two seconds of telephone audio."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(b"".join(struct.pack("<h", int(9000 * math.sin(2 * math.pi * hertz * n / 8000))) for n in range(16000)))
    return file.getvalue()


def package(names, recording, audio, folder=""):
    """The ZIP of an upload: metadata.json and the audio."""
    hour = names["hour"]
    metadata = {
        "version": 1, "conversationId": names["conversation"], "communicationId": names["first"], "recordingId": recording,
        "originatingRecordingId": names["tag"] + "-1", "startTime": "2023-10-27T%02d:00:12.000Z" % hour,
        "endTime": "2023-10-27T%02d:00:14.000Z" % hour, "fileName": folder + "audio.wav", "mediaType": "audio/wav",
        "annotations": [{"type": "pause", "reason": "SecurePause", "location": 500, "durationMs": 250}],
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr(folder + "metadata.json", json.dumps(metadata))
        out.writestr(folder + "audio.wav", audio)
    return file.getvalue()


def fetch(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read()


def put(announced, body):
    request = urllib.request.Request(announced.url, data=body, method="PUT", headers=dict(announced.headers))
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.status


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--addresses", required=True)
    parser.add_argument("--answers", required=True)
    options = parser.parse_args()
    with open(options.addresses, encoding="utf-8") as file:
        addresses = json.load(file)
    secrets = json.loads(fetch(addresses["control"] + "/_sim/credentials"))["genesys_cloud"]
    with open(options.answers, "w", encoding="utf-8") as answers:
        audit = Audit(answers)
        sdk.configuration.host = addresses["genesys_cloud"]  # the one change
        run(audit, secrets)
    print(json.dumps({"operations": audit.operations, "failed": audit.failed}))
    sys.exit(1 if audit.failed else 0)


def run(audit, secrets):
    client = sdk.api_client.ApiClient()
    audit("token", lambda: client.get_client_credentials_token(secrets["client_id"], secrets["client_secret"]), lambda answer: answer.access_token)
    audit.watch(client)
    site = Lists(audit, client)
    calls = [dict(site.names, **secrets, conversation=v4(), tag="st:sdk:%d" % n, hour=10 + n, **{leg: v4() for leg in ("customer", "queue", "first", "second", "command")}) for n in range(3)]
    recordings = [v4() for _ in calls]
    for part in (ingest, conversations, media, orphans, retention, policies, external_ids, audits, analytics, directory, annotations, refusals):
        try:
            part(audit, client, calls, recordings)
        except Exception as error:  # an operation failed whose answer the next one needs
            audit.fail(part.__name__, "%s: %s" % (type(error).__name__, error))
    audit("a wrong secret", lambda: wrong_secret(secrets), lambda refused: refused == (401, "invalid_client"))


class Lists:
    """The organisation's lists, page by page; `names` is who and what a call is given to."""

    def __init__(self, audit, client):
        users, routing = sdk.UsersApi(client), sdk.RoutingApi(client)
        limits = sdk.OrganizationApi(client)
        audit("tokens/me", lambda: sdk.TokensApi(client).get_tokens_me(), lambda me: me.o_auth_client and me.organization.id)
        first = audit("users, page 1", lambda: users.get_users(page_size=5), lambda page: len(page.entities) == 5 and page.total > 5)
        audit("users, page 2", lambda: users.get_users(page_size=5, page_number=2), lambda page: page.page_number == 2 and page.entities[0].id not in [user.id for user in first.entities])
        audit("users, last page", lambda: users.get_users(page_size=5, page_number=first.page_count), lambda page: page.next_uri is None and page.entities)
        audit("users of any state", lambda: users.get_users(page_size=100, state="any"), lambda page: page.total >= first.total)
        audit("users by id", lambda: users.get_users(id=[first.entities[1].id]), lambda page: [user.id for user in page.entities] == [first.entities[1].id])
        cursor = audit("users by cursor", lambda: users.get_users_query(page_size=5, state="any"), lambda page: len(page.entities) == 5 and page.cursor)
        audit("users by cursor, page 2", lambda: users.get_users_query(page_size=5, state="any", cursor=cursor.cursor), lambda page: page.entities[0].id not in [user.id for user in cursor.entities])
        known = first.entities[0]
        exact = {"query": [{"type": "EXACT", "fields": ["email"], "value": known.email}]}
        audit("users searched", lambda: users.post_users_search(exact), lambda answer: [user.id for user in answer.results] == [known.id])
        queues = audit("queues, page 1", lambda: routing.get_routing_queues(page_size=2), lambda page: len(page.entities) == 2 and page.page_count > 1)
        audit("queues, page 2", lambda: routing.get_routing_queues(page_size=2, page_number=2), lambda page: page.entities[0].id not in [queue.id for queue in queues.entities])
        audit("queues by name", lambda: routing.get_routing_queues(name=queues.entities[1].name), lambda page: queues.entities[1].id in [queue.id for queue in page.entities])
        began = time.monotonic()
        codes = audit("wrap-up codes, a 429 waited out by the SDK", lambda: routing.get_routing_wrapupcodes(page_size=3), lambda page: page.entities and time.monotonic() - began >= 1)
        audit("wrap-up codes, page 2", lambda: routing.get_routing_wrapupcodes(page_size=1, page_number=2), lambda page: page.page_number == 2)
        audit("wrap-up codes of a queue", lambda: routing.get_routing_queue_wrapupcodes(queues.entities[0].id, page_size=100), lambda page: codes.entities[0].id in [code.id for code in page.entities])
        skills = audit("skills", lambda: routing.get_routing_skills(page_size=100), lambda page: page.entities is not None)
        audit("divisions", lambda: sdk.AuthorizationApi(client).get_authorization_divisions(), lambda page: page.total == 1 and page.entities[0].home_division and page.entities[0].id == queues.entities[0].division.id)
        authorization = sdk.AuthorizationApi(client)
        home = audit("home division", authorization.get_authorization_divisions_home, lambda answer: answer.home_division)
        audit("division by id", lambda: authorization.get_authorization_division(home.id), lambda answer: answer.id == home.id)
        audit("user by id", lambda: users.get_user(first.entities[1].id), lambda answer: answer.id == first.entities[1].id)
        audit("queue by id", lambda: routing.get_routing_queue(queues.entities[1].id), lambda answer: answer.name == queues.entities[1].name)
        audit("wrap-up code by id", lambda: routing.get_routing_wrapupcode(codes.entities[0].id), lambda answer: answer.name == codes.entities[0].name)
        if skills:
            skill = skills.entities[0]
            audit("skill by id", lambda: routing.get_routing_skill(skill.id), lambda answer: answer.name == skill.name)
        audit("an unknown queue", lambda: routing.get_routing_queue(v4()), refused=(404, "not.found"))
        audit("organisation", limits.get_organizations_me, lambda answer: answer.id and answer.state == "active")
        audit("users, the last first", lambda: users.get_users(page_size=5, sort_order="descending"), lambda page: [one.name for one in page.entities] == sorted((one.name for one in page.entities), reverse=True))
        audit("limit namespaces", limits.get_organizations_limits_namespaces, lambda page: "recording" in page["entities"])
        for namespace in ("platform.api", "recording", "analytics"):
            audit("limits of " + namespace, lambda: limits.get_organizations_limits_namespace(namespace), lambda page: all(limit.namespace == namespace for limit in page.entities))
            audit("default limits of " + namespace, lambda: limits.get_organizations_limits_namespace_defaults(namespace), lambda page: all(limit.value for limit in page.entities))
        audit("recording settings", sdk.RecordingApi(client).get_recording_settings, lambda answer: answer.recording_batch_download_url_ttl == 60)
        self.names = {"queueId": queues.entities[0].id, "firstUser": first.entities[0].id, "secondUser": first.entities[1].id, "wrapup": codes.entities[0].id}


def ingest(audit, client, calls, recordings):
    events, uploads = sdk.EventsApi(client), sdk.UploadsApi(client)
    batches = [call_events(names) for names in calls]
    for n in (0, 1):
        audit("events of call %d" % n, lambda: events.post_events_conversations(batches[n]), lambda answer: answer.errors == [])
    audit("events of call 0 again", lambda: events.post_events_conversations(batches[0]), lambda answer: answer.errors == [])
    lone = {"holdUpdatedEvents": batches[2]["holdUpdatedEvents"][:1]}
    audit("an event before its conversation: an error inside a 200", lambda: events.post_events_conversations(lone), lambda answer: answer.errors[0].retryable)
    for n, names in enumerate(calls):  # the third call's conversation never comes
        upload(audit, uploads, "recording %d" % n, package(names, recordings[n], tone(300 + 100 * n)))
    upload(audit, uploads, "a ZIP with a folder inside", package(calls[0], v4(), tone(440), "folder/"))
    reports(audit, sdk.RecordingApi(client))


def upload(audit, uploads, what, body):
    digest = base64.b64encode(hashlib.md5(body).digest()).decode("ascii")
    asked = {"fileName": "%s.zip" % v4(), "contentMd5": digest, "contentType": "application/zip", "signedUrlTimeoutSeconds": 600}
    announced = audit("announce " + what, lambda: uploads.post_uploads_recordings(asked), lambda answer: answer.url and answer.upload_key)
    audit("PUT " + what, lambda: put(announced, body), lambda status: status == 200)


def reports(audit, recording):
    since = datetime.datetime(2020, 1, 1, tzinfo=UTC)
    for status, wanted in ((None, ("Success", "Failure", "WaitForConversation")), ("Failure", ("Failure",))):
        asked = sdk.RecordingUploadReportRequest()
        asked.date_since = since
        if status:
            asked.upload_status = status
        what = "report of %s" % (status or "all")
        report = audit(what, lambda: recording.post_recording_uploads_reports(asked), lambda answer: answer.state == "InProgress")
        done = audit.until(what + ", completed", lambda: recording.get_recording_uploads_report(report.id), lambda answer: answer.state == "Completed")
        audit(what + ", downloaded", lambda: fetch(done.signed_url).decode("utf-8"), lambda text: all(word in text for word in wanted))


def conversations(audit, client, calls, recordings):
    api, first = sdk.ConversationsApi(client), calls[0]["conversation"]
    whole = audit("conversation", lambda: api.get_conversation(first), lambda held: [one.purpose for one in held.participants] == ["customer", "acd", "agent", "agent"])
    audit("conversation, its tag", lambda: api.get_conversation(first), lambda held: held.external_tag == calls[0]["tag"])
    customer = whole.participants[0]
    audit("attributes", lambda: api.patch_conversation_participant_attributes(first, customer.id, {"attributes": {"legacy.id": "100001"}}))
    audit("attributes, read", lambda: api.get_conversation(first), lambda held: held.participants[0].attributes["legacy.id"] == "100001")
    audit("tags", lambda: api.put_conversation_tags(first, {"externalTag": "st:sdk:changed"}))
    audit("tags, read", lambda: api.get_conversation(first), lambda held: held.external_tag == "st:sdk:changed")
    audit("wrap-up, read", lambda: api.get_conversation(first), lambda held: held.participants[3].wrapup.code == calls[0]["wrapup"])
    agent = whole.participants[3].id
    audit("wrap-up alone", lambda: api.get_conversation_participant_wrapup(first, agent), lambda answer: answer.code == calls[0]["wrapup"])
    day = {"type": "DATE_RANGE", "fields": ["startTime"], "startValue": INTERVAL.split("/")[0], "endValue": INTERVAL.split("/")[1]}
    rows = lambda answer: [row["participantData"][0]["participantAttributes"].get("legacy.id") for row in answer.results] == ["100001"]
    audit("attributes of a day", lambda: api.post_conversations_participants_attributes_search({"query": [day]}), rows)
    named = {"type": "EXACT", "fields": ["legacy.id"], "value": "100001"}
    audit("attributes are not searched by", lambda: api.post_conversations_participants_attributes_search({"query": [named]}), refused=(400, "bad.request"))
    audit("custom attributes", lambda: api.get_conversation_customattributes(first), lambda answer: answer.results == [])
    audit("custom attributes searched", lambda: api.post_conversations_customattributes_search({}), lambda answer: answer.total == 0)


def media(audit, client, calls, recordings):
    api, first, one = sdk.RecordingApi(client), calls[0]["conversation"], recordings[0]
    audit("recordings, 202 while transcoded", lambda: api.get_conversation_recordings(first, format_id="WEBM", max_wait_ms=1), lambda answer: not answer)
    for form in ("WEBM", "WAV", "WAV_ULAW", "MP3", "OGG_VORBIS", "OGG_OPUS"):
        audit.until("recordings as " + form, lambda: api.get_conversation_recordings(first, format_id=form), lambda answer: answer and answer[0].media_uris["0"].media_uri and answer[0].output_duration_ms == 2000 and answer[0].output_size_in_bytes > 0)
    held = api.get_conversation_recordings(first, format_id="WAV")
    audit("recordings as NONE", lambda: api.get_conversation_recordings(first, format_id="NONE"), lambda answer: answer[0].media_uris is None)
    audit("playback", lambda: fetch(held[0].media_uris["0"].media_uri), lambda audio: audio[:4] == b"RIFF")
    for form, beginning in (("WEBM", b"\x1a\x45\xdf\xa3"), ("OGG_OPUS", b"OggS"), ("OGG_VORBIS", b"OggS")):
        held = api.get_conversation_recordings(first, format_id=form)
        audit("playback as " + form, lambda: fetch(held[0].media_uris["0"].media_uri), lambda audio: audio[:4] == beginning)
    audit("one recording", lambda: api.get_conversation_recording(first, one, format_id="NONE"), lambda answer: answer.id == one and answer.annotations[0].duration_ms == 250)
    audit("recordingmetadata", lambda: api.get_conversation_recordingmetadata(first), lambda answer: [found.id for found in answer] == [one])
    audit("recordingmetadata of one", lambda: api.get_conversation_recordingmetadata_recording_id(first, one), lambda answer: answer.file_state == "AVAILABLE")
    audit("annotations", lambda: api.get_conversation_recording_annotations(first, one), lambda answer: [found.duration_ms for found in answer] == [250])
    asked = {"batchDownloadRequestList": [{"conversationId": names["conversation"]} for names in calls[:2]]}
    batch = audit("batch request", lambda: api.post_recording_batchrequests(asked), lambda answer: answer.id)
    done = audit.until("batch request, completed", lambda: api.get_recording_batchrequest(batch.id), lambda answer: answer.result_count == 2)
    urls = {result.conversation_id: result.result_url for result in done.results}
    for n in (0, 1):
        audit("original bytes of recording %d" % n, lambda: fetch(urls[calls[n]["conversation"]]), lambda audio: audio == tone(300 + 100 * n))


def orphans(audit, client, calls, recordings):
    api, call = sdk.RecordingApi(client), calls[2]
    found = audit.until("orphans", api.get_orphanrecordings, lambda page: page.total == 1)
    orphan = found.entities[0].id
    audit("one orphan", lambda: api.get_orphanrecording(orphan), lambda answer: answer.source_orphaning_id == call["tag"] + "-1")
    heard = audit.until("an orphan's media", lambda: api.get_orphanrecording_media(orphan, format_id="WAV"), lambda answer: answer and answer.media_uris and answer.media_uris["0"].media_uri)
    audit("an orphan played", lambda: fetch(heard.media_uris["0"].media_uri), lambda audio: audio[:4] == b"RIFF")
    audit("an orphan stays without the permission", lambda: api.delete_orphanrecording(orphan), refused=(403, "missing.permissions"))
    audit("an orphan's conversation must be known", lambda: api.put_orphanrecording(orphan, body={"conversationId": call["conversation"]}), refused=(400, "recording.orphan.unknown.conversation"))
    audit("events of the orphan's call", lambda: sdk.EventsApi(client).post_events_conversations(call_events(call)), lambda answer: answer.errors == [])
    audit("orphan attached", lambda: api.put_orphanrecording(orphan, body={"conversationId": call["conversation"]}), lambda answer: answer.id == recordings[2])
    audit("no orphans", api.get_orphanrecordings, lambda page: page.total == 0)
    audit("the attached recording", lambda: api.get_conversation_recordingmetadata(call["conversation"]), lambda answer: len(answer) == 1)


def dated(date):
    """A Recording with a deletion date."""
    recording = sdk.Recording()
    recording.delete_date = date
    return recording


def retention(audit, client, calls, recordings):
    api, first = sdk.RecordingApi(client), calls[0]["conversation"]
    audit("retention date", lambda: api.put_conversation_recording(first, recordings[0], dated(DELETE_DATE)), lambda answer: answer.delete_date == DELETE_DATE)
    read = api.get_conversation_recording(first, recordings[0], format_id="NONE")
    audit("a recording sent back as it was read", lambda: api.put_conversation_recording(first, recordings[0], read), lambda answer: answer.delete_date == DELETE_DATE)
    naive = dated(AHEAD.replace(tzinfo=None))
    audit("a date without an offset", lambda: api.put_conversation_recording(first, recordings[0], naive), refused=(400, "invalid.date"))
    audit("retention date, read", lambda: api.get_conversation_recordingmetadata(first), lambda answer: answer[0].delete_date == DELETE_DATE)
    page = audit("retention query, page 1", lambda: api.get_recordings_retention_query(0, page_size=2), lambda answer: len(answer.entities) == 2 and answer.next_uri)
    cursor = page.next_uri.split("cursor=")[1]
    audit("retention query, page 2", lambda: api.get_recordings_retention_query(0, page_size=2, cursor=cursor), lambda answer: len(answer.entities) == 1 and not answer.next_uri)
    ids = {"conversationIds": [names["conversation"] for names in calls]}
    audit("protected, none", lambda: api.post_recordings_deletionprotection(ids), lambda answer: answer == [])
    audit("protect", lambda: api.put_recordings_deletionprotection(protect=True, body={"conversationIds": [first]}))
    audit("protected, one", lambda: api.post_recordings_deletionprotection(ids), lambda answer: [held.id for held in answer] == [first])
    audit("release", lambda: api.put_recordings_deletionprotection(protect=False, body={"conversationIds": [first]}))
    audit("protected, none again", lambda: api.post_recordings_deletionprotection(ids), lambda answer: answer == [])
    asked = sdk.RecordingJobsQuery()
    asked.action, asked.action_date = "DELETE", AHEAD.astimezone(datetime.timezone(datetime.timedelta(hours=1)))
    asked.conversation_query = {"interval": INTERVAL.replace("00:00.000Z", "00:00+00:00")}
    job = audit("recording job", lambda: api.post_recording_jobs(asked), lambda answer: answer.state == "PENDING")
    audit.until("recording job, ready", lambda: api.get_recording_job(job.id), lambda answer: answer.state == "READY" and answer.total_recordings == 3)
    audit("recording job, executed", lambda: api.put_recording_job(job.id, {"state": "PROCESSING"}), lambda answer: answer.id == job.id)
    audit.until("recording job, fulfilled", lambda: api.get_recording_job(job.id), lambda answer: answer.state == "FULFILLED" and answer.total_processed_recordings == 3)
    audit("recording jobs", api.get_recording_jobs, lambda page: page.total == 1)
    audit("failed recordings", lambda: api.get_recording_job_failedrecordings(job.id), lambda page: page.total == 0 and page.entities == [])
    audit("recording job, deleted", lambda: api.delete_recording_job(job.id))
    audit("recording jobs, none", api.get_recording_jobs, lambda page: page.total == 0)
    export = {"action": "EXPORT", "actionDate": AHEAD.strftime("%Y-%m-%dT%H:%M:%S.000Z"), "integrationId": v4(), "conversationQuery": {"interval": INTERVAL}}
    audit("an export without an integration", lambda: api.post_recording_jobs(export), refused=(400, "bad.request"))


def policies(audit, client, calls, recordings):
    api = sdk.RecordingApi(client)
    call = {"conditions": {"forQueues": [{"id": calls[0]["queueId"]}], "directions": ["INBOUND"]}, "actions": {"retainRecording": True, "retentionDuration": {"deleteRetention": {"days": 2557}}}}
    sent = {"name": "Seven years", "order": 1, "enabled": True, "mediaPolicies": {"callPolicy": call}}
    families = (
        ("policy", api.post_recording_mediaretentionpolicies, api.get_recording_mediaretentionpolicy, api.get_recording_mediaretentionpolicies,
         api.put_recording_mediaretentionpolicy, api.patch_recording_mediaretentionpolicy, api.delete_recording_mediaretentionpolicy,
         api.delete_recording_mediaretentionpolicies),
        ("cross-platform policy", api.post_recording_crossplatform_mediaretentionpolicies, api.get_recording_crossplatform_mediaretentionpolicy, api.get_recording_crossplatform_mediaretentionpolicies,
         api.put_recording_crossplatform_mediaretentionpolicy, api.patch_recording_crossplatform_mediaretentionpolicy, api.delete_recording_crossplatform_mediaretentionpolicy,
         api.delete_recording_crossplatform_mediaretentionpolicies),
    )
    for what, create, show, every, replace, switch, delete, delete_many in families:
        made = audit(what, lambda: create(sent), lambda answer: answer.name == "Seven years")
        audit(what + ", read", lambda: show(made.id), lambda answer: answer.media_policies.call_policy.actions.retention_duration.delete_retention.days == 2557)
        audit(what + ", listed", every, lambda page: [one.id for one in page.entities] == [made.id])
        read = show(made.id)
        read.name = "Eight years"
        audit(what + ", sent back as it was read", lambda: replace(made.id, read), lambda answer: answer.name == "Eight years" and answer.media_policies.call_policy.actions.retain_recording)
        audit(what + ", switched off", lambda: switch(made.id, {"enabled": False}), lambda answer: answer.enabled is False and answer.name == "Eight years")
        others = [create(dict(sent, name="Other %d" % n)).id for n in range(2)]
        audit(what + ", many deleted", lambda: delete_many(",".join(others)))
        audit(what + ", many deleted, listed", every, lambda page: [one.id for one in page.entities] == [made.id])
        audit(what + ", deleted", lambda: delete(made.id))
        audit(what + ", gone", lambda: show(made.id), refused=(404, "not.found"))


def external_ids(audit, client, calls, recordings):
    api, user = sdk.UsersApi(client), calls[0]["firstUser"]
    sent = {"authorityName": "legacy", "externalKey": "AGT-1"}
    audit("external id", lambda: api.post_user_externalid(user, sent), lambda answer: answer[0].external_key == "AGT-1")
    audit("external id twice", lambda: api.post_user_externalid(user, sent), refused=(409, "general.resource.conflict"))
    audit("external ids of a user", lambda: api.get_user_externalid(user), lambda answer: len(answer) == 1)
    audit("user of an external id", lambda: api.get_users_externalid_authority_name_external_key("legacy", "AGT-1"), lambda answer: answer.id == user)
    audit("external id of an authority", lambda: api.get_user_externalid_authority_name(user, "legacy"), lambda answer: answer.external_key == "AGT-1")
    audit("external id deleted", lambda: api.delete_user_externalid_authority_name_external_key(user, "legacy", "AGT-1"))
    audit("external id, gone", lambda: api.get_user_externalid_authority_name(user, "legacy"), refused=(404, "general.resource.not.found"))


def audits(audit, client, calls, recordings):
    api = sdk.AuditApi(client)
    asked = {"interval": "2000-01-01T00:00:00.000Z/2100-01-01T00:00:00.000Z", "filters": [{"property": "EntityId", "value": recordings[0]}]}
    query = audit("audit query", lambda: api.post_audits_query(asked), lambda answer: answer.id and answer.state == "Queued")
    audit.until("audit query, succeeded", lambda: api.get_audits_query_transaction_id(query.id), lambda answer: answer.state == "Succeeded")
    changed = lambda answer: [(one.entity_type, one.property_changes[0].pcProperty) for one in answer.entities if one.property_changes] == [("Recording", "deleteDate")]
    audit("audit results", lambda: api.get_audits_query_transaction_id_results(query.id), changed)


def analytics(audit, client, calls, recordings):
    api = sdk.ConversationsApi(client)
    page = lambda number: {"interval": INTERVAL, "order": "asc", "orderBy": "conversationStart", "paging": {"pageSize": 2, "pageNumber": number}}
    audit("details query, page 1", lambda: api.post_analytics_conversations_details_query(page(1)), lambda answer: answer.total_hits == 3 and len(answer.conversations) == 2)
    audit("details query, page 2", lambda: api.post_analytics_conversations_details_query(page(2)), lambda answer: [one.conversation_id for one in answer.conversations] == [calls[2]["conversation"]])
    predicate = {"type": "dimension", "dimension": "externalTag", "operator": "matches", "value": calls[1]["tag"]}
    tagged = {"interval": INTERVAL, "conversationFilters": [{"type": "and", "predicates": [predicate]}]}
    audit("details query by tag", lambda: api.post_analytics_conversations_details_query(tagged), lambda answer: [one.conversation_id for one in answer.conversations] == [calls[1]["conversation"]])
    queue = {"type": "dimension", "dimension": "queueId", "operator": "matches", "value": calls[0]["queueId"]}
    of_queue = {"interval": INTERVAL, "segmentFilters": [{"type": "and", "predicates": [queue]}]}
    audit("details query by queue", lambda: api.post_analytics_conversations_details_query(of_queue), lambda answer: answer.total_hits == 3)
    audit("maximum retention", sdk.AnalyticsApi(client).get_analytics_dataretention_settings, lambda answer: answer.retention_days is None)
    audit("details jobs, availability", api.get_analytics_conversations_details_jobs_availability, lambda answer: answer.data_availability_date)
    job = audit("details job", lambda: api.post_analytics_conversations_details_jobs({"interval": INTERVAL}), lambda answer: answer.job_id)
    audit.until("details job, fulfilled", lambda: api.get_analytics_conversations_details_job(job.job_id), lambda answer: answer.state == "FULFILLED")
    first = audit("details results", lambda: api.get_analytics_conversations_details_job_results(job.job_id, page_size=2), lambda answer: len(answer.conversations) == 2 and answer.cursor)
    audit("details results by cursor", lambda: api.get_analytics_conversations_details_job_results(job.job_id, page_size=2, cursor=first.cursor), lambda answer: len(answer.conversations) == 1 and not answer.cursor)
    audit("details results carry attributes", lambda: api.get_analytics_conversations_details_job_results(job.job_id), lambda answer: any(one.attributes for held in answer.conversations for one in held.participants))
    audit("details job, deleted", lambda: api.delete_analytics_conversations_details_job(job.job_id))
    audit("details job, gone", lambda: api.get_analytics_conversations_details_job(job.job_id), refused=(404, "not.found"))
    ids = [names["conversation"] for names in calls]
    audit("details of one", lambda: api.get_analytics_conversation_details(ids[0]), lambda answer: answer.conversation_id == ids[0])
    audit("details of many", lambda: api.get_analytics_conversations_details(id=ids[:2]), lambda answer: [one.conversation_id for one in answer.conversations] == ids[:2])


def directory(audit, client, calls, recordings):
    """What a target lacks is made, found again, and good in a call."""
    users, routing, authorization = sdk.UsersApi(client), sdk.RoutingApi(client), sdk.AuthorizationApi(client)
    division = audit("division made", lambda: authorization.post_authorization_divisions({"name": "Migrated", "description": "from elsewhere"}), lambda answer: answer.name == "Migrated" and not answer.home_division)
    asked = sdk.CreateUser()
    asked.name, asked.email, asked.division_id, asked.state = "Mary Moved", "mary.moved@example.com", division.id, "active"
    user = audit("user made", lambda: users.post_users(asked), lambda answer: answer.state == "active" and answer.division.id == division.id)
    audit("the same user again", lambda: users.post_users(asked), refused=(409, "general.conflict"))
    change = sdk.UpdateUser()
    change.version, change.title = user.version, "Agent"
    audit("user changed", lambda: users.patch_user(user.id, change), lambda answer: answer.title == "Agent" and answer.version == user.version + 1)
    audit("user changed from an old version", lambda: users.patch_user(user.id, change), refused=(400, "general.conflict"))
    audit("queues of a user", lambda: users.get_user_queues(user.id), lambda page: page.total == 0)
    audit("skills of a user", lambda: users.get_user_routingskills(user.id), lambda page: page.total == 0)
    queue = audit("queue made", lambda: routing.post_routing_queues({"name": "Migrated", "division": {"id": division.id}, "peerId": "Q-7"}), lambda answer: answer.peer_id == "Q-7" and answer.member_count == 0)
    audit("the same queue again", lambda: routing.post_routing_queues({"name": "Migrated"}), refused=(400, "duplicate.name"))
    audit("queue changed", lambda: routing.put_routing_queue(queue.id, {"name": "Migrated calls", "peerId": "Q-7"}), lambda answer: answer.name == "Migrated calls" and answer.division.id == division.id)
    audit("queue by its peer", lambda: routing.get_routing_queues(peer_id=["Q-7"]), lambda page: [one.id for one in page.entities] == [queue.id])
    audit("members of a queue", lambda: routing.get_routing_queue_members(queue.id), lambda page: page.entities == [])
    code = audit("wrap-up code made", lambda: routing.post_routing_wrapupcodes({"name": "Migrated"}), lambda answer: answer.name == "Migrated" and answer.division.id != division.id)
    audit("skill made", lambda: routing.post_routing_skills({"name": "Migrated"}), lambda answer: answer.state == "active")
    audit("languages", routing.get_routing_languages, lambda page: page.total == 0)
    names = dict(calls[0], conversation=v4(), tag="st:sdk:made", hour=20, queueId=queue.id, firstUser=user.id, wrapup=code.id, **{leg: v4() for leg in ("customer", "queue", "first", "second", "command")})
    audit("events of a call that names them", lambda: sdk.EventsApi(client).post_events_conversations(call_events(names)), lambda answer: answer.errors == [])
    audit("their call", lambda: sdk.ConversationsApi(client).get_conversation(names["conversation"]), lambda held: user.id in [one.user_id for one in held.participants])
    asked = sdk.ConversationAggregationQuery()
    asked.interval, asked.granularity, asked.group_by, asked.metrics = INTERVAL, "P1D", ["queueId"], ["nConversations", "tTalk"]
    counted = lambda answer: {one.group["queueId"]: one.data[0].metrics[0].stats.count for one in answer.results} == {calls[0]["queueId"]: 3, queue.id: 1}
    audit("aggregates by queue and day", lambda: sdk.ConversationsApi(client).post_analytics_conversations_aggregates_query(asked), counted)
    audit("user deleted", lambda: users.delete_user(user.id))
    audit("user deleted, read", lambda: users.get_user(user.id), lambda answer: answer.state == "deleted")


def annotations(audit, client, calls, recordings):
    api, call, recording = sdk.RecordingApi(client), calls[0]["conversation"], recordings[0]
    bookmark = sdk.Annotation()
    bookmark.type, bookmark.location, bookmark.description = "bookmark", 700, "Here it begins"
    made = audit("annotation made", lambda: api.post_conversation_recording_annotations(call, recording, bookmark), lambda answer: answer.id and answer.location == 700)
    audit("annotations, two", lambda: api.get_conversation_recording_annotations(call, recording), lambda answer: [one.type for one in answer] == ["pause", "bookmark"])
    read = audit("annotation alone", lambda: api.get_conversation_recording_annotation(call, recording, made.id), lambda answer: answer.description == "Here it begins")
    read.description = "Here it really begins"
    audit("annotation sent back", lambda: api.put_conversation_recording_annotation(call, recording, made.id, read), lambda answer: answer.description == "Here it really begins" and answer.location == 700)
    audit("annotation deleted", lambda: api.delete_conversation_recording_annotation(call, recording, made.id))
    audit("annotation, gone", lambda: api.get_conversation_recording_annotation(call, recording, made.id), refused=(404, "recording.annotation.not.found"))


def refusals(audit, client, calls, recordings):
    api, recording, events = sdk.ConversationsApi(client), sdk.RecordingApi(client), sdk.EventsApi(client)
    audit("an unknown conversation", lambda: api.get_conversation(v4()), refused=(404, "conversation.not.found"))
    audit("an unknown recording", lambda: recording.get_conversation_recording(calls[0]["conversation"], v4()), refused=(404, "not.found"))
    audit("an unknown job", lambda: recording.get_recording_job(v4()), refused=(404, "not.found"))
    audit("an interval that is none", lambda: api.post_analytics_conversations_details_query({"interval": "yesterday"}), refused=(400, "invalid.date"))
    audit("no event", lambda: events.post_events_conversations({"holdUpdatedEvents": []}), refused=(400, "zero.events.submitted"))
    hold = call_events(calls[0])["holdUpdatedEvents"][0]
    many = {"holdUpdatedEvents": [dict(hold, eventId=v4()) for _ in range(101)]}
    audit("101 events", lambda: events.post_events_conversations(many), refused=(400, "max.batch.size.surpassed"))
    large = {"communicationDispositionAppliedEvents": [{"notes": "x" * 600_000}]}
    audit("a body over the limit", lambda: events.post_events_conversations(large), refused=(413, "request.entity.too.large"))
    audit("a file name with a space", lambda: sdk.UploadsApi(client).post_uploads_recordings({"fileName": "a b.zip"}), refused=(400, "invalid.value"))
    audit("101 recordings in a batch", lambda: recording.post_recording_batchrequests({"batchDownloadRequestList": [{"conversationId": v4()} for _ in range(101)]}), refused=(400, "batch.download.too.many.items"))
    leaver = sdk.api_client.ApiClient()
    leaver.get_client_credentials_token(calls[0]["client_id"], calls[0]["client_secret"])
    audit.watch(leaver)
    audit("a token deleted", lambda: sdk.TokensApi(leaver).delete_tokens_me())
    audit("a deleted token", lambda: sdk.UsersApi(leaver).get_users(), refused=(401, "bad.credentials"))
    stranger = sdk.api_client.ApiClient()
    audit.watch(stranger)
    stranger.access_token = "nobody"
    audit("a token nobody gave out", lambda: sdk.UsersApi(stranger).get_users(), refused=(401, "bad.credentials"))


def wrong_secret(secrets):
    """Status and error of the login, which has another envelope than the API."""
    try:
        sdk.api_client.ApiClient().get_client_credentials_token(secrets["client_id"], "wrong")
    except ApiException as error:
        return error.status, json.loads(error.body)["error"]
    return None


if __name__ == "__main__":
    main()
