//! Padmé padding: a sealed length tells only the rough size of what is inside.
//!
//! Source: Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs" (2019): at
//! most 12 % overhead, O(log log n) bits leaked.

/// Everything is padded at least to this: most single edits become indistinguishable by size.
pub const PADDING_FLOOR_BYTES: usize = 256;

/// Bytes of the real length in front of the content.
const LENGTH_BYTES: usize = 4;

/// The length that `len` bytes are padded to: the next one whose lower bits are zero, never under the floor.
pub fn padded_len(len: usize) -> usize {
    let len = len.max(PADDING_FLOOR_BYTES);
    let exponent = len.ilog2();
    let kept = exponent.ilog2() + 1;
    let mask = (1usize << (exponent - kept)) - 1;
    len.saturating_add(mask) & !mask
}

/// `length(4, big-endian) || content || zeros`. The content is shorter than 4 GiB: callers check their own limit.
pub(crate) fn pad(content: &[u8]) -> Vec<u8> {
    let total = padded_len(content.len() + LENGTH_BYTES);
    // Room for the tag too: sealing in place must not move a large buffer, and leave an unsealed copy behind.
    let mut out = Vec::with_capacity(total + crate::hazmat::aead::TAG_BYTES);
    let length = u32::try_from(content.len()).expect("callers limit content to megabytes");
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(content);
    out.resize(total, 0);
    out
}

/// The content inside padded bytes, or `None` when these are not the padding of anything.
pub(crate) fn unpad(padded: &[u8]) -> Option<&[u8]> {
    let (length, rest) = padded.split_first_chunk::<LENGTH_BYTES>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (content, zeros) = rest.split_at_checked(length)?;
    let exact = padded.len() == padded_len(length + LENGTH_BYTES);
    (exact && zeros.iter().all(|b| *b == 0)).then_some(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_hides_lengths_at_a_bounded_cost() {
        let mut sizes = std::collections::BTreeSet::new();
        for len in 0..100_000 {
            let padded = padded_len(len);
            assert!(padded >= len && padded >= PADDING_FLOOR_BYTES, "{len} fits into {padded}");
            assert!(len < 256 || padded * 100 <= len * 112, "{len} costs at most 12 %, got {padded}");
            assert_eq!(padded_len(padded), padded, "a padded length stays");
            sizes.insert(padded);
        }
        assert!(sizes.len() < 200, "100,000 lengths become {} sizes", sizes.len());
    }

    #[test]
    fn content_survives_padding_and_false_padding_is_refused() {
        for len in [0, 1, 251, 252, 253, 300, 4_096, 70_001] {
            let content = vec![7u8; len];
            let padded = pad(&content);
            assert_eq!(unpad(&padded), Some(content.as_slice()), "{len} bytes come back");
            let mut dirty = padded.clone();
            if let Some(last) = dirty.last_mut()
                && padded.len() > len + LENGTH_BYTES
            {
                *last = 1;
                assert_eq!(unpad(&dirty), None, "what follows the content is zero");
            }
            let mut longer = padded.clone();
            longer.push(0);
            assert_eq!(unpad(&longer), None, "exactly one padded length exists for {len}");
        }
        assert_eq!(unpad(&[0, 0]), None, "too short for a length");
        assert_eq!(unpad(&[255; 256]), None, "a length beyond the bytes");
    }

    /// Each line a content and what it is padded to, in hexadecimal digits, zeros at the end counted: `digits*zeros`.
    #[test]
    fn padding_is_read_and_written_as_ever() {
        let frozen = include_str!("../../tests/vectors/padding-v1.txt");
        let bytes = |digits: &str| -> Vec<u8> {
            let (pairs, _) = digits.as_bytes().as_chunks::<2>();
            let byte =
                |pair: &[u8; 2]| u8::from_str_radix(&String::from_utf8_lossy(pair), 16).expect("digits");
            pairs.iter().map(byte).collect()
        };
        let mut lines = 0;
        for line in frozen.lines() {
            let (content, padded) = line.split_once(' ').expect("a content and its padding");
            let (content, (digits, zeros)) = (bytes(content), padded.split_once('*').expect("counted"));
            let mut padded = bytes(digits);
            padded.resize(padded.len() + zeros.parse::<usize>().expect("a number"), 0);
            assert_eq!(pad(&content), padded, "{} bytes are padded as ever", content.len());
            assert_eq!(unpad(&padded), Some(content.as_slice()), "and read as ever");
            lines += 1;
        }
        assert!(lines >= 5, "the file holds its vectors");
    }
}
