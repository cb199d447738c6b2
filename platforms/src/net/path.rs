//! Paths of which a part comes from outside: ids of any characters.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use crate::error::CallError;

/// What is escaped in a step of a path: all but RFC 3986's unreserved characters. `;` too, for
/// servers take what follows it for a parameter, and tabs and line ends, which URL parsers drop.
const IN_STEP: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The address of these steps below a root, whatever a step holds. One of one or two dots alone has
/// no address: escaped or not it is read as "here" or "up".
pub(crate) fn below(root: &Url, steps: &[&str]) -> Result<Url, CallError> {
    let no_address = |why: &str| CallError::NotSent {
        what: steps.join("/"),
        why: why.to_owned(),
    };
    if root.cannot_be_a_base() {
        return Err(no_address("the address in the plan cannot carry a path"));
    }
    if steps.iter().any(|step| matches!(*step, "." | "..")) {
        return Err(no_address("an id of dots alone cannot stand in an address"));
    }
    let mut path = root.path().trim_end_matches('/').to_owned();
    for step in steps {
        path.push('/');
        path.extend(utf8_percent_encode(step, &IN_STEP));
    }
    let mut url = root.clone();
    url.set_path(&path);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_step_stands_in_an_address_whatever_it_holds() {
        let root = Url::parse("https://platform.example/root/").expect("a URL");
        let rows = [
            ("5002-1", "5002-1"),
            ("a;b", "a%3Bb"),
            ("a/b\\c", "a%2Fb%5Cc"),
            ("50%", "50%25"),
            ("%2e%2e", "%252e%252e"),
            ("what?#", "what%3F%23"),
            ("a b\tc\n", "a%20b%09c%0A"),
            ("é", "%C3%A9"),
            ("a..b", "a..b"),
            ("\"quoted\" 'it'", "%22quoted%22%20%27it%27"),
            ("../users", "..%2Fusers"),
            ("", ""),
        ];
        for (id, wanted) in rows {
            let url = below(&root, &["recordings", id, "media"]).expect(id);
            assert_eq!(
                url.as_str(),
                format!("https://platform.example/root/recordings/{wanted}/media"),
                "{id}"
            );
        }
        for dots in [".", ".."] {
            assert!(
                matches!(
                    below(&root, &["recordings", dots]),
                    Err(CallError::NotSent { .. })
                ),
                "{dots}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_server_that_decodes_a_step_once_finds_the_id(id in ".{1,30}") {
            prop_assume!(id != "." && id != "..");
            let root = Url::parse("https://platform.example").expect("a URL");
            let url = below(&root, &["recordings", &id]).expect("an address");
            let step = url.path().strip_prefix("/recordings/").expect("below the root");
            prop_assert!(!step.contains('/') && url.query().is_none() && url.fragment().is_none());
            prop_assert_eq!(percent_encoding::percent_decode_str(step).decode_utf8().expect("text"), id);
        }
    }
}
