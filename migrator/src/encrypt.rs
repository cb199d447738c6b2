//! Encryption of a file for the site's Recording Crypto Server: AES-256-CBC ciphertext apart from
//! its CMS envelope. Source: RFC 5652; the shape is that of a real `pkcs7` value;
//! docs/reference/gir.md, Encryption.

use std::io::{Read, SeekFrom, Write};
use std::path::{Path, PathBuf};

use aes::Aes256;
use audio::Source;
use base64::Engine;
use cbc::Encryptor;
use cbc::cipher::{BlockModeEncrypt, KeyIvInit};
use cms::cert::IssuerAndSerialNumber;
use cms::content_info::{CmsVersion, ContentInfo};
use cms::enveloped_data::{
    EncryptedContentInfo, EnvelopedData, KeyTransRecipientInfo, RecipientIdentifier, RecipientInfo,
    RecipientInfos,
};
use const_oid::db::{rfc5911, rfc5912};
use der::asn1::OctetString;
use der::{Any, Encode};
use plan::LoadedPlan;
use rsa::PublicKey;
use rsa::pkcs8::SubjectPublicKeyInfoRef;
use rsa::traits::PublicKeyParts;
use sha2::{Digest, Sha256};
use x509_cert::Certificate;
use x509_cert::der::DecodePem;

use crate::error::RunError;

/// Bytes of a block, and of an IV.
const BLOCK: usize = 16;
/// Read and encrypted at once.
const PIECE: usize = 64 * 1024;
/// Smaller keys are not taken. Source: Encrypt and ManageCerts.
const LEAST_BITS: u32 = 2048;

/// Whom files are encrypted for.
#[derive(Debug)]
pub(crate) struct Recipients(Vec<Recipient>);

#[derive(Debug)]
struct Recipient {
    id: IssuerAndSerialNumber,
    key: PublicKey,
    alias: String,
}

/// A file that was encrypted: what stands beside its ciphertext.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sealed {
    /// Of the ciphertext.
    pub(crate) bytes: u64,
    /// Of the ciphertext, lower-case hex.
    pub(crate) sha256: String,
    /// The envelope as PEM. Lost, the audio is lost.
    pub(crate) pkcs7: String,
    /// One a line: certificates it was encrypted for.
    pub(crate) cert_alias: String,
}

impl Recipients {
    /// Reads a plan's certificates; `None` where it names none.
    pub(crate) fn of(plan: &LoadedPlan) -> Result<Option<Recipients>, RunError> {
        let recipients = Recipients::read(
            plan.plan
                .target
                .certificates()
                .iter()
                .map(|file| plan.resolve_path(file)),
        )?;
        Ok((!recipients.0.is_empty()).then_some(recipients))
    }

    fn read(files: impl Iterator<Item = PathBuf>) -> Result<Recipients, RunError> {
        files
            .map(|file| recipient(&file))
            .collect::<Result<_, _>>()
            .map(Recipients)
    }

    /// Encrypts all of `source` into `sink` under a key and IV of its own, in bounded memory.
    pub(crate) fn seal(
        &self,
        source: &mut impl Source,
        sink: &mut impl Write,
    ) -> Result<Sealed, String> {
        let (mut key, mut iv) = ([0; 32], [0; BLOCK]);
        let random = getrandom::fill(&mut key).and_then(|()| getrandom::fill(&mut iv));
        random.map_err(|error| format!("the system gives no random bytes: {error}"))?;
        let envelope = self
            .envelope(&key, &iv)
            .map_err(|error| format!("the envelope cannot be made: {error}"))?;
        let (bytes, sha256) = encrypt(&key, &iv, source, sink)
            .map_err(|error| format!("the file cannot be encrypted: {error}"))?;
        let aliases: Vec<&str> = self
            .0
            .iter()
            .map(|recipient| recipient.alias.as_str())
            .collect();
        Ok(Sealed {
            bytes,
            sha256,
            pkcs7: pem(&envelope),
            cert_alias: aliases.join("\n"),
        })
    }

    /// The envelope, in DER, without the content.
    fn envelope(
        &self,
        key: &[u8; 32],
        iv: &[u8; BLOCK],
    ) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
        let mut recipients = Vec::new();
        for recipient in &self.0 {
            recipients.push(RecipientInfo::Ktri(KeyTransRecipientInfo {
                version: CmsVersion::V0,
                rid: RecipientIdentifier::IssuerAndSerialNumber(recipient.id.clone()),
                key_enc_alg: algorithm(rfc5912::RSA_ENCRYPTION, Any::null()),
                enc_key: OctetString::new(recipient.key.pkcs1v15_encrypt(key)?)?,
            }));
        }
        let enveloped = EnvelopedData {
            version: CmsVersion::V0,
            originator_info: None,
            recip_infos: RecipientInfos::try_from(recipients)?,
            encrypted_content: EncryptedContentInfo {
                content_type: rfc5911::ID_DATA,
                content_enc_alg: algorithm(
                    rfc5911::ID_AES_256_CBC,
                    Any::encode_from(&OctetString::new(iv.as_slice())?)?,
                ),
                encrypted_content: None,
            },
            unprotected_attrs: None,
        };
        let content = ContentInfo {
            content_type: rfc5911::ID_ENVELOPED_DATA,
            content: Any::encode_from(&enveloped)?,
        };
        Ok(content.to_der()?)
    }
}

fn algorithm(
    oid: const_oid::ObjectIdentifier,
    parameters: Any,
) -> x509_cert::spki::AlgorithmIdentifierOwned {
    x509_cert::spki::AlgorithmIdentifierOwned {
        oid,
        parameters: Some(parameters),
    }
}

fn recipient(file: &Path) -> Result<Recipient, RunError> {
    let refuse =
        |why: String| RunError::Plan(format!("target.certificates: {}: {why}", file.display()));
    let text = std::fs::read(file).map_err(|error| refuse(error.to_string()))?;
    let certificate = Certificate::from_pem(&text)
        .map_err(|error| refuse(format!("not one X.509 certificate in PEM: {error}")))?;
    let own = certificate.tbs_certificate();
    let spki = own
        .subject_public_key_info()
        .to_der()
        .map_err(|error| refuse(error.to_string()))?;
    let spki = SubjectPublicKeyInfoRef::try_from(spki.as_slice())
        .map_err(|error| refuse(error.to_string()))?;
    let key = PublicKey::try_from(spki).map_err(|_| refuse("its key is not RSA".to_owned()))?;
    let bits = key.n().bit_width();
    if bits < LEAST_BITS {
        return Err(refuse(format!(
            "its key has {bits} bits; {LEAST_BITS} or more are needed"
        )));
    }
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    let issuer: Vec<String> = own.issuer().iter_rdn().map(ToString::to_string).collect();
    let alias = format!(
        "rcs_{name}:1:{}:{}",
        issuer.join(","),
        decimal(own.serial_number().as_bytes())
    );
    Ok(Recipient {
        id: IssuerAndSerialNumber {
            issuer: own.issuer().clone(),
            serial_number: own.serial_number().clone(),
        },
        key,
        alias,
    })
}

/// A big-endian number in decimal.
fn decimal(bytes: &[u8]) -> String {
    let mut digits = vec![0_u8];
    for byte in bytes {
        let mut carry = u16::from(*byte);
        for digit in &mut digits {
            carry += u16::from(*digit) * 256;
            *digit = u8::try_from(carry % 10).unwrap_or(0);
            carry /= 10;
        }
        while carry > 0 {
            digits.push(u8::try_from(carry % 10).unwrap_or(0));
            carry /= 10;
        }
    }
    digits
        .iter()
        .rev()
        .map(|digit| char::from(b'0' + digit))
        .collect()
}

/// Encrypts from the start to the end; length and hash of the ciphertext. Padding as in PKCS#7: 1
/// to 16 bytes, each its own count.
fn encrypt(
    key: &[u8; 32],
    iv: &[u8; BLOCK],
    source: &mut impl Source,
    sink: &mut impl Write,
) -> std::io::Result<(u64, String)> {
    source.seek(SeekFrom::Start(0))?;
    let mut cipher = Encryptor::<Aes256>::new(key.into(), iv.into());
    let (mut hash, mut bytes, mut piece) = (Sha256::new(), 0, Vec::with_capacity(PIECE + BLOCK));
    loop {
        piece.clear();
        let read = source.by_ref().take(PIECE as u64).read_to_end(&mut piece)?;
        let is_last = read < PIECE;
        if is_last {
            let padding = BLOCK - read % BLOCK;
            piece.resize(read + padding, u8::try_from(padding).unwrap_or(0));
        }
        for block in piece.chunks_exact_mut(BLOCK) {
            if let Ok(block) = block.try_into() {
                cipher.encrypt_block(block);
            }
        }
        hash.update(&piece);
        sink.write_all(&piece)?;
        bytes += piece.len() as u64;
        if is_last {
            return Ok((bytes, hex::encode(hash.finalize())));
        }
    }
}

/// As in the field: lines of 76 characters and a new line at the end.
fn pem(der: &[u8]) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let mut pem = "-----BEGIN PKCS7-----\n".to_owned();
    for line in text.as_bytes().chunks(76) {
        pem.extend(line.iter().map(|byte| char::from(*byte)));
        pem.push('\n');
    }
    pem + "-----END PKCS7-----\n"
}

#[cfg(test)]
mod tests;
