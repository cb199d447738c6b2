//! Genesys Interaction Recording: files into the WebDAV store, the recording into RWS with its
//! labels, the same document to SpeechMiner, and a read back. What a call looks like there:
//! docs/reference/gir.md.
//!
//! RWS merges silently into what it has, so nothing is inserted that has not been looked up before,
//! in this run or an earlier one.

mod equivalence;
mod names;
mod probe;
mod recording;
mod retention;
mod state;
mod steps;
mod store;
mod survey;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use plan::{LoadedPlan, Reason, Repost, SecretRef};
use platforms::clock::Clock;
use platforms::gir::{RwsClient, Settings, SpeechMinerClient, WebDavClient, wire};
use platforms::transport::Transport;
use platforms::{Account, CallError};

use names::Names;
pub(super) use steps::RULES;

use crate::encrypt::Recipients;
use crate::error::{RunError, StepError};

/// How often an unknown outcome is looked up and the insertion repeated before the call is left.
const MAX_LOOKUPS: u32 = 8;

/// The target, with what its calls share.
pub(crate) struct Gir {
    rws: RwsClient,
    webdav: WebDavClient,
    /// Absent: nothing is posted, a declared loss.
    speechminer: Option<SpeechMinerClient>,
    repost: Repost,
    region: String,
    contact_center: String,
    namespace: String,
    /// Where another run has to look whether the region was proved for it.
    address: String,
    recipients: Option<Arc<Recipients>>,
    /// Collections that are there, and labels that are defined, as far as this run knows.
    known: Mutex<HashSet<String>>,
}

/// How what is there stands to what is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing is there.
    Absent,
    /// It is as it should be.
    Same,
    /// The same call in another form, perhaps tagged for non-deletion.
    Other { is_protected: bool },
}

impl Gir {
    /// Sends nothing yet. Reads the certificates.
    pub(crate) fn new(
        plan: &LoadedPlan,
        target: &plan::target::Gir,
        transport: Arc<dyn Transport>,
        clock: &Clock,
    ) -> Result<Gir, RunError> {
        let (rws_url, webdav_url) = (target.rws_url.clone(), target.webdav_url.clone());
        let per_minute = plan.plan.pace.requests_per_minute;
        let region = target.region.clone();
        let contact_center = target.contact_center_id.clone();
        let settings = Settings {
            rws_url: rws_url.clone(),
            contact_center_id: contact_center.clone(),
            account: account(plan, &target.username, &target.password, "password")?,
            requests_per_minute: per_minute,
        };
        let webdav = account(
            plan,
            &target.webdav_username,
            &target.webdav_password,
            "webdav_password",
        )?;
        let speechminer = match (
            &target.speechminer_url,
            &target.speechminer_username,
            &target.speechminer_password,
        ) {
            (Some(url), Some(username), Some(password)) => {
                let account = account(plan, username, password, "speechminer_password")?;
                Some(SpeechMinerClient::new(
                    transport.clone(),
                    clock.clone(),
                    url.clone(),
                    &account,
                    per_minute,
                ))
            }
            // A plan with this address and without its account is not read.
            _ => None,
        };
        Ok(Gir {
            rws: RwsClient::new(transport.clone(), clock.clone(), settings),
            webdav: WebDavClient::new(
                transport,
                clock.clone(),
                webdav_url,
                &webdav,
                per_second(plan.plan.pace.uploads_per_second),
            ),
            speechminer,
            repost: target.speechminer_repost,
            address: format!("{rws_url} {contact_center} {region}"),
            region,
            contact_center,
            namespace: plan.plan.identity.namespace.clone(),
            recipients: Recipients::of(plan)?.map(Arc::new),
            known: Mutex::default(),
        })
    }

    /// What a second post of a recording becomes; absent: nothing is posted.
    pub(crate) fn repost(&self) -> Option<Repost> {
        self.speechminer.as_ref().map(|_| self.repost)
    }

    /// Inserts the recording, or finds that it is there. Only what was looked up and is not there
    /// is inserted.
    pub(crate) async fn insert(
        &self,
        clock: &Clock,
        wanted: &wire::Recording,
    ) -> Result<(), StepError> {
        for round in 0..MAX_LOOKUPS {
            if self.is_there(wanted).await? {
                return Ok(());
            }
            match self.rws.insert(wanted).await {
                Ok(()) => return Ok(()),
                // It may still be on its way: the look before the next try comes a little later
                // each time.
                Err(CallError::OutcomeUnknown { .. }) => {
                    clock.sleep(Duration::from_millis(250 << round)).await
                }
                Err(error) => return Err(StepError::target(error)),
            }
        }
        let what = format!("the insertion of {}", wanted.id);
        Err(StepError::InteractionFailed(RunError::Target(
            CallError::OutcomeUnknown {
                what,
                why: format!("still absent after {MAX_LOOKUPS} tries"),
            },
        )))
    }

    /// How the recording under the id of what is wanted stands to it. One of somebody else's is a
    /// collision.
    pub(crate) async fn standing(&self, wanted: &wire::Recording) -> Result<Standing, StepError> {
        let Some(there) = self
            .rws
            .recording(&wanted.id)
            .await
            .map_err(StepError::target)?
        else {
            return Ok(Standing::Absent);
        };
        if equivalence::matches(&there, wanted) {
            return Ok(Standing::Same);
        }
        if !equivalence::is_ours(&there, wanted) {
            return Err(StepError::aside(
                Reason::IdCollision,
                format!(
                    "the target holds a recording of somebody else's under the id {}",
                    wanted.id
                ),
            ));
        }
        Ok(Standing::Other {
            is_protected: there.non_delete == Some(true),
        })
    }

    /// Deletes a recording; its files stay.
    pub(crate) async fn delete(&self, id: &str) -> Result<(), StepError> {
        self.rws
            .delete(id)
            .await
            .map(drop)
            .map_err(StepError::target)
    }

    /// Whether this very recording is there. Another form of our own must not be merged.
    async fn is_there(&self, wanted: &wire::Recording) -> Result<bool, StepError> {
        match self.standing(wanted).await? {
            Standing::Absent => return Ok(false),
            Standing::Same => return Ok(true),
            Standing::Other { .. } => {}
        }
        let why = "another form of this call is there, and inserting it again would merge the two; \
            delete it there, then run again";
        let what = format!("recording {}", wanted.id);
        Err(StepError::InteractionFailed(RunError::Target(
            CallError::Malformed {
                what,
                why: why.to_owned(),
            },
        )))
    }

    /// Tags a held call for non-deletion; `false` where the index does not know it yet.
    pub(crate) async fn protect(&self, id: &str) -> Result<bool, StepError> {
        indexed(self.rws.apply_non_delete(id).await)
    }

    /// Puts its labels on a call; `false` where the index does not know it yet.
    pub(crate) async fn label(&self, id: &str, names: &[String]) -> Result<bool, StepError> {
        for name in names {
            let key = format!("label {name}");
            if !self.is_known(&key) {
                let description = format!("migration {}", self.namespace);
                self.rws
                    .define_label(name, &description)
                    .await
                    .map_err(StepError::target)?;
                self.note(key);
            }
        }
        indexed(self.rws.add_labels(id, names).await)
    }

    /// Posts the recording to SpeechMiner. Under `replace` a repeat is the same as once.
    pub(crate) async fn post(
        &self,
        clock: &Clock,
        wanted: &wire::Recording,
    ) -> Result<(), StepError> {
        let Some(speechminer) = &self.speechminer else {
            return Ok(());
        };
        for round in 0..MAX_LOOKUPS {
            match speechminer.post(wanted).await {
                Ok(()) => return Ok(()),
                Err(CallError::OutcomeUnknown { .. }) if self.repost == Repost::Replace => {
                    clock.sleep(Duration::from_millis(250 << round)).await;
                }
                Err(CallError::OutcomeUnknown { .. }) => return Err(for_a_person(&wanted.id)),
                Err(error) => return Err(StepError::target(error)),
            }
        }
        let what = format!("the post of {} to SpeechMiner", wanted.id);
        Err(StepError::InteractionFailed(RunError::Target(
            CallError::OutcomeUnknown {
                what,
                why: format!("no answer in {MAX_LOOKUPS} tries"),
            },
        )))
    }

    /// Reads the recording back and holds it against what was sent. Answers what was read.
    pub(crate) async fn read_back(
        &self,
        wanted: &wire::Recording,
        labels: &[String],
        held: bool,
    ) -> Result<wire::Recording, StepError> {
        let malformed = |why: String| {
            let what = format!("GET recording {}", wanted.id);
            StepError::InteractionFailed(RunError::Target(CallError::Malformed { what, why }))
        };
        let there = self
            .rws
            .recording(&wanted.id)
            .await
            .map_err(StepError::target)?;
        let there = there.ok_or_else(|| {
            malformed(format!(
                "it was taken, and is not shown in region {}",
                self.region
            ))
        })?;
        if !equivalence::matches(&there, wanted) {
            return Err(malformed("it does not keep what was sent".to_owned()));
        }
        let lacking = labels
            .iter()
            .find(|name| !there.labels.iter().any(|label| label.name == **name));
        if let Some(lacking) = lacking {
            return Err(malformed(format!("it does not keep the label {lacking}")));
        }
        if held && there.non_delete != Some(true) {
            return Err(malformed(
                "it does not keep the tag for non-deletion".to_owned(),
            ));
        }
        Ok(there)
    }

    fn is_known(&self, key: &str) -> bool {
        self.known.lock().contains(key)
    }

    fn note(&self, key: String) {
        self.known.lock().insert(key);
    }

    fn forget(&self, key: &str) {
        self.known.lock().remove(key);
    }
}

/// A post whose outcome nobody knows, where a second one would stand beside the first.
pub(crate) fn for_a_person(id: &str) -> StepError {
    let what = format!("the post of {id} to SpeechMiner");
    let why = "a second post would be a duplicate there; look whether it stands in SpeechMiner, \
        remove it if it does, and go on with target.speechminer_repost = \"replace\" and \
        --accept-plan-change";
    StepError::InteractionFailed(RunError::Target(CallError::OutcomeUnknown {
        what,
        why: why.to_owned(),
    }))
}

/// Labels and non-deletion live in the index, which may come later than the recording.
fn indexed(answer: Result<(), CallError>) -> Result<bool, StepError> {
    match answer {
        Ok(()) => Ok(true),
        Err(CallError::Refused { status: 404, .. }) => Ok(false),
        Err(error) => Err(StepError::target(error)),
    }
}

fn account(
    plan: &LoadedPlan,
    username: &str,
    password: &SecretRef,
    key: &str,
) -> Result<Account, RunError> {
    let password = plan.secret(password, &format!("target.{key}"))?;
    Ok(Account {
        username: username.to_owned(),
        password: password.expose_the_secret().to_owned(),
    })
}

/// A file takes three requests to the store: put, look, move.
fn per_second(uploads: u32) -> u32 {
    uploads.saturating_mul(3)
}
