//! Base64 in, as RFC 4648 section 4 has it: pieces of a file come as text because the calls are JSON.
//!
//! Strict: only the one right encoding is read. It knows no files.

/// The bytes of base64 text with padding; `None` for anything else.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let unpadded = text.trim_end_matches('=');
    let padding = text.len() - unpadded.len();
    if padding > 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut held, mut bits) = (0_u32, 0_u32);
    for symbol in unpadded.bytes() {
        held = (held << 6) | u32::from(value(symbol)?);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xff).ok()?);
            held &= (1 << bits) - 1;
        }
    }
    // What is left over must be the zero bits that the padding stands for.
    let right = matches!((padding, bits), (0, 0) | (1, 2) | (2, 4));
    (right && held == 0).then_some(bytes)
}

fn value(symbol: u8) -> Option<u8> {
    match symbol {
        b'A'..=b'Z' => Some(symbol - b'A'),
        b'a'..=b'z' => Some(symbol - b'a' + 26),
        b'0'..=b'9' => Some(symbol - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_rfc_4648_are_read() {
        let vectors = [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYg==", "foob"),
            ("Zm9vYmFy", "foobar"),
        ];
        for (text, bytes) in vectors {
            assert_eq!(decode(text).as_deref(), Some(bytes.as_bytes()), "{text:?} reads as RFC 4648 says");
        }
        assert_eq!(decode("+/+/").as_deref(), Some([0xfb, 0xff, 0xbf].as_slice()), "the last two symbols");
    }

    #[test]
    fn anything_but_the_one_encoding_is_refused() {
        for text in ["Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zm 9", "Zm-_", "Zg==Zg==", "Zgé="] {
            assert_eq!(decode(text), None, "{text:?} is refused");
        }
    }
}
