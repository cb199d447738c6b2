//! G.711: logarithmic 8-bit samples. Decoding by table, encoding by the segment search of the ITU's
//! description.

/// Linear value of every mu-law byte.
pub(crate) static MULAW: [i16; 256] = mulaw_table();
/// Linear value of every A-law byte.
pub(crate) static ALAW: [i16; 256] = alaw_table();

const MULAW_BIAS: i32 = 0x84;
const MULAW_CLIP: i32 = 32_635;

const fn mulaw_table() -> [i16; 256] {
    let mut out = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let code = !(byte as u8);
        let exponent = (code >> 4) & 7;
        let mantissa = (code & 15) as i32;
        let magnitude = (((mantissa << 3) + MULAW_BIAS) << exponent) - MULAW_BIAS;
        out[byte] = if code & 0x80 != 0 {
            -magnitude as i16
        } else {
            magnitude as i16
        };
        byte += 1;
    }
    out
}

const fn alaw_table() -> [i16; 256] {
    let mut out = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let code = (byte as u8) ^ 0x55;
        let exponent = (code >> 4) & 7;
        let mantissa = ((code & 15) as i32) << 4;
        let magnitude = match exponent {
            0 => mantissa + 8,
            exponent => (mantissa + 0x108) << (exponent - 1),
        };
        out[byte] = if code & 0x80 != 0 {
            magnitude as i16
        } else {
            -magnitude as i16
        };
        byte += 1;
    }
    out
}

/// The mu-law byte nearest below in magnitude, as the ITU's reference quantises.
pub(crate) fn mulaw(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let magnitude = i32::from(sample).abs().min(MULAW_CLIP) + MULAW_BIAS;
    // The bias puts the leading one at bit 7 at least, so the exponent is 0..=7.
    let exponent = 24 - magnitude.leading_zeros();
    let mantissa = (magnitude >> (exponent + 3)) & 15;
    !(sign | (exponent as u8) << 4 | mantissa as u8)
}

/// The A-law byte of the interval the sample lies in.
pub(crate) fn alaw(sample: i16) -> u8 {
    let sign = if sample < 0 { 0 } else { 0x80 };
    // One's complement for negative values, so that -1 and 0 fall into mirrored intervals.
    let magnitude = i32::from(if sample < 0 { !sample } else { sample });
    let code = match magnitude {
        0..256 => magnitude >> 4,
        _ => {
            let exponent = 24 - magnitude.leading_zeros();
            ((exponent as i32) << 4) | ((magnitude >> (exponent + 3)) & 15)
        }
    };
    (code as u8 | sign) ^ 0x55
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives_decoding_and_encoding() {
        for byte in 0..=255u8 {
            // 0x7f is minus zero in mu-law; it comes back as plus zero.
            if byte != 0x7f {
                assert_eq!(mulaw(MULAW[usize::from(byte)]), byte, "mu-law {byte:#x}");
            }
            assert_eq!(alaw(ALAW[usize::from(byte)]), byte, "A-law {byte:#x}");
        }
    }

    #[test]
    fn the_extremes_are_coded_without_overflow() {
        assert_eq!(MULAW[usize::from(mulaw(i16::MIN))], -32_124);
        assert_eq!(MULAW[usize::from(mulaw(i16::MAX))], 32_124);
        assert_eq!(ALAW[usize::from(alaw(i16::MIN))], -32_256);
        assert_eq!(ALAW[usize::from(alaw(i16::MAX))], 32_256);
    }
}
