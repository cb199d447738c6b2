//! Encrypted files of Interaction Recording, opened: AES-CBC ciphertext, whose key stands in a CMS
//! envelope beside it, encrypted for whoever holds a private key. Source: RFC 5652 section 6; a
//! deployment's own envelopes; docs/reference/gir.md, "Encryption".

use std::path::{Path, PathBuf};

use aes::{Aes128, Aes192, Aes256};
use base64::Engine;
use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt, KeyInit, KeyIvInit};
use cms::cert::IssuerAndSerialNumber;
use cms::content_info::ContentInfo;
use cms::enveloped_data::{
    EnvelopedData, KeyTransRecipientInfo, RecipientIdentifier, RecipientInfo,
};
use const_oid::ObjectIdentifier;
use const_oid::db::{rfc5911, rfc5912};
use der::asn1::OctetString;
use der::{Decode, Encode};
use plan::LoadedPlan;
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::{DecodePrivateKey, DecodePublicKey};
use rsa::traits::PublicKeyParts;
use rsa::{BoxedUint, Pkcs1v15Encrypt, PrivateKey, PublicKey};
use x509_cert::Certificate;

use crate::run_error::RunError;

/// No envelope of a few recipients is longer. Bytes.
const LONGEST: usize = 256 * 1024;

/// Private keys that were given, and the certificates the plan encrypts for.
#[derive(Default)]
pub(crate) struct Keys {
    private: Vec<PrivateKey>,
    certificates: Vec<(IssuerAndSerialNumber, BoxedUint)>,
}

/// What became of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unsealed {
    /// Its content.
    Clear(Vec<u8>),
    /// None of the keys is one it was encrypted for.
    NoKey,
    /// It does not decrypt, though its key is there, or its envelope is none; in words.
    Broken(String),
}

impl Keys {
    /// Reads private keys (PEM, PKCS#8 or PKCS#1) and the plan's certificates. The error names the
    /// file.
    pub(crate) fn read(loaded: &LoadedPlan, files: &[PathBuf]) -> Result<Keys, RunError> {
        let broken = |file: &Path, why: &str| RunError::Plan(format!("{}: {why}", file.display()));
        let text = |file: &Path| {
            std::fs::read_to_string(file)
                .map_err(|error| broken(file, &format!("cannot be read: {error}")))
        };
        let mut keys = Keys::default();
        // Without a key nothing is opened, and nobody's certificate matters.
        if files.is_empty() {
            return Ok(keys);
        }
        for file in files {
            keys.private
                .push(private_key(&text(file)?).map_err(|why| broken(file, &why))?);
        }
        for name in loaded.plan.target.certificates() {
            let file = loaded.resolve_path(name);
            keys.certificates
                .push(certificate(&text(&file)?).map_err(|why| broken(&file, &why))?);
        }
        Ok(keys)
    }

    /// Opens a file by its envelope.
    pub(crate) fn open(&self, pkcs7: &str, ciphertext: &[u8]) -> Unsealed {
        let envelope = match Envelope::read(pkcs7) {
            Ok(envelope) => envelope,
            Err(why) => return Unsealed::Broken(format!("its envelope cannot be read: {why}")),
        };
        let mut broken = None;
        for recipient in &envelope.recipients {
            let known = self.modulus(recipient);
            let fits = |key: &&PrivateKey| match known {
                Some(modulus) => key.n_bytes() == modulus.to_be_bytes_trimmed_vartime(),
                None => key.size() == recipient.enc_key.as_bytes().len(),
            };
            for key in self.private.iter().filter(fits) {
                match (envelope.open(key, recipient, ciphertext), known) {
                    (Ok(clear), Some(_)) => return Unsealed::Clear(clear),
                    // A key that nobody says is the right one may open anything to noise.
                    (Ok(clear), None) if !is_noise(&clear) => return Unsealed::Clear(clear),
                    (Err(why), Some(_)) => broken = Some(why),
                    (Ok(_) | Err(_), None) => {}
                }
            }
        }
        broken.map_or(Unsealed::NoKey, Unsealed::Broken)
    }

    /// Modulus of the certificate a recipient is named by, where the plan has it.
    fn modulus(&self, recipient: &KeyTransRecipientInfo) -> Option<&BoxedUint> {
        let RecipientIdentifier::IssuerAndSerialNumber(named) = &recipient.rid else {
            return None;
        };
        self.certificates
            .iter()
            .find(|(known, _)| known == named)
            .map(|(_, modulus)| modulus)
    }
}

/// An envelope without its content.
struct Envelope {
    recipients: Vec<KeyTransRecipientInfo>,
    algorithm: ObjectIdentifier,
    iv: Vec<u8>,
}

impl Envelope {
    fn read(pem: &str) -> Result<Envelope, String> {
        if pem.len() > LONGEST {
            return Err(format!("longer than {LONGEST} bytes"));
        }
        let der = armoured(pem, &["PKCS7", "CMS"])?.1;
        let info = ContentInfo::from_der(&der).map_err(|error| error.to_string())?;
        if info.content_type != rfc5911::ID_ENVELOPED_DATA {
            return Err("not enveloped data".to_owned());
        }
        let data: EnvelopedData = info
            .content
            .decode_as()
            .map_err(|error: der::Error| error.to_string())?;
        let algorithm = data.encrypted_content.content_enc_alg;
        let iv: OctetString = algorithm
            .parameters
            .as_ref()
            .ok_or("no initial vector")?
            .decode_as()
            .map_err(|error: der::Error| format!("initial vector: {error}"))?;
        let recipients = data
            .recip_infos
            .0
            .into_vec()
            .into_iter()
            .filter_map(|recipient| match recipient {
                RecipientInfo::Ktri(recipient)
                    if recipient.key_enc_alg.oid == rfc5912::RSA_ENCRYPTION =>
                {
                    Some(recipient)
                }
                _ => None,
            });
        Ok(Envelope {
            recipients: recipients.collect(),
            algorithm: algorithm.oid,
            iv: iv.as_bytes().to_vec(),
        })
    }

    fn open(
        &self,
        key: &PrivateKey,
        recipient: &KeyTransRecipientInfo,
        ciphertext: &[u8],
    ) -> Result<Vec<u8>, String> {
        let session = key
            .decrypt(Pkcs1v15Encrypt, recipient.enc_key.as_bytes())
            .map_err(|error| format!("its key: {error}"))?;
        match self.algorithm {
            rfc5911::ID_AES_128_CBC => decrypted::<Aes128>(&session, &self.iv, ciphertext),
            rfc5911::ID_AES_192_CBC => decrypted::<Aes192>(&session, &self.iv, ciphertext),
            rfc5911::ID_AES_256_CBC => decrypted::<Aes256>(&session, &self.iv, ciphertext),
            other => Err(format!("its algorithm {other} is not AES-CBC")),
        }
    }
}

fn decrypted<C: BlockCipherDecrypt + KeyInit>(
    session: &[u8],
    iv: &[u8],
    ciphertext: &[u8],
) -> Result<Vec<u8>, String>
where
    Decryptor<C>: KeyIvInit + BlockModeDecrypt,
{
    let decryptor = Decryptor::<C>::new_from_slices(session, iv)
        .map_err(|_| "its key has another length than its algorithm".to_owned())?;
    let mut bytes = ciphertext.to_vec();
    let length = decryptor
        .decrypt_padded::<Pkcs7>(&mut bytes)
        .map_err(|_| "it does not decrypt with its own key".to_owned())?
        .len();
    bytes.truncate(length);
    Ok(bytes)
}

fn is_noise(bytes: &[u8]) -> bool {
    matches!(
        audio::probe(bytes),
        Err(audio::AudioError::NotAudio {
            looks_like: "encrypted or random bytes"
        })
    )
}

fn private_key(pem: &str) -> Result<PrivateKey, String> {
    let (label, der) = armoured(pem, &["PRIVATE KEY", "RSA PRIVATE KEY"])?;
    let key = match label {
        "PRIVATE KEY" => PrivateKey::from_pkcs8_der(&der).map_err(|error| error.to_string()),
        _ => PrivateKey::from_pkcs1_der(&der).map_err(|error| error.to_string()),
    };
    key.map_err(|error| format!("not an RSA private key: {error}"))
}

fn certificate(pem: &str) -> Result<(IssuerAndSerialNumber, BoxedUint), String> {
    let der = armoured(pem, &["CERTIFICATE"])?.1;
    let told = |error: der::Error| format!("not a certificate: {error}");
    let certificate = Certificate::from_der(&der).map_err(told)?;
    let body = certificate.tbs_certificate();
    let key = body.subject_public_key_info().to_der().map_err(told)?;
    let key = PublicKey::from_public_key_der(&key)
        .map_err(|error| format!("not an RSA certificate: {error}"))?;
    let name = IssuerAndSerialNumber {
        issuer: body.issuer().clone(),
        serial_number: body.serial_number().clone(),
    };
    Ok((name, key.n().as_ref().clone()))
}

/// Label and content of the first block with one of these labels. Lines may have any length:
/// deployments write 64 and 76 characters.
fn armoured<'a>(text: &str, labels: &[&'a str]) -> Result<(&'a str, Vec<u8>), String> {
    for label in labels {
        let (begin, end) = (
            format!("-----BEGIN {label}-----"),
            format!("-----END {label}-----"),
        );
        let Some(from) = text.find(&begin).map(|at| at + begin.len()) else {
            continue;
        };
        let to = text[from..]
            .find(&end)
            .ok_or_else(|| format!("its {end} is missing"))?;
        let body: String = text[from..from + to].split_whitespace().collect();
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(body)
            .map_err(|error| format!("not base64: {error}"))?;
        return Ok((label, bytes));
    }
    if text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") {
        return Err(
            "its key is protected by a passphrase; give it without (`openssl pkey -in FILE \
            -out CLEAR`)"
                .to_owned(),
        );
    }
    Err(format!("no {} in PEM", labels.join(" or ")))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// `openssl` in a folder.
    fn openssl(dir: &Path, arguments: &[&str]) {
        let output = Command::new("openssl")
            .current_dir(dir)
            .args(arguments)
            .output()
            .expect("openssl");
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// A key with its certificate, in files.
    fn recipient(dir: &Path, name: &str) -> (PrivateKey, (IssuerAndSerialNumber, BoxedUint)) {
        let (key, cert) = (format!("{name}.key"), format!("{name}.pem"));
        let subject = format!("/C=US/O=Test/CN={name}");
        openssl(
            dir,
            &[
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", &key, "-out", &cert,
                "-subj", &subject, "-days", "9",
            ],
        );
        let read = |file: &str| std::fs::read_to_string(dir.join(file)).expect(file);
        (
            private_key(&read(&key)).expect("a key"),
            certificate(&read(&cert)).expect("a certificate"),
        )
    }

    /// An envelope as openssl makes it, and its content taken out: what a deployment stores apart.
    fn sealed(
        dir: &Path,
        cipher: &str,
        content: &[u8],
        certificates: &[&str],
    ) -> (String, Vec<u8>) {
        std::fs::write(dir.join("clear"), content).expect("written");
        let mut arguments = vec![
            "cms", "-encrypt", "-binary", cipher, "-in", "clear", "-outform", "DER", "-out",
            "whole",
        ];
        arguments.extend_from_slice(certificates);
        openssl(dir, &arguments);
        let info = ContentInfo::from_der(&std::fs::read(dir.join("whole")).expect("an envelope"))
            .expect("an envelope");
        let mut data: EnvelopedData = info.content.decode_as().expect("enveloped data");
        let ciphertext = data
            .encrypted_content
            .encrypted_content
            .take()
            .expect("content")
            .as_bytes()
            .to_vec();
        let info = ContentInfo {
            content_type: info.content_type,
            content: der::Any::encode_from(&data).expect("encoded"),
        };
        let body =
            base64::engine::general_purpose::STANDARD.encode(info.to_der().expect("encoded"));
        let lines: Vec<&str> = body
            .as_bytes()
            .chunks(76)
            .map(|line| std::str::from_utf8(line).expect("ASCII"))
            .collect();
        (
            format!(
                "-----BEGIN PKCS7-----\n{}\n-----END PKCS7-----\n",
                lines.join("\n")
            ),
            ciphertext,
        )
    }

    fn keys(private: &[&PrivateKey], certificates: &[&(IssuerAndSerialNumber, BoxedUint)]) -> Keys {
        Keys {
            private: private.iter().map(|key| (*key).clone()).collect(),
            certificates: certificates
                .iter()
                .map(|certificate| (*certificate).clone())
                .collect(),
        }
    }

    #[test]
    #[ignore = "needs openssl; ./check runs it"]
    fn a_file_opens_with_the_key_of_any_of_its_recipients_and_no_other() {
        let dir = tempfile::tempdir().expect("a folder");
        let [(one, of_one), (two, of_two), (stranger, _)] =
            ["one", "two", "stranger"].map(|name| recipient(dir.path(), name));
        let sound = audio::encode(&crate::sound::testing::speech(7, 1.0, 1), audio::Codec::Mp3)
            .expect("mp3");
        for cipher in ["-aes-128-cbc", "-aes-192-cbc", "-aes-256-cbc"] {
            let (pem, ciphertext) = sealed(dir.path(), cipher, &sound, &["one.pem", "two.pem"]);
            assert_eq!(ciphertext.len() % 16, 0);
            let rows = [
                (
                    "the first's, without a certificate",
                    keys(&[&one], &[]),
                    Unsealed::Clear(sound.clone()),
                ),
                (
                    "the second's",
                    keys(&[&stranger, &two], &[&of_one, &of_two]),
                    Unsealed::Clear(sound.clone()),
                ),
                (
                    "a stranger's",
                    keys(&[&stranger], &[&of_one]),
                    Unsealed::NoKey,
                ),
                ("none", Keys::default(), Unsealed::NoKey),
            ];
            for (name, keys, wanted) in rows {
                assert_eq!(keys.open(&pem, &ciphertext), wanted, "{cipher} {name}");
            }
            let known = keys(&[&one], &[&of_one]);
            assert!(
                matches!(
                    known.open(&pem, &ciphertext[..ciphertext.len() - 5]),
                    Unsealed::Broken(_)
                ),
                "cut"
            );
            assert!(
                matches!(known.open(&pem, &[]), Unsealed::Broken(_)),
                "empty"
            );
        }
        let (tripled, ciphertext) = sealed(dir.path(), "-des3", &sound, &["one.pem"]);
        assert!(
            matches!(keys(&[&one], &[&of_one]).open(&tripled, &ciphertext), Unsealed::Broken(why) if why.contains("not AES-CBC"))
        );
    }

    #[test]
    fn hostile_texts_are_refused_in_words() {
        let long = "A".repeat(LONGEST + 1);
        for text in [
            "",
            "-----BEGIN PKCS7-----",
            "-----BEGIN PKCS7-----\n-----END PKCS7-----",
            "-----BEGIN PKCS7-----\n!!!!\n-----END PKCS7-----",
            "-----BEGIN PKCS7-----\nMIIB\n-----END PKCS7-----",
            "-----BEGIN PKCS7-----\nMIAGCSqGSIb3DQEHA6CA\n-----END PKCS7-----",
            "-----END PKCS7----------BEGIN PKCS7-----",
            long.as_str(),
        ] {
            assert!(
                matches!(Keys::default().open(text, b"x"), Unsealed::Broken(_)),
                "{}",
                &text[..text.len().min(60)]
            );
            assert!(private_key(text).is_err() && certificate(text).is_err());
        }
        let locked =
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----";
        assert!(private_key(locked).is_err_and(|why| why.contains("passphrase")));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            let body = base64::engine::general_purpose::STANDARD.encode(&bytes);
            let _ = Keys::default().open(&format!("-----BEGIN PKCS7-----\n{body}\n-----END \
                PKCS7-----"), &bytes);
            let _ = private_key(&format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE \
                KEY-----"));
        }
    }
}
