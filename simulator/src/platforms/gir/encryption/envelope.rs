//! A media file's `pkcs7`: CMS enveloped data without content; the content is the file, AES in CBC
//! with PKCS#7 padding.

use aes::{Aes128, Aes192, Aes256};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};
use cms::content_info::ContentInfo;
use cms::enveloped_data::{
    EnvelopedData, KeyTransRecipientInfo, RecipientIdentifier, RecipientInfo,
};
use const_oid::db::rfc5911::{ID_AES_128_CBC, ID_AES_192_CBC, ID_AES_256_CBC, ID_ENVELOPED_DATA};
use der::asn1::OctetString;
use der::{Decode as _, Encode as _};

use super::Recipient;

/// The content of a file, by the first of the recipients it is for. An error says why there is
/// none.
pub(crate) fn open(
    pkcs7: &str,
    content: &[u8],
    recipients: &[Recipient],
) -> Result<Vec<u8>, String> {
    let envelope = read(&base64_of(pkcs7)?)?;
    let keys = envelope.recip_infos.0.iter().filter_map(|info| match info {
        RecipientInfo::Ktri(transport) => recipients
            .iter()
            .find(|one| is_for(transport, one))
            .map(|one| (transport, one)),
        _ => None,
    });
    let (transport, recipient) = keys
        .into_iter()
        .next()
        .ok_or("it is for no recipient known here")?;
    let key = recipient
        .key
        .pkcs1v15_decrypt(transport.enc_key.as_bytes())
        .map_err(|error| error.to_string())?;
    let algorithm = &envelope.encrypted_content.content_enc_alg;
    let iv = algorithm
        .parameters
        .as_ref()
        .and_then(|any| any.decode_as::<OctetString>().ok())
        .ok_or("its cipher has no IV")?;
    let opened = match algorithm.oid {
        ID_AES_128_CBC => decrypt::<Decryptor<Aes128>>(&key, iv.as_bytes(), content),
        ID_AES_192_CBC => decrypt::<Decryptor<Aes192>>(&key, iv.as_bytes(), content),
        ID_AES_256_CBC => decrypt::<Decryptor<Aes256>>(&key, iv.as_bytes(), content),
        other => return Err(format!("its cipher {other} is not known")),
    };
    opened.ok_or_else(|| "its content does not open with its key".to_owned())
}

fn decrypt<C: KeyIvInit + BlockModeDecrypt>(
    key: &[u8],
    iv: &[u8],
    content: &[u8],
) -> Option<Vec<u8>> {
    let mut bytes = content.to_vec();
    let length = C::new_from_slices(key, iv)
        .ok()?
        .decrypt_padded::<Pkcs7>(&mut bytes)
        .ok()?
        .len();
    bytes.truncate(length);
    Some(bytes)
}

fn is_for(transport: &KeyTransRecipientInfo, recipient: &Recipient) -> bool {
    let RecipientIdentifier::IssuerAndSerialNumber(named) = &transport.rid else {
        return false;
    };
    let issuer = named.issuer.to_der().ok();
    issuer.as_deref() == Some(recipient.issuer.as_slice())
        && named.serial_number.as_bytes() == [recipient.serial as u8]
}

fn read(der: &[u8]) -> Result<EnvelopedData, String> {
    let info = ContentInfo::from_der(der).map_err(|error| format!("it is no CMS: {error}"))?;
    if info.content_type != ID_ENVELOPED_DATA {
        return Err("it is no enveloped data".to_owned());
    }
    info.content
        .decode_as()
        .map_err(|error| format!("it is no enveloped data: {error}"))
}

/// The bytes between the armour's lines. Real ones have lines of 76 characters, where the PEM of
/// RFC 7468 has 64.
fn base64_of(pem: &str) -> Result<Vec<u8>, String> {
    let lines = pem
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with("-----"));
    STANDARD
        .decode(lines.collect::<String>())
        .map_err(|error| format!("it is no PEM: {error}"))
}

/// A whole envelope as a PEM without its content, and that content: how a migration stores it.
#[cfg(test)]
pub(super) fn detached(der: &[u8]) -> Option<(String, Vec<u8>)> {
    let mut envelope = read(der).ok()?;
    let content = envelope
        .encrypted_content
        .encrypted_content
        .take()?
        .into_bytes();
    let info = ContentInfo {
        content_type: ID_ENVELOPED_DATA,
        content: der::Any::encode_from(&envelope).ok()?,
    };
    let pem =
        der::pem::encode_string("PKCS7", der::pem::LineEnding::LF, &info.to_der().ok()?).ok()?;
    Some((pem, content.to_vec()))
}
