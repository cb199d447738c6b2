//! Whether a file of Interaction Recording is encrypted as the plan says (D30). Whether it opens is heard (`listen.rs`).

use super::{Pair, Seen};
use crate::defect::Defect;
use crate::finding::Finding;

/// `sounds` are the findings about sound: one cause is told once.
pub(super) fn check(seen: &Seen<'_>, mut sounds: Vec<Finding>) -> Vec<Finding> {
    for pair in &seen.pairs {
        let Some(wrong) = one(seen, pair) else { continue };
        let is_same = |finding: &&mut Finding| {
            finding.defect == Defect::EncryptionWrong && finding.legacy_recording_id.as_ref() == Some(&pair.expected.legacy_id)
        };
        match sounds.iter_mut().find(is_same) {
            Some(sound) => sound.consequences.push(format!("{}: {}", wrong.field, wrong.actual.unwrap_or_default())),
            None => sounds.push(wrong),
        }
    }
    sounds
}

fn one(seen: &Seen<'_>, pair: &Pair<'_>) -> Option<Finding> {
    let (wanted, facts) = (seen.rules.gir.as_ref()?.encrypted, pair.actual.gir.as_ref()?);
    let told = |is_encrypted: bool| if is_encrypted { "encrypted" } else { "stored clear" };
    let has = facts.pkcs7.is_some();
    (wanted != has).then(|| {
        let finding = seen.about(pair, Defect::EncryptionWrong, "encryption").expected(told(wanted)).actual(told(has));
        finding.because(format!("file is {}", told(has)))
    })
}

#[cfg(test)]
mod tests {
    use crate::checks::testing::{gir_codes_under, gir_wanted_under, media_of, right};
    use crate::expected::testing::gir_rules;

    #[test]
    fn a_file_is_encrypted_where_the_plan_has_certificates() {
        for (wanted, has, codes) in [(false, false, &[][..]), (true, true, &[]), (true, false, &["D30"]), (false, true, &["D30"])] {
            let mut rules = gir_rules();
            rules.gir.as_mut().expect("rules").encrypted = wanted;
            let expected = gir_wanted_under(&rules);
            let mut actual = right(&expected);
            if let crate::target::Recordings::Read(recordings) = &mut actual.recordings {
                recordings
                    .iter_mut()
                    .filter_map(|recording| recording.gir.as_mut())
                    .for_each(|facts| facts.pkcs7 = wanted.then(String::new));
            }
            media_of(&mut actual).pkcs7 = has.then(String::new);
            assert_eq!(gir_codes_under(&rules, &expected, &actual), codes, "{wanted} {has}");
        }
    }
}
