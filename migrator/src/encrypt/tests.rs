//! What is sealed is opened by OpenSSL, and by nobody without the key.

use std::io::Cursor;
use std::process::Command;

use super::*;

/// What openssl says, in a folder.
fn openssl(dir: &Path, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("openssl")
        .args(arguments)
        .current_dir(dir)
        .output()
        .expect("openssl");
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// A key and a certificate of it, `NAME.key` and `NAME.pem`.
fn certificate(dir: &Path, name: &str, bits: &str) {
    let (key, file, subject) = (
        format!("{name}.key"),
        format!("{name}.pem"),
        format!("/C=US/ST=CA/L=Daly City/O=Example/CN={name}"),
    );
    let new = format!("rsa:{bits}");
    openssl(
        dir,
        &[
            "req",
            "-x509",
            "-newkey",
            &new,
            "-nodes",
            "-keyout",
            &key,
            "-out",
            &file,
            "-subj",
            &subject,
            "-set_serial",
            "10",
            "-days",
            "30",
        ],
    );
}

fn recipients(dir: &Path, names: &[&str]) -> Result<Recipients, RunError> {
    Recipients::read(names.iter().map(|name| dir.join(format!("{name}.pem"))))
}

#[test]
#[ignore = "needs openssl; ./check runs it"]
fn openssl_opens_it_with_each_recipients_key() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    certificate(dir, "rcs", "2048");
    certificate(dir, "spare", "3072");
    let recipients = recipients(dir, &["rcs", "spare"]).expect("recipients");
    for length in [0, 1, 15, 16, 17, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 5] {
        let clear: Vec<u8> = (0..length).map(|at| (at * 31 % 251) as u8).collect();
        let mut stored = Vec::new();
        let sealed = recipients
            .seal(&mut Cursor::new(&clear), &mut stored)
            .expect("sealed");
        assert_eq!(stored.len(), BLOCK * (length / BLOCK + 1));
        assert_eq!(
            (sealed.bytes, &sealed.sha256),
            (stored.len() as u64, &hex::encode(Sha256::digest(&stored)))
        );
        std::fs::write(dir.join("p7.pem"), &sealed.pkcs7).expect("written");
        std::fs::write(dir.join("file.bin"), &stored).expect("written");
        for name in ["rcs", "spare"] {
            let (key, certificate) = (format!("{name}.key"), format!("{name}.pem"));
            let opened = [
                "cms",
                "-decrypt",
                "-binary",
                "-inform",
                "PEM",
                "-in",
                "p7.pem",
                "-content",
                "file.bin",
                "-inkey",
                &key,
                "-recip",
                &certificate,
            ];
            assert!(openssl(dir, &opened) == clear, "{length} bytes, {name}");
        }
    }
}

#[test]
#[ignore = "needs openssl; ./check runs it"]
fn the_envelope_has_the_shape_of_the_field() {
    let dir = tempfile::tempdir().expect("a folder");
    certificate(dir.path(), "rcs", "2048");
    let recipients = recipients(dir.path(), &["rcs"]).expect("recipients");
    let seal = || {
        recipients
            .seal(&mut Cursor::new(b"sound"), &mut Vec::new())
            .expect("sealed")
    };
    let (one, other) = (seal(), seal());
    assert_ne!(one.sha256, other.sha256, "each file has a key of its own");
    assert_eq!(
        one.cert_alias,
        "rcs_rcs:1:C=US,ST=CA,L=Daly City,O=Example,CN=rcs:10"
    );
    assert!(
        one.pkcs7.starts_with("-----BEGIN PKCS7-----\n")
            && one.pkcs7.ends_with("-----END PKCS7-----\n")
    );
    assert!(one.pkcs7.lines().all(|line| line.len() <= 76));
    std::fs::write(dir.path().join("p7.pem"), &one.pkcs7).expect("written");
    let shown = openssl(
        dir.path(),
        &[
            "cms", "-cmsout", "-print", "-inform", "PEM", "-in", "p7.pem",
        ],
    );
    let shown = String::from_utf8_lossy(&shown);
    for part in [
        "pkcs7-envelopedData",
        "rsaEncryption",
        "aes-256-cbc",
        "encryptedContent: <ABSENT>",
        "issuerAndSerialNumber",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
}

#[test]
fn a_certificate_that_is_none_is_refused_by_name() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(
        dir.path().join("torn.pem"),
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    )
    .expect("written");
    for name in ["torn", "absent"] {
        let refused = recipients(dir.path(), &[name])
            .expect_err("no certificate")
            .to_string();
        assert!(refused.contains(&format!("{name}.pem")), "{refused}");
    }
}

#[test]
#[ignore = "needs openssl; ./check runs it"]
fn a_certificate_with_a_short_key_is_refused_with_its_length() {
    let dir = tempfile::tempdir().expect("a folder");
    certificate(dir.path(), "small", "1024");
    let refused = recipients(dir.path(), &["small"])
        .expect_err("a small key")
        .to_string();
    assert!(refused.contains("1024 bits"), "{refused}");
}

#[test]
fn serial_numbers_are_told_in_decimal() {
    for (bytes, wanted) in [
        (&[10][..], "10"),
        (&[0], "0"),
        (&[1, 0], "256"),
        (
            &[0xFF; 20],
            "1461501637330902918203684832716283019655932542975",
        ),
    ] {
        assert_eq!(decimal(bytes), wanted);
    }
}
