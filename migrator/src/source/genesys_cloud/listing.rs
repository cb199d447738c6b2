//! The calls of a window, by analytics jobs: one for each part of it. Source: platform API,
//! analytics/conversations/details/jobs (documented).

use std::time::Duration;

use jiff::Timestamp;
use plan::source::GenesysCloud as Section;
use platforms::CallError;
use platforms::clock::Clock;
use platforms::genesys_cloud::{ReadClient, wire};
use serde::{Deserialize, Serialize};

use super::entity::is_call;
use crate::error::RunError;
use crate::source::Window;

/// Calls a page: as many as one question about deletion protection takes.
pub(super) const PAGE: u32 = 100;
/// A job is about so many days at most, so that none holds years. Milliseconds.
const PART_MS: i64 = 31 * 86_400_000;
/// Where nothing bounds the window, nothing is older. Milliseconds.
const EARLIEST_MS: i64 = 0;
/// How long a job may run.
const PATIENCE: Duration = Duration::from_secs(3600);
/// Between two questions how a job stands: the first, and the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(20);
const JOB: &str = "GET /api/v2/analytics/conversations/details/jobs";

/// Where a listing stands: the cursor that the ledger keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// Start of the part, inclusive. Unix milliseconds.
    from_ms: i64,
    /// End of the whole window, exclusive: where a plan has none, when the listing began.
    to_ms: i64,
    /// Whether the window has a start.
    bounded: bool,
    /// The part's job. Absent: not begun.
    job: Option<String>,
    /// Where to go on in its results. Absent: at their beginning.
    cursor: Option<String>,
}

impl Place {
    /// The one a cursor stands for, or the window's beginning.
    pub(super) fn of(
        window: Window,
        cursor: Option<&str>,
        clock: &Clock,
    ) -> Result<Place, RunError> {
        let Some(cursor) = cursor else {
            return Ok(Place {
                from_ms: window.from_ms.unwrap_or(EARLIEST_MS),
                to_ms: window.to_ms.unwrap_or_else(|| clock.now_ms()),
                bounded: window.from_ms.is_some(),
                job: None,
                cursor: None,
            });
        };
        serde_json::from_str(cursor).map_err(|_| {
            RunError::Storage("the ledger's cursor is none of this source's".to_owned())
        })
    }

    fn end_ms(&self) -> i64 {
        if self.bounded {
            self.to_ms.min(self.from_ms.saturating_add(PART_MS))
        } else {
            self.to_ms
        }
    }

    /// Where the next page is, as a cursor. Absent: this was the last.
    fn next(&self, cursor: Option<String>) -> Option<Place> {
        if cursor.is_some() {
            return Some(Place {
                cursor,
                ..self.clone()
            });
        }
        (self.end_ms() < self.to_ms).then(|| Place {
            from_ms: self.end_ms(),
            job: None,
            cursor: None,
            ..self.clone()
        })
    }

    /// As the ledger keeps it.
    pub(super) fn text(&self) -> Result<String, RunError> {
        serde_json::to_string(self).map_err(|error| RunError::Storage(error.to_string()))
    }

    /// Whether a call belongs to this part: a job tells of calls that only reach into it. One
    /// without a usable start is in every part, and stays behind for that.
    fn has(&self, conversation: &wire::AnalyticsConversation) -> bool {
        let start: Option<Timestamp> = conversation
            .conversation_start
            .as_deref()
            .and_then(|start| start.trim().parse().ok());
        start.is_none_or(|start| {
            let start_ms = start.as_millisecond();
            (!self.bounded || self.from_ms <= start_ms) && start_ms < self.end_ms()
        })
    }
}

/// A page of conversations, word for word.
pub(super) struct Page {
    pub(super) conversations: Vec<String>,
    pub(super) next: Option<Place>,
}

/// Lists an organisation's calls.
pub(super) struct Lister<'a> {
    pub(super) client: &'a ReadClient,
    pub(super) clock: &'a Clock,
    pub(super) section: &'a Section,
}

impl Lister<'_> {
    /// The page at a place. A job that the platform has forgotten is begun anew, and its part with
    /// it: what was listed before is listed again, and is the same.
    pub(super) async fn page(&self, mut place: Place) -> Result<Page, RunError> {
        let mut may_begin_anew = place.job.is_some();
        loop {
            let job = match &place.job {
                Some(job) => job.clone(),
                None => self.begin(&place).await.map_err(RunError::Source)?,
            };
            match self.results(&mut place, &job).await {
                Err(CallError::Refused {
                    status: 404 | 410, ..
                }) if may_begin_anew => {
                    may_begin_anew = false;
                    (place.job, place.cursor) = (None, None);
                }
                other => return other.map_err(RunError::Source)?,
            }
        }
    }

    async fn begin(&self, place: &Place) -> Result<String, CallError> {
        let text = |ms| {
            Timestamp::from_millisecond(ms)
                .map(|at| format!("{at:.3}"))
                .unwrap_or_default()
        };
        let query = serde_json::json!({
            "interval": format!("{}/{}", text(place.from_ms), text(place.end_ms())),
            "order": "asc",
            "orderBy": "conversationStart",
        });
        let job = self.client.create_details_job(&query).await?;
        let (mut pause, mut tries) = (FIRST_PAUSE, 1);
        let until_ms = self
            .clock
            .now_ms()
            .saturating_add(PATIENCE.as_millis() as i64);
        loop {
            let state = self.client.details_job_state(&job).await?;
            let ended = |why: String| CallError::Malformed {
                what: JOB.to_owned(),
                why,
            };
            match state.state.as_str() {
                "FULFILLED" => return Ok(job),
                "FAILED" | "CANCELLED" | "EXPIRED" => {
                    let why = state.error_message.unwrap_or_default();
                    return Err(ended(format!("the job ended as {}: {why}", state.state)));
                }
                _ if self.clock.now_ms() >= until_ms => {
                    return Err(CallError::NotReady {
                        what: JOB.to_owned(),
                        status: 200,
                        tries,
                    });
                }
                _ => {}
            }
            self.clock.sleep(pause).await;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
            tries += 1;
        }
    }

    /// A page of a job's results. The inner error ends the run.
    async fn results(
        &self,
        place: &mut Place,
        job: &str,
    ) -> Result<Result<Page, RunError>, CallError> {
        let page = self
            .client
            .details_verbatim(job, place.cursor.as_deref(), PAGE)
            .await?;
        place.job = Some(job.to_owned());
        if let Some(incomplete) = self.incomplete(place, page.data_availability_date.as_deref()) {
            return Ok(Err(incomplete));
        }
        let conversations = page.conversations.unwrap_or_default();
        let is_wanted = |raw: &str| match serde_json::from_str(raw) {
            Ok(conversation) => self.is_wanted(place, &conversation),
            // What cannot be read is a row that says so.
            Err(_) => true,
        };
        Ok(Ok(Page {
            conversations: conversations
                .iter()
                .map(|raw| raw.get())
                .filter(|raw| is_wanted(raw))
                .map(str::to_owned)
                .collect(),
            next: place.next(page.cursor),
        }))
    }

    fn is_wanted(&self, place: &Place, conversation: &wire::AnalyticsConversation) -> bool {
        let holds = |list: &[uuid::Uuid], id: &str| {
            id.parse().is_ok_and(|id: uuid::Uuid| list.contains(&id))
        };
        let Section {
            divisions, queues, ..
        } = self.section;
        let is_of_division = divisions.is_empty()
            || conversation
                .division_ids
                .iter()
                .any(|id| holds(divisions, id));
        let mut through = conversation
            .participants
            .iter()
            .flat_map(|participant| &participant.sessions)
            .flat_map(|session| &session.segments)
            .filter_map(|segment| segment.queue_id.as_deref());
        is_call(conversation)
            && place.has(conversation)
            && is_of_division
            && (queues.is_empty() || through.any(|id| holds(queues, id)))
    }

    /// Analytics lags behind. Where the plan names the end of its window, nothing before it may be
    /// missing; where it does not, a person is told up to when calls are listed.
    fn incomplete(&self, place: &Place, available: Option<&str>) -> Option<RunError> {
        let available: Timestamp = available?.trim().parse().ok()?;
        if available.as_millisecond() >= place.to_ms {
            return None;
        }
        if self.section.to.is_some() {
            return Some(RunError::Plan(format!(
                "the source's analytics is complete up to {available:.0} only, and source.to is \
                 later: run the same command again later, or set source.to to that time"
            )));
        }
        tracing::warn!(
            "the source's analytics is complete up to {available:.0}: later calls may not be listed"
        );
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(from: Option<i64>, to: Option<i64>) -> Place {
        let window = Window {
            from_ms: from,
            to_ms: to,
        };
        Place::of(window, None, &Clock::starting_at(100 * PART_MS)).expect("a place")
    }

    #[test]
    fn a_window_is_listed_in_parts_that_leave_nothing_out() {
        let mut at = place(Some(5), Some(5 + 2 * PART_MS + 7));
        let mut parts = Vec::new();
        loop {
            parts.push((at.from_ms, at.end_ms()));
            at.job = Some("a job".to_owned());
            let on = at.next(Some("more".to_owned())).expect("more pages");
            assert_eq!((on.job.as_deref(), on.from_ms), (Some("a job"), at.from_ms));
            match at.next(None) {
                Some(next) => at = next,
                None => break,
            }
            assert_eq!((&at.job, &at.cursor), (&None, &None));
        }
        let ends = [5, 5 + PART_MS, 5 + 2 * PART_MS, 5 + 2 * PART_MS + 7];
        let wanted: Vec<(i64, i64)> = ends.windows(2).map(|part| (part[0], part[1])).collect();
        assert_eq!(parts, wanted);
    }

    #[test]
    fn a_window_without_a_start_is_one_part_up_to_now() {
        let at = place(None, None);
        assert_eq!((at.from_ms, at.end_ms()), (0, 100 * PART_MS));
        assert_eq!(at.next(None), None);
        let again = Place::of(
            Window::default(),
            Some(&at.text().expect("text")),
            &Clock::starting_at(0),
        );
        assert_eq!(again.expect("read"), at, "the end of the window stays");
    }

    #[test]
    fn a_call_is_of_the_part_it_began_in() {
        let at = place(Some(1_700_000_000_000), Some(1_700_000_100_000));
        let call = |start: &str| -> wire::AnalyticsConversation {
            let json = serde_json::json!({"conversationId": "c", "conversationStart": start});
            serde_json::from_value(json).expect("a conversation")
        };
        for (start, is_in) in [
            ("2023-11-14T22:13:19.999Z", false),
            ("2023-11-14T22:13:20.000Z", true),
            ("2023-11-14T22:14:59.999Z", true),
            ("2023-11-14T22:15:00.000Z", false),
            ("soon", true),
        ] {
            assert_eq!(at.has(&call(start)), is_in, "{start}");
        }
    }
}
