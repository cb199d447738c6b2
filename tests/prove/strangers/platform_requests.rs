//! Requests to the target's own API after the migration, as somebody else's program would send
//! them.

use std::io::Write as _;
use std::sync::Arc;

use base64::Engine;
use http::{Method, Request, header};
use md5::Digest;
use platforms::Account;
use platforms::clock::Clock;
use platforms::gir::{RwsClient, Settings, wire};
use platforms::transport::{Body, Network, Transport};
use serde_json::{Value, json};
use simulator::{PlatformName, Simulator};

use super::altering_transport::whole;
use super::rows::Way;
use crate::report::Failure;

/// Clients of the target with its credentials, and what the migration left there.
pub(crate) struct PlatformRequests {
    network: Arc<Network>,
    way: Way,
    addresses: simulator::Addresses,
    credentials: simulator::Credentials,
    token: String,
    rws: Option<RwsClient>,
    /// Conversations by legacy id, and their recordings in order.
    held: Vec<Value>,
    pub(crate) now_ms: i64,
}

impl PlatformRequests {
    /// `plan`: the text of a plan that fits.
    pub(crate) async fn new(
        simulator: &Simulator,
        network: Arc<Network>,
        way: Way,
        plan: &str,
        clock: &Clock,
    ) -> Result<PlatformRequests, Failure> {
        let (addresses, credentials) = (
            simulator.addresses().clone(),
            simulator.credentials().clone(),
        );
        let platform = if way == Way::Gir {
            PlatformName::Gir
        } else {
            PlatformName::GenesysCloud
        };
        let truth = simulator.truth(platform).await.map_err(Failure::new)?;
        let held = truth
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<Vec<Value>, _>>()
            .map_err(Failure::new)?;
        let now_ms = simulator.now_ms();
        let mut requests = PlatformRequests {
            network,
            way,
            addresses,
            credentials,
            token: String::new(),
            rws: None,
            held,
            now_ms,
        };
        if way == Way::Gir {
            requests.rws = Some(requests.rws_client(plan, clock)?);
        } else {
            requests.token = requests.login().await?;
        }
        Ok(requests)
    }

    fn rws_client(&self, plan: &str, clock: &Clock) -> Result<RwsClient, Failure> {
        let plan: toml::Table = plan.parse().map_err(Failure::new)?;
        let text = |name: &str| plan["target"][name].as_str().unwrap_or_default().to_owned();
        let account = Account {
            username: self.credentials.gir.username.clone(),
            password: self.credentials.gir.password.clone(),
        };
        let settings = Settings {
            rws_url: text("rws_url").parse().map_err(Failure::new)?,
            contact_center_id: text("contact_center_id"),
            account,
            requests_per_minute: 60_000,
        };
        Ok(RwsClient::new(
            self.network.clone(),
            clock.clone(),
            settings,
        ))
    }

    async fn login(&self) -> Result<String, Failure> {
        let client = &self.credentials.genesys_cloud;
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}",
            client.client_id, client.client_secret
        );
        let url = format!("{}/oauth/token", self.addresses.genesys_cloud);
        let request =
            Request::post(url).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let answer = self.send(request, form.into_bytes()).await?;
        Ok(answer.1["access_token"]
            .as_str()
            .ok_or_else(|| Failure::new("no token"))?
            .to_owned())
    }

    async fn send(
        &self,
        request: http::request::Builder,
        body: Vec<u8>,
    ) -> Result<(u16, Value), Failure> {
        let request = request
            .header(header::CONTENT_LENGTH, body.len())
            .body(Body::Full(body.into()))
            .map_err(Failure::new)?;
        let what = format!("{} {}", request.method(), request.uri().path());
        let answer = self.network.send(request).await.map_err(Failure::new)?;
        let status = answer.status().as_u16();
        let bytes = whole(answer.into_body()).await.map_err(Failure::new)?;
        if status >= 300 {
            return Err(Failure::new(format!(
                "{what}: {status}: {}",
                String::from_utf8_lossy(&bytes)
            )));
        }
        Ok((status, serde_json::from_slice(&bytes).unwrap_or_default()))
    }

    /// A request to Genesys Cloud; its answer.
    pub(crate) async fn cloud(
        &self,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<Value, Failure> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.addresses.genesys_cloud));
        let request = request
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header(header::CONTENT_TYPE, "application/json");
        let body = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        Ok(self.send(request, body).await?.1)
    }

    /// A request to the WebDAV store, by a file's absolute address.
    pub(crate) async fn store(
        &self,
        method: Method,
        address: &str,
        bytes: Vec<u8>,
    ) -> Result<(), Failure> {
        let account = &self.credentials.webdav;
        let basic = base64::engine::general_purpose::STANDARD
            .encode(format!("{}:{}", account.username, account.password));
        let request = Request::builder()
            .method(method)
            .uri(address)
            .header(header::AUTHORIZATION, format!("Basic {basic}"));
        self.send(request, bytes).await.map(drop)
    }

    /// A document to SpeechMiner.
    pub(crate) async fn post_to_speechminer(
        &self,
        document: &wire::Recording,
    ) -> Result<(), Failure> {
        let account = &self.credentials.speechminer;
        let basic = base64::engine::general_purpose::STANDARD
            .encode(format!("{}:{}", account.username, account.password));
        let url = self
            .addresses
            .speechminer
            .clone()
            .ok_or_else(|| Failure::new("no SpeechMiner"))?;
        let request = Request::post(url)
            .header(header::AUTHORIZATION, format!("Basic {basic}"))
            .header(header::CONTENT_TYPE, "application/json");
        self.send(request, serde_json::to_vec(document).map_err(Failure::new)?)
            .await
            .map(drop)
    }

    pub(crate) fn rws(&self) -> Result<&RwsClient, Failure> {
        self.rws
            .as_ref()
            .ok_or_else(|| Failure::new("this way has no RWS"))
    }

    /// RWS's document of a call.
    pub(crate) async fn document(&self, call: &str) -> Result<wire::Recording, Failure> {
        let there = self
            .rws()?
            .recording(&gir_id(call))
            .await
            .map_err(Failure::new)?;
        there.ok_or_else(|| Failure::new(format!("RWS does not show {call}")))
    }

    fn of(&self, call: &str) -> Result<&Value, Failure> {
        let found = self
            .held
            .iter()
            .find(|line| line["legacy_interaction_id"] == call);
        found.ok_or_else(|| {
            Failure::new(format!("{}: call {call} has not arrived", self.way.name()))
        })
    }

    /// Id of a call's conversation.
    pub(crate) fn conversation(&self, call: &str) -> Result<String, Failure> {
        Ok(self.of(call)?["target_id"]
            .as_str()
            .unwrap_or_default()
            .to_owned())
    }

    /// Id of a call's recording in the target.
    pub(crate) fn recording(&self, call: &str, at: usize) -> Result<String, Failure> {
        Ok(self.of(call)?["recordings"][at]["target_id"]
            .as_str()
            .unwrap_or_default()
            .to_owned())
    }

    /// Sets or takes away the protection of a call's conversation.
    pub(crate) async fn protect(&self, call: &str, protect: bool) -> Result<(), Failure> {
        let path = format!("/api/v2/recordings/deletionprotection?protect={protect}");
        self.cloud(
            Method::PUT,
            &path,
            &json!({ "conversationIds": [self.conversation(call)?] }),
        )
        .await
        .map(drop)
    }

    /// Sets when a call's first recording goes.
    pub(crate) async fn set_delete_date(&self, call: &str, date: Value) -> Result<(), Failure> {
        let path = format!(
            "/api/v2/conversations/{}/recordings/{}",
            self.conversation(call)?,
            self.recording(call, 0)?
        );
        self.cloud(Method::PUT, &path, &json!({ "deleteDate": date }))
            .await
            .map(drop)
    }

    /// Uploads a recording's file, of noise, for a conversation that does not exist.
    pub(crate) async fn upload_without_conversation(&self, recording: &str) -> Result<(), Failure> {
        let mut chance = super::speech::Chance::of(3);
        let noise = (0..16_000)
            .map(|_| chance.below(800) as i16 - 400)
            .collect();
        let audio = super::encoders::wav(&audio::Pcm {
            sample_rate: 8000,
            channels: vec![noise],
        })?;
        let name = format!("st-rehearsal-{recording}.0123456789ab");
        let metadata = json!({
            "version": 1, "conversationId": "0badc0de-0000-4000-8000-000000000001", "communicationId": "0badc0de-0000-4000-8000-000000000002",
            "recordingId": "0badc0de-0000-4000-8000-000000000003", "originatingRecordingId": recording,
            "startTime": "2024-06-03T09:00:00.000Z", "endTime": "2024-06-03T09:00:02.000Z", "fileName": format!("{name}.wav"), "mediaType": "audio/wav",
            "deleteDate": "2031-06-03T09:00:02.000Z", "annotations": [],
        });
        let package = packed(&[
            ("metadata.json", metadata.to_string().as_bytes()),
            (&format!("{name}.wav"), &audio),
        ])?;
        let md5 = base64::engine::general_purpose::STANDARD.encode(md5::Md5::digest(&package));
        let asked = json!({"fileName": format!("{name}.zip"), "contentMd5": md5, "signedUrlTimeoutSeconds": 600, "contentType": "application/zip"});
        let announced = self
            .cloud(Method::POST, "/api/v2/uploads/recordings", &asked)
            .await?;
        let mut request = Request::put(announced["url"].as_str().unwrap_or_default());
        for (name, value) in announced["headers"].as_object().into_iter().flatten() {
            request = request.header(name, value.as_str().unwrap_or_default());
        }
        self.send(request, package).await.map(drop)
    }

    /// Moves the simulators' clock.
    pub(crate) async fn advance_days(&self, days: i64) -> Result<(), Failure> {
        let request = Request::post(format!("{}/_sim/clock", self.addresses.control))
            .header(header::CONTENT_TYPE, "application/json");
        self.send(
            request,
            json!({"advance_ms": days * 86_400_000})
                .to_string()
                .into_bytes(),
        )
        .await
        .map(drop)
    }

    /// A day counted from now.
    pub(crate) fn in_days(&self, days: i64) -> Value {
        let at = jiff::Timestamp::from_millisecond(self.now_ms + days * 86_400_000);
        json!(at.map(|at| at.to_string()).unwrap_or_default())
    }
}

fn packed(entries: &[(&str, &[u8])]) -> Result<Vec<u8>, Failure> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in entries {
        zip.start_file(*name, options).map_err(Failure::new)?;
        zip.write_all(bytes).map_err(Failure::new)?;
    }
    Ok(zip.finish().map_err(Failure::new)?.into_inner())
}

/// Id of a call in Interaction Recording.
pub(crate) fn gir_id(call: &str) -> String {
    format!("st-rehearsal-{call}")
}
