//! An X.509 certificate that signs itself: thirty lines of DER, where the crate's builder would
//! bring a hash of the last century.

use der::pem::{LineEnding, encode_string};

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OBJECT: u8 = 0x06;
const UTF8: u8 = 0x0C;
const PRINTABLE: u8 = 0x13;
const UTC_TIME: u8 = 0x17;
const VERSION: u8 = 0xA0;

/// sha256WithRSAEncryption, with the NULL its parameters are.
const SIGNATURE: [u8; 13] = [
    OBJECT, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 11, 5, 0,
];

/// A tagged value.
fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut bytes = vec![tag];
    match length {
        0..0x80 => bytes.push(length as u8),
        _ => {
            let digits: Vec<u8> = length
                .to_be_bytes()
                .into_iter()
                .skip_while(|byte| *byte == 0)
                .collect();
            bytes.push(0x80 | digits.len() as u8);
            bytes.extend(digits);
        }
    }
    bytes.extend(content);
    bytes
}

/// A small positive number; below 128.
fn small(number: u64) -> Vec<u8> {
    tagged(INTEGER, &[(number & 0x7F) as u8])
}

/// `C=GB,ST=London,L=London,O=Seatrial,CN=<common name>`, DER.
pub(super) fn name(common: &str) -> Vec<u8> {
    let part = |attribute: u8, tag: u8, text: &str| {
        let pair = [
            tagged(OBJECT, &[0x55, 4, attribute]),
            tagged(tag, text.as_bytes()),
        ]
        .concat();
        tagged(SET, &tagged(SEQUENCE, &pair))
    };
    let parts = [
        part(6, PRINTABLE, "GB"),
        part(8, UTF8, "London"),
        part(7, UTF8, "London"),
        part(10, UTF8, "Seatrial"),
        part(3, UTF8, common),
    ];
    tagged(SEQUENCE, &parts.concat())
}

/// A certificate of a public key (SubjectPublicKeyInfo, DER), valid from 2020 to 2049. `serial` is
/// below 128.
pub(super) fn pem(
    serial: u64,
    name: &[u8],
    public_key: &[u8],
    sign: impl FnOnce(&[u8]) -> Option<Vec<u8>>,
) -> Option<String> {
    let algorithm = tagged(SEQUENCE, &SIGNATURE);
    let validity = tagged(
        SEQUENCE,
        &[
            tagged(UTC_TIME, b"200101000000Z"),
            tagged(UTC_TIME, b"491231235959Z"),
        ]
        .concat(),
    );
    let version = tagged(VERSION, &small(2));
    let to_sign = [
        &version,
        &small(serial),
        &algorithm,
        name,
        &validity,
        name,
        public_key,
    ]
    .concat();
    let to_sign = tagged(SEQUENCE, &to_sign);
    let signature = tagged(BIT_STRING, &[vec![0], sign(&to_sign)?].concat());
    let certificate = tagged(SEQUENCE, &[to_sign, algorithm, signature].concat());
    encode_string("CERTIFICATE", LineEnding::LF, &certificate).ok()
}
