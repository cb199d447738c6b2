#!/usr/bin/env node
// A migration and an audit by the vendor's JavaScript SDK, with no change but the host: audit.py's twin, with its options and its output.
// What the two ask for differs where the SDKs do: this one does not wait out a 429, and its organisation lacks
// recording:crossPlatformRetentionPolicy:add instead of recording:orphan:delete.

import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync, appendFileSync } from 'node:fs';
import { isDeepStrictEqual as same, parseArgs } from 'node:util';
import sdk from 'purecloud-platform-client-v2';

const INTERVAL = '2023-10-27T00:00:00.000Z/2023-10-28T00:00:00.000Z';
const { values: options } = parseArgs({ options: { addresses: { type: 'string' }, answers: { type: 'string' } } });

const client = sdk.ApiClient.instance;
client.setReturnExtendedResponses(true);
let operations = 0;
let failed = 0;
let asked = null;

// Notes the path of each call, which only the SDK knows as its description has it.
const callApi = client.callApi.bind(client);
client.callApi = (path, method, ...rest) => {
  asked = { method, path };
  return callApi(path, method, ...rest);
};

function keep(name, status, body) {
  if (asked) appendFileSync(options.answers, `${JSON.stringify({ operation: name, ...asked, status, body: body ? JSON.stringify(body) : '' })}\n`);
}

function fail(name, why) {
  failed += 1;
  console.log(JSON.stringify({ operation: name, why }));
}

// One operation: its answer, which must hold, or the [status, code] it must be refused with.
async function audit(name, call, holds = () => true, refused = null) {
  operations += 1;
  asked = null;
  try {
    const answer = await call();
    const body = answer?.body ?? answer;
    if (asked) keep(name, answer.status, body);
    if (refused) fail(name, 'not refused');
    else if (!holds(body, answer)) fail(name, `the answer does not hold: ${JSON.stringify(body)?.slice(0, 600)}`);
    return body;
  } catch (error) {
    const body = error.body ?? error;
    if (body.status) keep(name, body.status, body);
    if (!refused || !same([body.status, body.code], refused)) fail(name, `refused: ${error.stack ?? JSON.stringify(body)}`);
    return null;
  }
}

const refuses = (name, status, code, call) => audit(name, call, undefined, [status, code]);

// One operation repeated until its answer holds.
const until = (name, call, holds) => audit(name, async () => {
  for (let tries = 0; ; tries += 1) {
    const answer = await call();
    if (holds(answer.body) || tries > 200) return answer;
    await new Promise((done) => setTimeout(done, 100));
  }
}, holds);

// The events of tests/sdk/call.json with names put in, as a batch.
function callEvents(names) {
  let text = readFileSync(new URL('call.json', import.meta.url), 'utf8');
  for (const [name, value] of Object.entries(names)) text = text.replaceAll(`"@${name}"`, JSON.stringify(value));
  const batch = JSON.parse(text);
  const two = (number) => String(number).padStart(2, '0');
  for (const event of Object.values(batch).flat()) {
    Object.assign(event, { eventId: randomUUID(), conversationId: names.conversation });
    event.eventDateTime = `2023-10-27T${two(names.hour)}:${two(Math.floor(event.second / 60))}:${two(event.second % 60)}.000Z`;
    delete event.second;
  }
  return batch;
}

// Two seconds of telephone audio: a WAV header and 16-bit samples.
function tone(hertz) {
  const file = Buffer.alloc(44 + 32000);
  file.write('RIFF', 0);
  file.writeUInt32LE(36 + 32000, 4);
  file.write('WAVEfmt ', 8);
  for (const [at, value] of [[16, 16], [24, 8000], [28, 16000]]) file.writeUInt32LE(value, at);
  for (const [at, value] of [[20, 1], [22, 1], [32, 2], [34, 16]]) file.writeUInt16LE(value, at);
  file.write('data', 36);
  file.writeUInt32LE(32000, 40);
  for (let n = 0; n < 16000; n += 1) file.writeInt16LE(Math.trunc(9000 * Math.sin((2 * Math.PI * hertz * n) / 8000)), 44 + 2 * n);
  return file;
}

function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

// A ZIP without compression: Node brings no writer of ZIPs. Source: APPNOTE.TXT, sections 4.3.7, 4.3.12, 4.3.16.
function zip(files) {
  const locals = [];
  const central = [];
  let offset = 0;
  for (const [name, bytes] of files) {
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x21, 8); // 1 January 1980
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(bytes.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), bytes]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    central.push(Buffer.from('PK\x01\x02\x14\x00'), common, rest, Buffer.from(name));
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06');
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, directory, end]);
}

// The ZIP of an upload: metadata.json and the audio.
function pack(names, audio, folder = '') {
  const metadata = {
    version: 1, conversationId: names.conversation, communicationId: names.first, recordingId: names.recording,
    originatingRecordingId: `${names.tag}-1`, startTime: `2023-10-27T${names.hour}:00:12.000Z`,
    endTime: `2023-10-27T${names.hour}:00:14.000Z`, fileName: `${folder}audio.wav`, mediaType: 'audio/wav',
    annotations: [{ type: 'pause', reason: 'SecurePause', location: 500, durationMs: 250 }],
  };
  return zip([[`${folder}metadata.json`, Buffer.from(JSON.stringify(metadata))], [`${folder}audio.wav`, audio]]);
}

const bytesOf = async (url) => Buffer.from(await (await fetch(url)).arrayBuffer());
const conversationIds = (calls) => ({ conversationIds: calls.map((one) => one.conversation) });

async function lists() {
  const [users, routing, limits] = [new sdk.UsersApi(), new sdk.RoutingApi(), new sdk.OrganizationApi()];
  await audit('tokens/me', () => new sdk.TokensApi().getTokensMe(), (me) => me.OAuthClient && me.organization.id);
  const first = await audit('users, page 1', () => users.getUsers({ pageSize: 5 }), (page) => page.entities.length === 5 && page.total > 5);
  await audit('users, page 2', () => users.getUsers({ pageSize: 5, pageNumber: 2 }), (page) => page.entities[0].id !== first.entities[0].id);
  await audit('users of any state', () => users.getUsers({ pageSize: 100, state: 'any' }), (page) => page.total >= first.total);
  const queues = await audit('queues, page 1', () => routing.getRoutingQueues({ pageSize: 2 }), (page) => page.entities.length === 2 && page.nextUri);
  await audit('queues, page 2', () => routing.getRoutingQueues({ pageSize: 2, pageNumber: 2 }), (page) => page.entities[0].id !== queues.entities[0].id);
  await refuses('wrap-up codes, a 429', 429, 'too.many.requests.retry.after', () => routing.getRoutingWrapupcodes());
  const codes = await audit('wrap-up codes', () => routing.getRoutingWrapupcodes({ pageSize: 3 }), (page) => page.entities.length > 0);
  await audit('skills', () => routing.getRoutingSkills({ pageSize: 100 }), (page) => Array.isArray(page.entities));
  await audit('limit namespaces', () => limits.getOrganizationsLimitsNamespaces(), (page) => page.entities.includes('recording'));
  await audit('limits of recording', () => limits.getOrganizationsLimitsNamespace('recording'), (page) => page.entities.every((limit) => limit.value > 0));
  return { queueId: queues.entities[0].id, firstUser: first.entities[0].id, secondUser: first.entities[1].id, wrapup: codes.entities[0].id };
}

async function ingest(calls) {
  const [events, recording] = [new sdk.EventsApi(), new sdk.RecordingApi()];
  for (const n of [0, 1]) {
    await audit(`events of call ${n}`, () => events.postEventsConversations(callEvents(calls[n])), (answer) => same(answer.errors, []));
  }
  const lone = { holdUpdatedEvents: callEvents(calls[2]).holdUpdatedEvents };
  await audit('events before their conversation: errors inside a 200', () => events.postEventsConversations(lone), (answer) => answer.errors.length === 2 && answer.errors[0].retryable);
  for (const [n, names] of calls.entries()) await upload(`recording ${n}`, pack(names, tone(300 + 100 * n)));
  await upload('a ZIP with a folder inside', pack({ ...calls[0], recording: randomUUID() }, tone(440), 'folder/'));
  const report = await audit('report', () => recording.postRecordingUploadsReports({ dateSince: '2020-01-01T00:00:00.000Z' }), (answer) => answer.state === 'InProgress');
  const done = await until('report, completed', () => recording.getRecordingUploadsReport(report.id), (answer) => answer.state === 'Completed');
  await audit('report, downloaded', () => bytesOf(done.signedUrl), (csv) => ['Success', 'Failure', 'WaitForConversation'].every((word) => csv.includes(word)));
}

async function upload(what, body) {
  const contentMd5 = createHash('md5').update(body).digest('base64');
  const announce = { fileName: `${randomUUID()}.zip`, contentMd5, contentType: 'application/zip' };
  const place = await audit(`announce ${what}`, () => new sdk.UploadsApi().postUploadsRecordings(announce), (answer) => answer.url && answer.uploadKey);
  await audit(`PUT ${what}`, async () => (await fetch(place.url, { method: 'PUT', headers: place.headers, body })).status, (status) => status === 200);
}

async function conversations(calls) {
  const api = new sdk.ConversationsApi();
  const first = calls[0].conversation;
  const whole = await audit('conversation', () => api.getConversation(first), (held) => same(held.participants.map((one) => one.purpose), ['customer', 'acd', 'agent', 'agent']));
  await audit('attributes', () => api.patchConversationParticipantAttributes(first, whole.participants[0].id, { attributes: { 'legacy.id': '100001' } }));
  await audit('attributes, read', () => api.getConversation(first), (held) => held.participants[0].attributes['legacy.id'] === '100001');
  await audit('tags', () => api.putConversationTags(first, { externalTag: 'st:sdk:changed' }));
  await audit('tags, read', () => api.getConversation(first), (held) => held.externalTag === 'st:sdk:changed');
}

async function media(calls) {
  const api = new sdk.RecordingApi();
  const first = calls[0].conversation;
  await audit('recordings, 202 while transcoded', () => api.getConversationRecordings(first, { formatId: 'WEBM', maxWaitMs: 1 }), (body, answer) => answer.status === 202);
  let held = null;
  for (const formatId of ['WEBM', 'WAV', 'WAV_ULAW', 'MP3', 'OGG_VORBIS', 'OGG_OPUS']) {
    const found = await until(`recordings as ${formatId}`, () => api.getConversationRecordings(first, { formatId }), (answer) => answer?.[0]?.mediaUris?.['0'].mediaUri);
    if (formatId === 'MP3') held = found;
  }
  await audit('recordings as NONE', () => api.getConversationRecordings(first, { formatId: 'NONE' }), (answer) => answer[0].mediaUris === undefined);
  await audit('playback', () => bytesOf(held[0].mediaUris['0'].mediaUri), (mp3) => mp3.length > 1000 && !mp3.subarray(0, 4).equals(Buffer.from('RIFF')));
  await audit('one recording', () => api.getConversationRecording(first, calls[0].recording, { formatId: 'NONE' }), (answer) => answer.annotations[0].durationMs === 250);
  await audit('recordingmetadata', () => api.getConversationRecordingmetadata(first), (answer) => answer.length === 1);
  await audit('recordingmetadata of one', () => api.getConversationRecordingmetadataRecordingId(first, calls[0].recording), (answer) => answer.fileState === 'AVAILABLE');
  const wanted = { batchDownloadRequestList: calls.slice(0, 2).map((one) => ({ conversationId: one.conversation, recordingId: one.recording })) };
  const batch = await audit('batch request', () => api.postRecordingBatchrequests(wanted), (answer) => answer.id);
  const done = await until('batch request, completed', () => api.getRecordingBatchrequest(batch.id), (answer) => answer.resultCount === 2);
  for (const n of [0, 1]) {
    const result = done.results.find((one) => one.recordingId === calls[n].recording);
    await audit(`original bytes of recording ${n}`, () => bytesOf(result.resultUrl), (bytes) => bytes.equals(tone(300 + 100 * n)));
  }
}

async function orphans(calls) {
  const api = new sdk.RecordingApi();
  const found = await until('orphans', () => api.getOrphanrecordings(), (page) => page.total === 1);
  const orphan = found.entities[0].id;
  await audit('one orphan', () => api.getOrphanrecording(orphan), (answer) => answer.sourceOrphaningId === `${calls[2].tag}-1`);
  const body = { conversationId: calls[1].conversation };
  await refuses("an orphan's new date is too near", 400, 'recording.orphan.retention.data.invalid', () => api.putOrphanrecording(orphan, { body: { ...body, deleteDate: '2020-01-01T00:00:00.000Z' } }));
  await audit('orphan attached elsewhere', () => api.putOrphanrecording(orphan, { body }), (answer) => answer.conversationId === body.conversationId);
  await refuses('an orphan no more', 404, 'not.found', () => api.deleteOrphanrecording(orphan));
  await audit('the attached recording', () => api.getConversationRecordingmetadata(body.conversationId), (answer) => answer.length === 2);
}

async function retention(calls) {
  const api = new sdk.RecordingApi();
  const { conversation: first, recording } = calls[0];
  const deleteDate = new Date(Date.now() + 4 * 365 * 86_400_000).toISOString();
  await audit('retention date', () => api.putConversationRecording(first, recording, { deleteDate }), (answer) => answer.deleteDate === deleteDate);
  const page = await audit('retention query, page 1', () => api.getRecordingsRetentionQuery(0, { pageSize: 2 }), (answer) => answer.entities.length === 2);
  const cursor = page.nextUri.split('cursor=')[1];
  await audit('retention query, page 2', () => api.getRecordingsRetentionQuery(0, { pageSize: 2, cursor }), (answer) => answer.entities.length === 1 && !answer.nextUri);
  await audit('protect', () => api.putRecordingsDeletionprotection({ protect: true, body: { conversationIds: [first] } }));
  await audit('protected', () => api.postRecordingsDeletionprotection(conversationIds(calls)), (answer) => same(answer.map((one) => one.id), [first]));
  await audit('release', () => api.putRecordingsDeletionprotection({ protect: false, body: { conversationIds: [first] } }));
  await audit('protected no more', () => api.postRecordingsDeletionprotection(conversationIds(calls)), (answer) => same(answer, []));
  const query = { action: 'ARCHIVE', actionAge: 400, conversationQuery: { interval: INTERVAL } };
  const job = await audit('recording job', () => api.postRecordingJobs(query), (answer) => answer.state === 'PENDING');
  await until('recording job, ready', () => api.getRecordingJob(job.id), (answer) => answer.state === 'READY');
  await audit('recording job, executed', () => api.putRecordingJob(job.id, { state: 'PROCESSING' }), (answer) => answer.id === job.id);
  await until('recording job, fulfilled', () => api.getRecordingJob(job.id), (answer) => answer.state === 'FULFILLED' && answer.totalProcessedRecordings === 3);
  await audit('retention query, archived', () => api.getRecordingsRetentionQuery(0), (answer) => answer.entities.every((one) => one.archiveMedium === 'CLOUDARCHIVE'));
}

async function policies(calls) {
  const api = new sdk.RecordingApi();
  const callPolicy = { conditions: { forUsers: [{ id: calls[0].firstUser, version: 1 }] }, actions: { retainRecording: true, retentionDuration: { deleteRetention: { days: 2557 } } } };
  const policy = { name: 'Seven years', order: 1, enabled: true, mediaPolicies: { callPolicy } };
  const made = await audit('policy', () => api.postRecordingMediaretentionpolicies(policy), (answer) => answer.id);
  await audit('policies', () => api.getRecordingMediaretentionpolicies(), (page) => page.entities[0].id === made.id);
  await refuses('a cross-platform policy without the permission', 403, 'missing.permissions', () => api.postRecordingCrossplatformMediaretentionpolicies(policy));
  await audit('cross-platform policies', () => api.getRecordingCrossplatformMediaretentionpolicies(), (page) => page.total === 0);
  const [users, external] = [new sdk.UsersApi(), { authorityName: 'legacy', externalKey: 'AGT 1/ä' }];
  await audit('external id', () => users.postUserExternalid(calls[0].firstUser, external), (answer) => answer[0].externalKey === external.externalKey);
  await refuses('external id twice', 409, 'general.resource.conflict', () => users.postUserExternalid(calls[0].firstUser, external));
  await audit('user of an external id', () => users.getUsersExternalidAuthorityNameExternalKey('legacy', external.externalKey), (answer) => answer.id === calls[0].firstUser);
}

async function analytics(calls) {
  const api = new sdk.ConversationsApi();
  const paging = { pageSize: 1, pageNumber: 2 };
  await audit('details query, page 2', () => api.postAnalyticsConversationsDetailsQuery({ interval: INTERVAL, paging }), (answer) => answer.totalHits === 2 && answer.conversations[0].conversationId === calls[1].conversation);
  const job = await audit('details job', () => api.postAnalyticsConversationsDetailsJobs({ interval: INTERVAL }), (answer) => answer.jobId);
  await until('details job, fulfilled', () => api.getAnalyticsConversationsDetailsJob(job.jobId), (answer) => answer.state === 'FULFILLED');
  const results = await audit('details results', () => api.getAnalyticsConversationsDetailsJobResults(job.jobId, { pageSize: 1 }), (answer) => answer.cursor);
  await audit('details results by cursor', () => api.getAnalyticsConversationsDetailsJobResults(job.jobId, { pageSize: 1, cursor: results.cursor }), (answer) => !answer.cursor);
}

async function refusals(calls) {
  const [api, events] = [new sdk.ConversationsApi(), new sdk.EventsApi()];
  await refuses('an unknown conversation', 404, 'conversation.not.found', () => api.getConversation(randomUUID()));
  await refuses('an interval that is none', 400, 'invalid.date', () => api.postAnalyticsConversationsDetailsQuery({ interval: 'yesterday' }));
  await refuses('no event', 400, 'zero.events.submitted', () => events.postEventsConversations({ holdUpdatedEvents: [] }));
  const many = { holdUpdatedEvents: Array.from({ length: 101 }, () => ({ ...callEvents(calls[0]).holdUpdatedEvents[0], eventId: randomUUID() })) };
  await refuses('101 events', 400, 'max.batch.size.surpassed', () => events.postEventsConversations(many));
  const large = { communicationDispositionAppliedEvents: [{ notes: 'x'.repeat(600_000) }] };
  await refuses('a body over the limit', 413, 'request.entity.too.large', () => events.postEventsConversations(large));
  client.setAccessToken('nobody');
  await refuses('a token nobody gave out', 401, 'bad.credentials', () => new sdk.UsersApi().getUsers());
}

const addresses = JSON.parse(readFileSync(options.addresses, 'utf8'));
writeFileSync(options.answers, '');
const secrets = (await (await fetch(`${addresses.control}/_sim/credentials`)).json()).genesys_cloud;
const host = new URL(addresses.genesys_cloud);
client.setGateway({ host: host.hostname, protocol: 'http', port: host.port }); // the one change
await audit('token', () => client.loginClientCredentialsGrant(secrets.client_id, secrets.client_secret), (answer) => answer.accessToken);
const site = await lists();
const calls = [0, 1, 2].map((n) => ({ ...site, hour: 10 + n, tag: `st:sdk:${n}`, ...Object.fromEntries(['conversation', 'recording', 'customer', 'queue', 'first', 'second', 'command'].map((name) => [name, randomUUID()])) }));
for (const part of [ingest, conversations, media, orphans, retention, policies, analytics, refusals]) {
  // An operation failed whose answer the next one needs: the other parts go on.
  await part(calls).catch((error) => fail(part.name, String(error.stack)));
}
console.log(JSON.stringify({ operations, failed }));
process.exit(failed ? 1 : 0);
