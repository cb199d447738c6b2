//! Encrypted media: the certificates a migration encrypts for, and the keys that open what it made
//! (the crypto server's part). Source: Encryption; a `pkcs7` of a real deployment, decoded.

mod certificate;
mod envelope;

use std::convert::Infallible;

use rsa::PrivateKey;
use rsa::pkcs8::{EncodePrivateKey as _, EncodePublicKey as _, LineEnding};
use rsa::rand_core::{TryCryptoRng, TryRng};

pub(super) use self::envelope::open;
use crate::seed::Seed;

/// Bits of a key: the fewest the vendor takes.
const BITS: usize = 2048;

/// A recipient of media: a certificate, as a migration is given it, and its private key.
#[derive(Clone)]
pub(crate) struct Recipient {
    /// File name without its ending: `rcs`, `rcs-2` ..
    pub(crate) name: String,
    /// X.509, PEM.
    pub(crate) certificate: String,
    /// PKCS#8, PEM.
    pub(crate) key_pem: String,
    key: PrivateKey,
    /// The certificate's issuer, DER.
    issuer: Vec<u8>,
    serial: u64,
}

/// So many recipients, the same for the same seed. Making one takes about a second.
pub(super) fn recipients(seed: Seed, count: usize) -> Vec<Recipient> {
    let own = seed.child("recipients");
    (1..=count as u64)
        .filter_map(|number| recipient(own.index(number), number))
        .collect()
}

/// A recipient; absent where a key cannot be written, which a sound library does not bring about.
fn recipient(seed: Seed, number: u64) -> Option<Recipient> {
    let key = PrivateKey::new(&mut Stream { seed, drawn: 0 }, BITS).ok()?;
    let public = key.to_public_key().to_public_key_der().ok()?;
    let name = if number == 1 {
        "rcs".to_owned()
    } else {
        format!("rcs-{number}")
    };
    let serial = 9 + number;
    let issuer = certificate::name(&name);
    let sign = |data: &[u8]| key.pkcs1v15_sign::<rsa::sha2::Sha256>(data).ok();
    let certificate = certificate::pem(serial, &issuer, public.as_bytes(), sign)?;
    let key_pem = key.to_pkcs8_pem(LineEnding::LF).ok()?.to_string();
    Some(Recipient {
        name,
        certificate,
        key_pem,
        key,
        issuer,
        serial,
    })
}

/// Random bits that are a function of a seed: the keys of a rehearsal are nobody's secret.
struct Stream {
    seed: Seed,
    drawn: u64,
}

impl TryRng for Stream {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|bits| (bits >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.drawn += 1;
        Ok(self.seed.index(self.drawn).value())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            let drawn = self.try_next_u64()?.to_le_bytes();
            chunk.copy_from_slice(&drawn[..chunk.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for Stream {}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::{Command, Stdio};

    use super::*;

    fn openssl(dir: &Path, arguments: &[&str]) -> String {
        let output = Command::new("openssl")
            .args(arguments)
            .current_dir(dir)
            .stdin(Stdio::null())
            .output()
            .expect("openssl");
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    #[test]
    fn a_recipient_is_the_same_for_the_same_seed_and_no_other() {
        let [one, again, other] = [1, 1, 2].map(|seed| recipients(Seed::new(seed), 1).remove(0));
        assert_eq!(
            (one.certificate.as_str(), one.key_pem.as_str()),
            (again.certificate.as_str(), again.key_pem.as_str())
        );
        assert_ne!(one.certificate, other.certificate);
    }

    #[test]
    #[ignore = "needs openssl; ./check runs it"]
    fn openssl_reads_a_certificate_and_what_it_encrypts_is_opened_here() {
        let dir = tempfile::tempdir().expect("a folder");
        let all = recipients(Seed::new(7), 2);
        for one in &all {
            std::fs::write(
                dir.path().join(format!("{}.pem", one.name)),
                &one.certificate,
            )
            .expect("written");
            std::fs::write(dir.path().join(format!("{}.key", one.name)), &one.key_pem)
                .expect("written");
        }
        let told = openssl(
            dir.path(),
            &[
                "x509",
                "-in",
                "rcs-2.pem",
                "-noout",
                "-subject",
                "-issuer",
                "-serial",
                "-text",
            ],
        );
        for part in [
            "CN = rcs-2",
            "O = Seatrial",
            "serial=0B",
            "Public-Key: (2048 bit)",
            "sha256WithRSAEncryption",
        ] {
            assert!(
                told.contains(part) || told.contains(&part.replace(" = ", "=")),
                "{part} in {told}"
            );
        }
        openssl(dir.path(), &["verify", "-CAfile", "rcs-2.pem", "rcs-2.pem"]);
        let sound: Vec<u8> = (0..100_000_u32).map(|at| (at % 251) as u8).collect();
        std::fs::write(dir.path().join("call.mp3"), &sound).expect("written");
        for cipher in ["-aes256", "-aes128"] {
            let whole = [
                "cms",
                "-encrypt",
                "-binary",
                cipher,
                "-outform",
                "DER",
                "-in",
                "call.mp3",
                "-out",
                "whole.der",
                "rcs.pem",
                "rcs-2.pem",
            ];
            openssl(dir.path(), &whole);
            let (pkcs7, content) = envelope::detached(
                &std::fs::read(dir.path().join("whole.der")).expect("an envelope"),
            )
            .expect("detached");
            for key in &all {
                let opened = open(&pkcs7, &content, std::slice::from_ref(key)).expect("opened");
                assert_eq!(opened, sound, "{cipher} {}", key.name);
            }
            std::fs::write(dir.path().join("p7.pem"), &pkcs7).expect("written");
            std::fs::write(dir.path().join("call.mp3.bin"), &content).expect("written");
            let read = [
                "cms",
                "-decrypt",
                "-binary",
                "-inform",
                "PEM",
                "-in",
                "p7.pem",
                "-content",
                "call.mp3.bin",
                "-inkey",
                "rcs.key",
            ];
            openssl(
                dir.path(),
                &[&read[..], &["-recip", "rcs.pem", "-out", "read.mp3"]].concat(),
            );
            assert_eq!(
                std::fs::read(dir.path().join("read.mp3")).expect("sound"),
                sound
            );
        }
        let stranger = recipients(Seed::new(8), 1);
        let (pkcs7, content) =
            envelope::detached(&std::fs::read(dir.path().join("whole.der")).expect("an envelope"))
                .expect("detached");
        assert!(open(&pkcs7, &content, &stranger).is_err());
        assert!(
            open(
                "-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----\n",
                &content,
                &all
            )
            .is_err()
        );
        assert!(open(&pkcs7, &content[..content.len() - 1], &all).is_err());
    }
}
