//! A line as bytes: what names a row of a table is its number, numbers take as many bytes as they
//! need.

use std::collections::HashMap;

use crate::http::request_context::Sha;
use crate::http::served::Served;
use crate::operations::Operation;

/// A line as it is kept.
#[derive(Clone, Debug)]
pub(super) struct Line<'a> {
    pub(super) at_ms: i64,
    pub(super) platform: &'static str,
    pub(super) operation: &'static Operation,
    pub(super) key: &'a str,
    pub(super) fault: Option<&'a str>,
    pub(super) effect: Option<&'static str>,
    pub(super) bytes_in: u64,
    pub(super) bytes_out: u64,
    pub(super) attempt: u32,
    pub(super) status: u16,
    pub(super) work_status: u16,
    pub(super) digest_in: Option<&'a [u8]>,
    pub(super) digest_out: Option<&'a [u8]>,
}

/// Numbers of what lines name.
#[derive(Clone, Default)]
pub(super) struct Names {
    operations: Vec<&'static Operation>,
    /// By address: a table's row is one object.
    numbers: HashMap<usize, u64>,
    words: Vec<&'static str>,
}

impl Names {
    fn of_operation(&mut self, operation: &'static Operation) -> u64 {
        let address = std::ptr::from_ref(operation) as usize;
        *self.numbers.entry(address).or_insert_with(|| {
            self.operations.push(operation);
            self.operations.len() as u64 - 1
        })
    }

    fn of_word(&mut self, word: &'static str) -> u64 {
        let known = self.words.iter().position(|known| *known == word);
        known.unwrap_or_else(|| {
            self.words.push(word);
            self.words.len() - 1
        }) as u64
    }

    /// Adds a line's bytes.
    pub(super) fn write(&mut self, served: &Served<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(&served.at_ms.to_le_bytes());
        let effect = served.effect.map_or(0, |effect| self.of_word(effect) + 1);
        let numbers = [
            self.of_word(served.platform),
            self.of_operation(served.operation),
            effect,
            served.bytes_in,
            served.bytes_out,
            u64::from(served.attempt),
            u64::from(served.status),
            u64::from(served.work_status),
        ];
        numbers
            .into_iter()
            .for_each(|number| put_number(out, number));
        put_bytes(out, served.key.as_bytes());
        put_bytes(out, served.fault.as_deref().unwrap_or_default().as_bytes());
        put_digest(out, served.metadata.digest);
        put_digest(out, served.digest_out);
    }

    /// Takes one line off the front; `None` at the end.
    pub(super) fn read<'a>(&self, bytes: &mut &'a [u8]) -> Option<Line<'a>> {
        let (at_ms, rest) = bytes.split_first_chunk::<8>()?;
        *bytes = rest;
        let word = |number: u64| self.words.get(usize::try_from(number).ok()?).copied();
        let platform = word(number(bytes)?)?;
        let operation = self.operations.get(usize::try_from(number(bytes)?).ok()?)?;
        let effect = match number(bytes)? {
            0 => None,
            effect => Some(word(effect - 1)?),
        };
        let (bytes_in, bytes_out) = (number(bytes)?, number(bytes)?);
        let attempt = u32::try_from(number(bytes)?).ok()?;
        let (status, work_status) = (
            u16::try_from(number(bytes)?).ok()?,
            u16::try_from(number(bytes)?).ok()?,
        );
        let key = std::str::from_utf8(piece(bytes)?).ok()?;
        let fault = std::str::from_utf8(piece(bytes)?).ok()?;
        let (digest_in, digest_out) = (piece(bytes)?, piece(bytes)?);
        let some = |digest: &'a [u8]| (!digest.is_empty()).then_some(digest);
        Some(Line {
            at_ms: i64::from_le_bytes(*at_ms),
            platform,
            operation,
            key,
            fault: (!fault.is_empty()).then_some(fault),
            effect,
            bytes_in,
            bytes_out,
            attempt,
            status,
            work_status,
            digest_in: some(digest_in),
            digest_out: some(digest_out),
        })
    }
}

fn put_digest(out: &mut Vec<u8>, digest: Option<Sha>) {
    put_bytes(out, digest.as_ref().map_or(&[], |digest| digest.as_slice()));
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Seven bits a byte, the lowest first; the last byte has no high bit.
fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn piece<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(number(bytes)?).ok()?;
    let (piece, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(piece)
}
