//! `forecast`: how long, how many requests, how many bytes and what it costs, before anybody has
//! begun.

use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use output::thousands;
use plan::LoadedPlan;
use rehearsal::forecast::{Bill, Forecast, Load, Pace, Prices, Surface, bytes_of, forecast};
use rehearsal::{Ending, Scenario};
use serde::Serialize;

use crate::cli::{self, Output};
use crate::terminal;

/// Source: developer center blog, 2021-02-03, Caching in flows: spreading requests over several
/// clients or tokens to get round the limit.
const TOKENS: &str = "the vendor calls spreading requests over several clients or tokens a misuse \
    that can slow the whole contact centre down: agree on it with them before";

/// What `--json` prints.
#[derive(Serialize)]
struct Told<'a> {
    version: u32,
    sentence: &'a str,
    load: &'a Load,
    pace: &'a Pace,
    forecast: &'a Forecast,
    bill: Option<&'a Bill>,
    finishes: Option<String>,
    days_late: Option<i64>,
    /// What the platform's maximum of legal holds means. Absent: it cannot be met.
    legal_holds: Option<String>,
    warning: Option<&'static str>,
}

/// `seatrial forecast [PLAN|SCENARIO]`.
pub(crate) fn run(arguments: &cli::Forecast, output: &Output) -> Ending {
    let prepared = prepare(arguments).and_then(|prepared| {
        let prices = arguments
            .prices
            .as_deref()
            .map(Prices::read)
            .transpose()
            .map_err(|error| error.to_string())?;
        Ok((prepared, prices))
    });
    let ((load, pace, protection), prices) = match prepared {
        Ok(prepared) => prepared,
        Err(sentence) => return terminal::fail(Ending::BadCall, &sentence),
    };
    if load.is_beyond_counting() {
        return terminal::fail(
            Ending::BadCall,
            "these figures come to more bytes than can be counted; check --recordings, --bytes and \
             --mean-seconds",
        );
    }
    let found = forecast(&load, &pace);
    let bill = prices.map(|prices| prices.bill(&found));
    let start = arguments.start.unwrap_or_else(today);
    let finishes = after(start, found.seconds);
    if finishes.is_none() {
        return terminal::fail(
            Ending::BadCall,
            "at this pace it finishes in no year of this calendar; check --recordings and the \
             limits given",
        );
    }
    let late = arguments
        .deadline
        .and_then(|deadline| Some(i64::from(deadline.until(finishes?).ok()?.get_days())));
    let sentence = sentence(&found, finishes, late);
    let legal_holds = protection.sentence(&load, pace.surface);
    let warning = (pace.tokens > 1).then_some(TOKENS);
    if output.json {
        let finishes = finishes.map(|date| date.to_string());
        let told = Told {
            version: 1,
            sentence: &sentence,
            load: &load,
            pace: &pace,
            forecast: &found,
            bill: bill.as_ref(),
            finishes,
            days_late: late.filter(|late| *late > 0),
            legal_holds,
            warning,
        };
        terminal::document(&told);
    } else {
        tell(&load, &found, bill.as_ref());
        if let Some(legal_holds) = legal_holds {
            terminal::say(&format!("  {legal_holds}"));
        }
        if let Some(warning) = warning {
            terminal::say(&format!("  with {} tokens; {warning}", pace.tokens));
        }
        terminal::say(&sentence);
    }
    // A script that asks for a deadline is told by the exit code, too.
    if late.is_some_and(|late| late > 0) {
        Ending::Unexpected
    } else {
        Ending::Done
    }
}

/// Its requests are other ones than those that are counted here.
const OF_AN_ORGANISATION: &str = "a forecast for a Genesys Cloud source is not built yet; \
    docs/guide/organisation.md says what a call and a recording take";

/// From a plan, a scenario, or the figures alone; a figure that is given wins.
fn prepare(arguments: &cli::Forecast) -> Result<(Load, Pace, Protection), String> {
    let (load, mut pace, protection) = match &arguments.from {
        None => (None, usual_pace(), Protection::default()),
        Some(path) if is_plan(path)? => {
            let loaded = LoadedPlan::read(path).map_err(|error| error.to_string())?;
            if loaded.plan.source.genesys_cloud().is_some() {
                return Err(OF_AN_ORGANISATION.to_owned());
            }
            (None, of_plan(&loaded), Protection::of_plan(&loaded))
        }
        Some(path) => {
            let scenario = Scenario::read(path).map_err(|error| error.to_string())?;
            if scenario.setup.source == simulator::SourceKind::GenesysCloud {
                return Err(OF_AN_ORGANISATION.to_owned());
            }
            let protection = Protection {
                most: scenario.setup.genesys_cloud.max_protected,
                ..Protection::default()
            };
            (Some(load_of(&scenario)), pace_of(&scenario), protection)
        }
    };
    if let Some(surface) = arguments.surface {
        pace.surface = surface.into();
        if !pace.surface.has_limits() {
            (pace.requests_per_minute, pace.uploads_per_second) = (None, None);
        }
    }
    pace.requests_per_minute = arguments.requests_per_minute.or(pace.requests_per_minute);
    pace.uploads_per_second = arguments.uploads_per_second.or(pace.uploads_per_second);
    pace.megabits_per_second = arguments.megabits_per_second;
    pace.tokens = arguments.tokens.max(1);
    pace.verify = !arguments.no_verify;
    if let Some(cores) = arguments.cores {
        pace.cores = cores;
    }
    let codec = arguments.codec.as_deref();
    let needed = || {
        "say how many recordings there are with --recordings; a plan alone does not tell".to_owned()
    };
    let recordings = arguments
        .recordings
        .or(load.as_ref().map(|load| load.recordings))
        .ok_or_else(needed)?;
    let mean_seconds = arguments
        .mean_seconds
        .or(load.as_ref().map(|load| load.mean_seconds))
        .unwrap_or(180.0);
    let unknown = |codec: &str| {
        format!(
            "--codec {codec}: not one of pcm, mulaw, alaw, adpcm, mp3, amr, gsm; give --bytes \
             instead"
        )
    };
    let by_codec = |codec: &str| bytes_of(codec, mean_seconds).ok_or_else(|| unknown(codec));
    let source_bytes = match (arguments.bytes, codec, &load) {
        (Some(bytes), ..) => bytes,
        (None, Some(codec), _) => by_codec(codec)?,
        (None, None, Some(load)) => load.source_bytes,
        (None, None, None) => by_codec("mulaw")?,
    };
    let kept = arguments.keep
        || load.as_ref().is_some_and(|load| !load.transcoded)
        || codec == Some("mp3");
    let target_bytes = if kept { source_bytes } else { by_codec("mp3")? };
    let per_call = load.as_ref().map_or(1.0, |load| {
        load.recordings as f64 / load.calls.max(1) as f64
    });
    let calls = arguments
        .calls
        .unwrap_or((recordings as f64 / per_call).round() as u64);
    Ok((
        Load {
            calls,
            recordings,
            mean_seconds,
            source_bytes,
            target_bytes,
            transcoded: !kept,
        },
        pace,
        protection,
    ))
}

/// How many conversations an organisation of Genesys Cloud protects against deletion.
struct Protection {
    most: u64,
    /// Of these taken by conversations of others.
    taken: u64,
}

impl Default for Protection {
    fn default() -> Protection {
        // Source: help page on protecting recordings from deletion for a legal hold directive.
        Protection {
            most: 1000,
            taken: 0,
        }
    }
}

impl Protection {
    fn of_plan(loaded: &LoadedPlan) -> Protection {
        let retention = &loaded.plan.retention;
        Protection {
            most: retention
                .max_holds
                .map_or(Protection::default().most, u64::from),
            taken: u64::from(retention.holds_taken),
        }
    }

    /// What a reader should know. Absent: there are fewer calls than can be protected, or the
    /// target has no maximum.
    fn sentence(&self, load: &Load, surface: Surface) -> Option<String> {
        let left = self.most.saturating_sub(self.taken);
        let is_possible = surface.has_most_holds() && load.calls > left;
        is_possible.then(|| {
            format!(
                "legal holds: the organisation protects at most {} conversations, and {} of them \
                 are taken; migrate --dry-run counts the calls under hold",
                thousands(self.most),
                thousands(self.taken)
            )
        })
    }
}

fn is_plan(path: &Path) -> Result<bool, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let table: toml::Table = toml::from_str(&text)
        .map_err(|error| format!("{}: {}", path.display(), error.message()))?;
    Ok(table.contains_key("plan_version"))
}

/// The vendor's published limits. Source: limit key client.credentials.token.rate.per.minute;
/// migration guide, step 3.
fn usual_pace() -> Pace {
    let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    Pace {
        surface: Surface::Guide,
        requests_per_minute: Some(300),
        tokens: 1,
        uploads_per_second: Some(100),
        megabits_per_second: None,
        cores: u32::try_from(cores).unwrap_or(2),
        verify: true,
    }
}

fn of_plan(loaded: &LoadedPlan) -> Pace {
    let pace = &loaded.plan.pace;
    let surface = Surface::of_plan(&loaded.plan.target);
    Pace {
        surface,
        requests_per_minute: Some(pace.requests_per_minute),
        uploads_per_second: Some(pace.uploads_per_second),
        ..usual_pace()
    }
}

fn pace_of(scenario: &Scenario) -> Pace {
    let limits = &scenario.setup.genesys_cloud;
    let limit = |value: u32| (value > 0).then_some(value);
    let surface = Surface::of_setup(&scenario.setup);
    let (requests_per_minute, uploads_per_second) = match surface.has_limits() {
        true => (
            limit(limits.requests_per_minute),
            limit(limits.uploads_per_second),
        ),
        false => (None, None),
    };
    Pace {
        surface,
        requests_per_minute,
        uploads_per_second,
        ..usual_pace()
    }
}

fn load_of(scenario: &Scenario) -> Load {
    let world = &scenario.setup.world;
    let sizes: Vec<u64> = world
        .codecs
        .iter()
        .filter_map(|codec| bytes_of(codec.name(), world.mean_seconds))
        .collect();
    let mean = sizes.iter().sum::<u64>() / (sizes.len() as u64).max(1);
    // A transferred call has two or three segments, each with a recording.
    let per_call = (1.0 - world.no_recording_share) * (1.0 + 1.5 * world.transfer_share);
    let kept = scenario
        .plan
        .get("audio")
        .and_then(|audio| audio.get("format")?.as_str())
        == Some("keep");
    Load {
        calls: world.interactions,
        recordings: (world.interactions as f64 * per_call).round() as u64,
        mean_seconds: world.mean_seconds,
        source_bytes: mean,
        target_bytes: if kept {
            mean
        } else {
            bytes_of("mp3", world.mean_seconds).unwrap_or(mean)
        },
        transcoded: !kept,
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a date of today is a person's, not a platform's"
)]
fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::system()).date()
}

/// The day on which something ends that begins with `start`.
fn after(start: Date, seconds: f64) -> Option<Date> {
    let begun = start.at(0, 0, 0, 0);
    let end = begun
        .checked_add(jiff::SignedDuration::try_from_secs_f64(seconds).ok()?)
        .ok()?;
    Some(end.date())
}

fn sentence(found: &Forecast, finishes: Option<Date>, late: Option<i64>) -> String {
    let day = finishes.map_or("in no year of this calendar".to_owned(), |date| {
        date.strftime("%-d %B %Y").to_string()
    });
    let late = match late {
        Some(days) if days > 0 => format!(", {days} days late"),
        Some(days) if days < 0 => format!(", {} days early", -days),
        Some(_) => ", on the day".to_owned(),
        None => String::new(),
    };
    format!("finishes {day}{late}; binding limit: {}", found.binding)
}

fn tell(load: &Load, found: &Forecast, bill: Option<&Bill>) {
    let line = |text: String| terminal::say(&text);
    let days = |seconds: f64| {
        if seconds >= 2.0 * 86_400.0 {
            format!("{:.1} days", seconds / 86_400.0)
        } else {
            format!("{:.1} hours", seconds / 3600.0)
        }
    };
    let gigabytes = |bytes: u64| format!("{:.1} GB", bytes as f64 / 1e9);
    line(format!(
        "{} recordings of {} calls, {:.0} s and {} bytes each",
        thousands(load.recordings),
        thousands(load.calls),
        load.mean_seconds,
        thousands(load.source_bytes)
    ));
    for bound in &found.bounds {
        line(format!("  {:<20} {:>12}", bound.limit, days(bound.seconds)));
    }
    if found.verify_seconds > 0.0 {
        line(format!(
            "  {:<20} {:>12}",
            "verification",
            days(found.verify_seconds)
        ));
    }
    line(format!("  {:<20} {:>12}", "in all", days(found.seconds)));
    line(format!(
        "  {} requests, {:.2} a recording:",
        thousands(found.requests_total),
        found.requests_per_recording
    ));
    for tally in found.requests.iter().filter(|tally| tally.count > 0) {
        let counted = if tally.counted {
            "counts towards the token's limit"
        } else {
            ""
        };
        line(format!(
            "    {:<42} {:>12}  {counted}",
            tally.operation,
            thousands(tally.count)
        ));
    }
    line(format!(
        "  answered 429 at most {} times",
        thousands(found.throttled_at_most)
    ));
    line(format!(
        "  {} in, {} out, {} of staging",
        gigabytes(found.bytes_in),
        gigabytes(found.bytes_out),
        gigabytes(found.staging_bytes)
    ));
    if let Some(bill) = bill {
        for (what, cost) in &bill.lines {
            line(format!("    {what:<42} {cost:>12.2} {}", bill.currency));
        }
        line(format!(
            "  costs {:.2} {}; {} requests beyond what is included",
            bill.total, bill.currency, bill.requests_over_quota
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_late_is_a_day_late() {
        let date = |text: &str| text.parse::<Date>().expect("a date");
        assert_eq!(
            after(date("2026-03-01"), 13.5 * 86_400.0),
            Some(date("2026-03-14"))
        );
        let late = |deadline: &str| {
            i64::from(
                date(deadline)
                    .until(date("2026-03-14"))
                    .expect("a span")
                    .get_days(),
            )
        };
        assert_eq!((late("2026-03-05"), late("2026-03-20")), (9, -6));
    }
}
