//! Whether a file of Interaction Recording is encrypted as the plan says (D30). Whether it opens
//! shows when its sound is compared (`audio_compare.rs`).

use super::super::{Gir, MediaFacts};
use crate::checks::{Comparison, Pair};
use crate::defect::Defect;
use crate::finding::Finding;

/// `sounds` are the findings about sound: one cause is told once.
pub(super) fn check(site: &Gir, seen: &Comparison<'_>, sounds: &mut Vec<Finding>) {
    for pair in &seen.pairs {
        let Some(wrong) = one(site, seen, pair) else {
            continue;
        };
        let is_same = |finding: &&mut Finding| {
            finding.defect == Defect::EncryptionWrong
                && finding.legacy_recording_id.as_deref() == Some(&*pair.expected.legacy_id)
        };
        match sounds.iter_mut().find(is_same) {
            Some(sound) => sound.consequences.push(format!(
                "{}: {}",
                wrong.field,
                wrong.actual.unwrap_or_default()
            )),
            None => sounds.push(wrong),
        }
    }
}

fn one(site: &Gir, seen: &Comparison<'_>, pair: &Pair<'_>) -> Option<Finding> {
    let (wanted, facts) = (site.encrypted, pair.actual.platform.get::<MediaFacts>()?);
    let told = |is_encrypted: bool| {
        if is_encrypted {
            "encrypted"
        } else {
            "stored clear"
        }
    };
    let has = facts.pkcs7.is_some();
    (wanted != has).then(|| {
        let finding = seen
            .about(pair, Defect::EncryptionWrong, "encryption")
            .expected(told(wanted))
            .actual(told(has));
        finding.because(format!("file is {}", told(has)))
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{codes_under, gir_rules, gir_wanted, media_of, right, site};
    use super::*;

    #[test]
    fn a_file_is_encrypted_where_the_plan_has_certificates() {
        for (wanted, has, codes) in [
            (false, false, &[][..]),
            (true, true, &[]),
            (true, false, &["D30"]),
            (false, true, &["D30"]),
        ] {
            let site = Gir {
                encrypted: wanted,
                ..site()
            };
            let expected = gir_wanted();
            let mut actual = right(&expected);
            if let crate::observed::Recordings::Read(recordings) = &mut actual.recordings {
                recordings
                    .iter_mut()
                    .filter_map(|recording| recording.platform.get_mut::<MediaFacts>())
                    .for_each(|facts| facts.pkcs7 = wanted.then(String::new));
            }
            media_of(&mut actual).pkcs7 = has.then(String::new);
            assert_eq!(
                codes_under(&site, &gir_rules(), &expected, &actual),
                codes,
                "{wanted} {has}"
            );
        }
    }
}
