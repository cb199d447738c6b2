//! File names that are made of ids of the source.

use sha2::{Digest, Sha256};

/// Longest name that is taken from the source; beyond it file systems (255 bytes) and the hash and
/// ending behind it leave no room.
const NAME_MOST: usize = 180;

/// A name made of an id of the source: what may not stand in one becomes `_`, and one too long is
/// cut, with a hash of all of it to tell it apart.
pub(crate) fn name_of(id: &str, may_stand: impl Fn(char) -> bool) -> String {
    let name: String = id
        .chars()
        .map(|c| if may_stand(c) { c } else { '_' })
        .collect();
    if name.len() <= NAME_MOST {
        return name;
    }
    let end = name.floor_char_boundary(NAME_MOST - 13);
    format!(
        "{}_{}",
        &name[..end],
        &hex::encode(Sha256::digest(id))[..12]
    )
}

#[cfg(test)]
mod tests {
    use super::name_of;

    #[test]
    fn a_name_holds_what_it_may_and_is_short_enough() {
        let plain = |c: char| c.is_alphanumeric() || c == '-';
        assert_eq!(name_of("5002-1", plain), "5002-1");
        assert_eq!(name_of("a/b;c", plain), "a_b_c");
        let long = |end: &str| name_of(&format!("{}{end}", "\u{e9}".repeat(200)), plain);
        assert!(long("1").len() <= 180 && long("1") != long("2") && long("1") == long("1"));
    }
}
