//! Searching recordings, as the index knows them.

use serde_json::{Map, Value, json};

use super::answer::{self, Refused};
use super::dates::{self, Read, UtcMillis};
use super::fields::CALL_TYPES;
use super::recordings::{View, in_path};
use super::settings::{Paging, Zoneless};
use super::state::Recording;
use super::{Gir, rules};
use crate::http::reply::Reply;

/// What a search asks for. Every part that is given has to fit.
#[derive(Default)]
struct Filter {
    caller: Option<String>,
    dialed: Option<String>,
    /// The recording begins at or after this.
    from: Option<UtcMillis>,
    /// The recording begins before this.
    until: Option<UtcMillis>,
    user: Option<String>,
    call_type: Option<String>,
    label: Option<String>,
}

impl Filter {
    fn fits(&self, held: &Recording) -> bool {
        let (start, _) = held.span();
        let is =
            |asked: &Option<String>, fits: &dyn Fn(&str) -> bool| asked.as_deref().is_none_or(fits);
        is(&self.caller, &|asked| is_number(asked, &held.caller))
            && is(&self.dialed, &|asked| is_number(asked, &held.dialed))
            && self.from.is_none_or(|from| start >= from)
            && self.until.is_none_or(|until| start < until)
            && is(&self.user, &|asked| has_user(held, asked))
            && is(&self.call_type, &|asked| {
                held.call_type.as_deref() == Some(asked)
            })
            && is(&self.label, &|asked| held.labels.contains(asked))
    }
}

fn has_user(held: &Recording, asked: &str) -> bool {
    let recorded = held
        .media
        .iter()
        .filter_map(|file| file.parameters.get("username")?.as_str());
    let joined = held
        .events
        .iter()
        .filter_map(|event| event.contact.as_ref()?.user_name.as_deref());
    recorded.chain(joined).any(|name| name == asked)
}

/// Letters and digits of both are compared, case and all; an asterisk stands for any number of
/// them.
fn is_number(asked: &str, held: &str) -> bool {
    let held: String = held.chars().filter(char::is_ascii_alphanumeric).collect();
    let parts: Vec<String> = asked
        .split('*')
        .map(|part| part.chars().filter(char::is_ascii_alphanumeric).collect())
        .collect();
    let [first, middle @ .., last] = parts.as_slice() else {
        return parts.first().is_some_and(|whole| *whole == held);
    };
    let Some(mut rest) = held.strip_prefix(first.as_str()) else {
        return false;
    };
    for part in middle {
        let Some(at) = rest.find(part.as_str()) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last.as_str())
}

/// Parameters of an address, decoded, in their order.
fn parameters(query: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect()
}

impl Gir {
    /// Recordings that fit, by start and id; a page of them.
    pub(super) fn query(&self, view: View, query: &str) -> Result<Reply, Refused> {
        self.mark(&rules::QUERY_NUMBERS);
        self.mark(&rules::QUERY_OTHERS);
        let (mut filter, mut offset, mut whole, mut filters) = (Filter::default(), 0, false, 0);
        let sent = parameters(query);
        for (name, value) in &sent {
            filters += 1;
            match name.as_str() {
                "callerPhoneNumber" => filter.caller = Some(value.clone()),
                "dialedPhoneNumber" => filter.dialed = Some(value.clone()),
                "startTime" => filter.from = Some(self.moment(name, value)?),
                "stopTime" => filter.until = Some(self.moment(name, value)?),
                "userName" => filter.user = Some(value.clone()),
                "callType" if CALL_TYPES.contains(&value.as_str()) => {
                    filter.call_type = Some(value.clone())
                }
                "label" => filter.label = Some(value.clone()),
                "fields" | "offset" => {
                    filters -= 1;
                    match (name.as_str(), value.parse::<usize>()) {
                        ("fields", _) => whole = value == "*",
                        (_, Ok(at)) => offset = at,
                        _ => return Err(Refused::invalid(name, "it must be a whole number")),
                    }
                }
                _ => {
                    return Err(Refused::invalid(
                        name,
                        "it is not known, or its value is not",
                    ));
                }
            }
        }
        if filters == 0 {
            self.mark(&rules::QUERY_NEEDED);
            return Err(Refused::new(
                400,
                answer::Code::Missing,
                "At least one query parameter is required.",
            ));
        }
        self.mark(&rules::QUERY_CAP);
        self.mark(&rules::QUERY_PAGING);
        let offset = if self.settings.paging == Paging::Paged {
            offset
        } else {
            0
        };
        Ok(self.page(view, &filter, offset, whole, &sent))
    }

    fn page(
        &self,
        view: View,
        filter: &Filter,
        offset: usize,
        whole: bool,
        sent: &[(String, String)],
    ) -> Reply {
        let state = self.state();
        let mut found: Vec<&Recording> = state
            .recordings
            .values()
            .filter(|held| self.is_found(held) && filter.fits(held))
            .collect();
        found.sort_by_key(|held| (held.span().0, &held.id));
        let size = self.settings.limits.query_results;
        let page: Vec<Value> = found
            .iter()
            .skip(offset)
            .take(size)
            .map(|held| {
                if whole {
                    self.told(view, held)
                } else {
                    json!(format!("{}{}", self.collection(view), in_path(&held.id)))
                }
            })
            .collect();
        let mut told = Map::from_iter([(
            if whole { "recordings" } else { "uris" }.to_owned(),
            Value::from(page),
        )]);
        if self.settings.paging == Paging::Paged {
            let mut paging = Map::new();
            if offset + size < found.len() {
                paging.insert(
                    "next".to_owned(),
                    json!(self.page_address(view, sent, offset + size)),
                );
            }
            if offset > 0 {
                paging.insert(
                    "previous".to_owned(),
                    json!(self.page_address(view, sent, offset.saturating_sub(size))),
                );
            }
            if !paging.is_empty() {
                told.insert("paging".to_owned(), Value::Object(paging));
            }
        }
        answer::told(200, told)
    }

    fn page_address(&self, view: View, sent: &[(String, String)], offset: usize) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query
            .extend_pairs(sent.iter().filter(|(name, _)| name != "offset"))
            .append_pair("offset", &offset.to_string());
        format!(
            "{}?{}",
            self.collection(view).trim_end_matches('/'),
            query.finish()
        )
    }

    fn moment(&self, name: &str, text: &str) -> Result<UtcMillis, Refused> {
        match dates::read(text) {
            Some(Read::At(moment)) => Ok(moment),
            Some(Read::Zoneless(moment)) if self.settings.zoneless == Zoneless::Utc => Ok(moment),
            _ => Err(Refused::invalid(
                name,
                "it must be an ISO time such as 2013-05-17T11:45:32.000-0800",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_number;

    #[test]
    fn numbers_are_compared_by_letters_and_digits() {
        for (asked, held, fits) in [
            ("+1 (416) 000-0000", "+14160000000", true),
            ("1416*", "+14160000000", true),
            ("*000", "+14160000000", true),
            ("1*6*0", "+14160000000", true),
            ("*", "", true),
            ("416", "+14160000000", false),
            ("14160000000*0", "+14160000000", false),
            ("Bob", "bob", false),
        ] {
            assert_eq!(is_number(asked, held), fits, "{asked} {held}");
        }
    }
}
