//! A simulated site of Interaction Recording, and somebody who migrates into it: written after
//! docs/reference/gir.md, with neither migrator nor verifier, so that the page itself is tried.

use std::path::Path;
use std::sync::Arc;

use audio::Codec;
use futures_util::StreamExt;
use plan::LoadedPlan;
use platforms::Upload;
use platforms::clock::Clock;
use platforms::gir::wire::{Contact, Descriptor, Event, Mask, MediaFile, Parameters, Recording};
use platforms::gir::{RwsClient, SpeechMinerClient, WebDavClient};
use platforms::legacy::{self, wire as source};
use platforms::transport::{Network, Transport};
use platforms::{Account, Credentials};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use simulator::{Setup, Simulator};
use tempfile::TempDir;

pub(crate) const NAMESPACE: &str = "rehearsal";

/// The source, the three stores, and a plan that fits them.
pub(crate) struct Site {
    pub(crate) simulator: Simulator,
    pub(crate) dir: TempDir,
    pub(crate) rws: RwsClient,
    pub(crate) dav: WebDavClient,
    pub(crate) speechminer: SpeechMinerClient,
    source: legacy::Client,
    plan: LoadedPlan,
}

/// A call of the source, and what it becomes.
pub(crate) struct Call {
    pub(crate) entity: source::Interaction,
    pub(crate) details: Vec<source::Recording>,
    pub(crate) files: Vec<Vec<u8>>,
    pub(crate) document: Recording,
}

impl Site {
    pub(crate) async fn start(scenario: &str) -> Site {
        let setup = Setup::parse(scenario, "gir.toml").expect("a setup");
        let simulator = Simulator::start(setup, simulator::Options::default())
            .await
            .expect("simulators");
        let dir = TempDir::new().expect("a folder");
        let plan = LoadedPlan::read(&simulator.write_plan(dir.path()).expect("a plan"))
            .expect("a plan that can be read");
        let target = plan
            .plan
            .target
            .gir()
            .expect("a plan towards Interaction Recording");
        let secret = |reference: &plan::SecretRef| {
            plan.secret(reference, "test")
                .expect("a secret")
                .expose_the_secret()
                .to_owned()
        };
        let account = |username: &str, password| Account {
            username: username.to_owned(),
            password: secret(password),
        };
        let (clock, pace) = (Clock::starting_at(simulator.now_ms()), 60_000);
        let settings = platforms::gir::Settings {
            rws_url: target.rws_url.clone(),
            contact_center_id: target.contact_center_id.clone(),
            account: account(&target.username, &target.password),
            requests_per_minute: pace,
        };
        let (dav_account, speechminer_account) = (
            account(&target.webdav_username, &target.webdav_password),
            account(
                target.speechminer_username.as_deref().expect("a name"),
                target.speechminer_password.as_ref().expect("a secret"),
            ),
        );
        let source = plan.plan.source.legacy().expect("a legacy source");
        let credentials = Credentials {
            client_id: source.client_id.clone(),
            client_secret: plan
                .secret(&source.client_secret, "test")
                .expect("a secret")
                .expose_the_secret()
                .to_owned(),
        };
        let of_source = legacy::Settings {
            base_url: source.base_url.clone(),
            media_hosts: source.media_hosts.clone(),
            credentials,
            requests_per_minute: pace,
        };
        Site {
            rws: RwsClient::new(network(), clock.clone(), settings),
            dav: WebDavClient::new(
                network(),
                clock.clone(),
                target.webdav_url.clone(),
                &dav_account,
                pace,
            ),
            speechminer: SpeechMinerClient::new(
                network(),
                clock.clone(),
                target.speechminer_url.clone().expect("an address"),
                &speechminer_account,
                pace,
            ),
            source: legacy::Client::new(network(), clock, of_source).expect("a client"),
            simulator,
            dir,
            plan,
        }
    }

    /// Every call of the source with what it becomes, in the order of their ids.
    pub(crate) async fn calls(&self) -> Vec<Call> {
        let page = legacy::Page {
            cursor: None,
            size: 1000,
            from_ms: None,
            to_ms: None,
        };
        let page = self.source.interactions(&page).await.expect("interactions");
        let mut calls = Vec::new();
        for entity in page.entities {
            let entity: source::Interaction =
                serde_json::from_str(entity.get()).expect("an interaction");
            let (mut details, mut files) = (Vec::new(), Vec::new());
            for reference in &entity.recordings {
                let answer = self
                    .source
                    .recording(&reference.id)
                    .await
                    .expect("a recording");
                let recording: source::Recording =
                    serde_json::from_str(answer.body.get()).expect("a recording");
                let media = self
                    .source
                    .media(&recording.id, recording.media_url.as_deref(), u64::MAX)
                    .await
                    .expect("media");
                files.push(converted(&read(media).await, &recording));
                details.push(recording);
            }
            let document = self.document(&entity, &details, &files);
            calls.push(Call {
                entity,
                details,
                files,
                document,
            });
        }
        calls
    }

    /// Puts a call into all three stores.
    pub(crate) async fn put(&self, call: &Call) {
        self.put_files(call).await;
        self.insert(call).await;
        self.speechminer.post(&call.document).await.expect("posted");
    }

    pub(crate) async fn put_files(&self, call: &Call) {
        for (file, bytes) in call.document.media_files.iter().zip(&call.files) {
            self.put_file(file.path().expect("an address"), bytes).await;
        }
    }

    pub(crate) async fn put_file(&self, address: &str, bytes: &[u8]) {
        let url = self.dav.own(address).expect("an address of the store");
        let folders: Vec<&str> = url.path_segments().expect("a path").skip(1).collect();
        for depth in 1..folders.len() {
            let folder = self.dav.url(&folders[..depth]).expect("a folder's address");
            self.dav.make_collection(&folder).await.expect("a folder");
        }
        let bytes = bytes::Bytes::copy_from_slice(bytes);
        let length = bytes.len() as u64;
        let open: platforms::OpenFile = Arc::new(move || {
            let bytes = bytes.clone();
            Box::pin(async move { Ok(futures_util::stream::iter([Ok(bytes)]).boxed()) })
        });
        self.dav
            .put(
                &url,
                &Upload {
                    name: String::new(),
                    content_type: "audio/mpeg",
                    length,
                    open,
                },
            )
            .await
            .expect("put");
    }

    pub(crate) async fn insert(&self, call: &Call) {
        let id = &call.document.id;
        self.rws.insert(&call.document).await.expect("inserted");
        let labels = labels(call);
        for label in &labels {
            self.rws.define_label(label, "test").await.expect("defined");
        }
        self.rws.add_labels(id, &labels).await.expect("labelled");
        if call.details.iter().any(|recording| recording.legal_hold) {
            self.rws.apply_non_delete(id).await.expect("tagged");
        }
    }

    /// What an administrator would export of the three stores, into `dir`: `archive/`, `files/`,
    /// `files.csv`, `speechminer.csv`.
    pub(crate) async fn export(&self, calls: &[&Call], dir: &Path) {
        let (mut list, mut rows) = (
            "href,size\n".to_owned(),
            "externalId,callTime,callDuration,folder,filename\n".to_owned(),
        );
        for call in calls {
            let id = &call.document.id;
            if let Some(recording) = self.rws.recording(id).await.expect("read") {
                let folder = dir.join("archive/cc/tenant/day").join(id);
                std::fs::create_dir_all(&folder).expect("a folder");
                std::fs::write(
                    folder.join("recording.json"),
                    serde_json::to_vec(&recording).expect("JSON"),
                )
                .expect("written");
            }
            for _ in 0..self
                .speechminer
                .recording(id)
                .await
                .expect("read")
                .map_or(0, |posted| posted.posts)
            {
                for file in &call.document.media_files {
                    let (folder, name) = file
                        .path()
                        .expect("an address")
                        .rsplit_once('/')
                        .expect("a folder");
                    rows.push_str(&format!(
                        "{id},{},1.5,{folder},{name}\n",
                        ms(&call.entity.start_time) / 1000
                    ));
                }
            }
        }
        let mut open = vec![
            self.dav
                .url(&[&format!("st-{NAMESPACE}")])
                .expect("an address"),
        ];
        while let Some(folder) = open.pop() {
            for entry in self
                .dav
                .list(&folder)
                .await
                .expect("a listing")
                .unwrap_or_default()
            {
                let url = folder.join(&entry.path).expect("an address");
                if entry.is_collection {
                    open.push(url);
                    continue;
                }
                let steps: Vec<&str> = url.path_segments().expect("a path").skip(1).collect();
                let file = dir.join("files").join(steps.join("/"));
                std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
                std::fs::write(
                    &file,
                    read(self.dav.get(&url, u64::MAX).await.expect("a file")).await,
                )
                .expect("written");
                list.push_str(&format!("{url},{}\n", entry.length.expect("a size")));
            }
        }
        std::fs::write(dir.join("files.csv"), list).expect("written");
        std::fs::write(dir.join("speechminer.csv"), rows).expect("written");
    }

    /// What verifying says, with options of the caller's.
    pub(crate) async fn verify(&self, options: verifier::Options) -> verifier::Report {
        self.try_verify(options).await.expect("a report")
    }

    /// The same where there may be no verdict.
    pub(crate) async fn try_verify(
        &self,
        options: verifier::Options,
    ) -> Result<verifier::Report, verifier::RunError> {
        verifier::verify(
            &self.plan(),
            options,
            network(),
            Clock::starting_at(self.simulator.now_ms()),
            &verifier::Silent,
        )
        .await
    }

    /// The plan as it stands in its folder.
    pub(crate) fn plan(&self) -> LoadedPlan {
        LoadedPlan::read(&self.dir.path().join("plan.toml")).expect("a plan")
    }

    fn document(
        &self,
        entity: &source::Interaction,
        details: &[source::Recording],
        files: &[Vec<u8>],
    ) -> Recording {
        let number =
            |number: &Option<String>| Some(number.clone().unwrap_or_else(|| "Unknown".to_owned()));
        let start = ms(&entity.start_time);
        let call_uuid = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, entity.id.as_bytes())
            .to_string()
            .to_uppercase();
        let media = |(recording, bytes): (&source::Recording, &Vec<u8>)| {
            self.media(entity, recording, bytes, &call_uuid)
        };
        Recording {
            id: format!("st-{NAMESPACE}-{}", entity.id),
            caller_phone_number: number(&entity.caller_number),
            dialed_phone_number: number(&entity.dialled_number),
            region: self.plan.plan.target.gir().map(|gir| gir.region.clone()),
            call_type: Some(match entity.direction.as_deref() {
                Some("INBOUND") => "Inbound".to_owned(),
                Some("OUTBOUND") => "Outbound".to_owned(),
                _ => "Unknown".to_owned(),
            }),
            media_files: details.iter().zip(files).map(media).collect(),
            event_history: self.events(entity, details, start, &call_uuid),
            ..Recording::default()
        }
    }

    fn media(
        &self,
        entity: &source::Interaction,
        recording: &source::Recording,
        bytes: &[u8],
        call_uuid: &str,
    ) -> MediaFile {
        let leg = entity
            .segments
            .iter()
            .find(|segment| recording.segment_id.as_ref() == Some(&segment.id));
        let agent = leg
            .map_or(entity.agent_id.as_ref(), |leg| leg.agent_id.as_ref())
            .map(|agent| self.agent(agent, ms(&entity.start_time)));
        let id = format!("st-{NAMESPACE}-{}", recording.id);
        let hash: String = hex::encode(Sha256::digest(bytes));
        let root = self
            .plan
            .plan
            .target
            .gir()
            .expect("a site")
            .webdav_url
            .clone();
        let day = &time(ms(&entity.start_time))[..10];
        let start = ms(&recording.start_time);
        let mask = |at: i64, kind: &str| Mask {
            time: time(start + at),
            kind: kind.to_owned(),
        };
        let samples = audio::decode(bytes).expect("audio").1;
        let queue = self
            .plan
            .mapping
            .queues
            .iter()
            .find(|row| Some(&row.legacy_queue_id) == entity.queue_id.as_ref());
        MediaFile {
            call_uuid: Some(call_uuid.to_owned()),
            start_time: Some(time(start)),
            stop_time: Some(time(ms(&recording.end_time))),
            media_id: Some(id.clone()),
            mime: Some("audio/mp3".to_owned()),
            duration: Some(samples.duration_ms().to_string()),
            size: Some(bytes.len().to_string()),
            parameters: Parameters {
                username: agent.and_then(|agent| agent.gir_username().map(str::to_owned)),
                agent_id: agent.and_then(|agent| agent.gir_login().map(str::to_owned)),
                ani: entity.caller_number.clone(),
                dnis: entity.dialled_number.clone(),
                call_uuid: Some(call_uuid.to_owned()),
                id: Some(id.clone()),
                ..Parameters::default()
            },
            masks: recording
                .pauses
                .iter()
                .flat_map(|pause| {
                    [
                        mask(pause.start_offset_ms.expect("a start"), "paused"),
                        mask(pause.end_offset_ms.expect("an end"), "resume"),
                    ]
                })
                .collect(),
            partitions: queue
                .and_then(|row| row.gir_partition().map(str::to_owned))
                .into_iter()
                .collect(),
            access_groups: agent
                .and_then(|agent| agent.gir_access_group().map(str::to_owned))
                .into_iter()
                .collect(),
            media_descriptor: Some(Descriptor {
                storage: "webDAV".to_owned(),
                path: format!(
                    "{}/st-{NAMESPACE}/{day}/{id}.{}.mp3",
                    root.as_str().trim_end_matches('/'),
                    &hash[..12]
                ),
            }),
            ..MediaFile::default()
        }
    }

    fn events(
        &self,
        entity: &source::Interaction,
        details: &[source::Recording],
        start: i64,
        call_uuid: &str,
    ) -> Vec<Event> {
        let (end, mut events) = (ms(&entity.end_time), Vec::new());
        let mut add = |at: i64, event: &str, contact: Option<Contact>, data: Option<Value>| {
            let meta = data
                .is_some()
                .then(|| format!("st-{NAMESPACE}-{}-meta", entity.id));
            let calluuid = Some(call_uuid.to_owned());
            let what = Event {
                occurred_at: Some(time(at)),
                event: Some(event.to_owned()),
                call_uuid: calluuid,
                contact,
                event_id: meta,
                data,
            };
            events.push((at, what));
        };
        let customer = Contact {
            kind: Some("External".to_owned()),
            phone_number: Some(
                entity
                    .caller_number
                    .clone()
                    .unwrap_or_else(|| "Unknown".to_owned()),
            ),
            ..Contact::default()
        };
        add(start, "Joined", Some(customer.clone()), None);
        add(
            start,
            "Data",
            None,
            Some(json!({"added": self.data(entity, details)})),
        );
        for leg in entity.segments.iter().filter(|leg| leg.agent_id.is_some()) {
            let agent = self.agent(leg.agent_id.as_deref().expect("an agent"), start);
            let (first, last) = agent
                .genesys_user_name
                .split_once(' ')
                .unwrap_or((&agent.genesys_user_name, "-"));
            let contact = Contact {
                kind: Some("User".to_owned()),
                phone_number: agent.gir_login().map(str::to_owned),
                user_name: agent.gir_username().map(str::to_owned),
                first_name: Some(first.to_owned()),
                last_name: Some(last.to_owned()),
            };
            add(ms(&leg.start_time), "Joined", Some(contact.clone()), None);
            add(ms(&leg.end_time), "Left", Some(contact), None);
        }
        add(end, "Left", Some(customer), None);
        events.sort_by_key(|(at, _)| *at);
        events.into_iter().map(|(_, event)| event).collect()
    }

    fn data(
        &self,
        entity: &source::Interaction,
        details: &[source::Recording],
    ) -> Map<String, Value> {
        let mapping = &self.plan.mapping;
        let queue = mapping
            .queues
            .iter()
            .find(|row| Some(&row.legacy_queue_id) == entity.queue_id.as_ref());
        let skill = mapping
            .skills
            .iter()
            .find(|row| Some(&row.legacy_skill) == entity.skill.as_ref());
        let wrap_up = mapping
            .wrapups
            .iter()
            .find(|row| Some(&row.legacy_code) == entity.wrap_up_code.as_ref());
        let names: Vec<String> = details
            .iter()
            .filter_map(|recording| recording.file_name.clone())
            .collect();
        let texts = [
            (
                "st.queue",
                queue.map(|row| row.genesys_queue_id.to_string()),
            ),
            (
                "st.skill",
                skill.map(|row| row.genesys_skill_id.to_string()),
            ),
            (
                "st.wrap_up",
                wrap_up.map(|row| row.genesys_wrapup_id.to_string()),
            ),
            (
                "st.wrap_up_code",
                entity.wrap_up_code.clone().filter(|_| wrap_up.is_none()),
            ),
            ("st.wait_ms", entity.wait_time_ms.map(|ms| ms.to_string())),
            ("st.talk_ms", entity.talk_time_ms.map(|ms| ms.to_string())),
            ("st.skill_group", entity.skill_group.clone()),
            ("st.ivr_node", entity.ivr_node_id.clone()),
            ("st.disposition", entity.disposition_code.clone()),
            ("st.raw_start", Some(entity.start_time.to_string())),
            (
                "st.file_name",
                Some(names.join(";")).filter(|names| !names.is_empty()),
            ),
        ];
        texts
            .into_iter()
            .filter_map(|(name, text)| Some((name.to_owned(), Value::from(text?))))
            .collect()
    }

    /// Who an agent is at a date; the stand-in where no row holds.
    fn agent(&self, id: &str, at: i64) -> &plan::AgentRow {
        let rows = &self.plan.mapping.agents;
        let holds = |row: &&plan::AgentRow| {
            row.legacy_agent_id == id
                && row
                    .valid_from
                    .is_none_or(|from| from.as_millisecond() <= at)
                && row.valid_to.is_none_or(|to| at < to.as_millisecond())
        };
        rows.iter()
            .find(holds)
            .or_else(|| rows.iter().find(|row| row.legacy_agent_id == "*"))
            .expect("an agent")
    }
}

/// Labels of a call: the migration's, and its longest class's.
pub(crate) fn labels(call: &Call) -> Vec<String> {
    let years = |class: &String| {
        class
            .split('-')
            .next()
            .and_then(|years| years.parse::<u32>().ok())
            .unwrap_or(u32::MAX)
    };
    let class = call
        .details
        .iter()
        .filter_map(|recording| recording.retention_class.clone())
        .max_by_key(years);
    [format!("st-batch-{NAMESPACE}")]
        .into_iter()
        .chain(class.map(|class| format!("st-ret-{class}")))
        .collect()
}

fn network() -> Arc<dyn Transport> {
    Arc::new(Network::new().expect("a network"))
}

async fn read(media: platforms::Media) -> Vec<u8> {
    let mut stream = media.stream;
    let mut bytes = Vec::new();
    while let Some(piece) = stream.next().await {
        bytes.extend_from_slice(&piece.expect("a piece"));
    }
    bytes
}

/// MP3 with silent pauses; one that is MP3 already and has none stays as it is.
fn converted(bytes: &[u8], recording: &source::Recording) -> Vec<u8> {
    let (probe, mut pcm) = audio::decode(bytes).expect("the source's audio");
    if probe.codec == Codec::Mp3 && recording.pauses.is_empty() {
        return bytes.to_vec();
    }
    for pause in &recording.pauses {
        let [from, until] = [pause.start_offset_ms, pause.end_offset_ms]
            .map(|ms| ms.expect("the contract's pauses are whole").unsigned_abs());
        audio::silence(&mut pcm, from, until);
    }
    audio::encode(&pcm, Codec::Mp3).expect("mp3")
}

pub(crate) fn ms(time: &source::SourceTime) -> i64 {
    match time {
        source::SourceTime::Number(ms) => *ms,
        other => panic!("{other:?} is no number"),
    }
}

/// `yyyy-MM-ddTHH:mm:ss.SSS+0000`.
pub(crate) fn time(ms: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(ms).expect("an instant");
    format!("{at:.3}").replace('Z', "+0000")
}
