//! How long a call is kept here: by labels that the site's purge rules read. Source:
//! docs/reference/fields.md; docs/reference/gir.md, Retention.

use plan::LoadedPlan;

use super::Names;
use crate::canonical::CanonicalRecording;

/// Labels of a call, from the recordings of it that go.
pub(crate) fn labels<'a>(
    plan: &LoadedPlan,
    names: Names<'_>,
    going: impl Iterator<Item = &'a CanonicalRecording>,
) -> Vec<String> {
    let classes: Vec<Option<&str>> = going
        .map(|recording| recording.retention_class.as_deref())
        .collect();
    let class = longest(plan, &classes).map(class_label);
    [names.batch_label()].into_iter().chain(class).collect()
}

/// The label of a retention class; what no label may hold is percent-encoded.
pub(super) fn class_label(class: &str) -> String {
    class
        .bytes()
        .fold("st-ret-".to_owned(), |label, byte| match byte {
            b' '..=b'~' => label + char::from(byte).encode_utf8(&mut [0; 4]),
            _ => format!("{label}%{byte:02X}"),
        })
}

/// The class that keeps longest: a call has one life here, and nothing may be deleted early. Kept
/// until somebody decides is longest; it has no label where a recording has no class at all.
fn longest<'a>(plan: &LoadedPlan, classes: &[Option<&'a str>]) -> Option<&'a str> {
    let mut named = Vec::new();
    for class in classes {
        named.push((*class)?);
    }
    let years = |class: &str| {
        plan.plan
            .retention
            .class
            .get(class)
            .map(|class| class.years)
    };
    if let Some(unknown) = named.iter().filter(|class| years(class).is_none()).min() {
        return Some(unknown);
    }
    named
        .into_iter()
        .min_by_key(|class| (std::cmp::Reverse(years(class)), *class))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::gir::recording::testing;

    #[test]
    fn the_class_that_keeps_longest_names_the_label() {
        let plan = testing::plan(
            "[retention.class.Five]\nyears = 5\n[retention.class.Seven]\nyears = \
             7\n[retention.class.Also]\nyears = 7\n",
        );
        let rows: [(&[Option<&str>], Option<&str>); 7] = [
            (&[Some("Five"), Some("Seven")], Some("Seven")),
            (&[Some("Seven"), Some("Also"), Some("Five")], Some("Also")),
            (&[Some("Five")], Some("Five")),
            (&[Some("Five"), None], None),
            (&[Some("Seven"), Some("Zeta"), Some("Beta")], Some("Beta")),
            (&[Some("Zeta"), None], None),
            (&[], None),
        ];
        for (classes, wanted) in rows {
            assert_eq!(longest(&plan, classes), wanted, "{classes:?}");
        }
    }

    #[test]
    fn a_label_is_printable_ascii() {
        assert_eq!(class_label("7-Year Retention"), "st-ret-7-Year Retention");
        assert_eq!(
            class_label("Sieben Jahre für immer\n"),
            "st-ret-Sieben Jahre f%C3%BCr immer%0A"
        );
    }
}
