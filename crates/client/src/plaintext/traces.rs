//! Zstandard without traces. Its library has an allocator of its own that wipes nothing, and keeps what could not be pressed as it is in
//! a room beside: words of a record would lie there until something else happens to take the place. So noise goes through the same room
//! right after them.
//!
//! Source for what lies where: zstd 1.5.7, `ZSTD_resetCCtx_internal` (a room of one block for literals, at a place that follows from level
//! and length), `ZSTD_allocateLiteralsBuffer` (a room of 64 KiB, or the output). Whether it is so is seen in a core dump of the process:
//! row 28 of `docs/proof.md`.

use std::sync::OnceLock;

use zstd::bulk::{Compressor, Decompressor};

/// Largest block of Zstandard, in bytes. Source: RFC 8878, 3.1.1.2.4.
const BLOCK_BYTES: usize = 128 * 1024;

/// Noise is unpressed in the next larger of these lengths, from 1 KiB on.
const LEAST_BYTES: usize = 1024;

/// Presses (RFC 8878).
pub(super) fn press(bytes: &[u8], level: i32) -> Vec<u8> {
    let mut pressing = Compressor::new(level).expect("memory takes it");
    let pressed = pressing.compress(bytes).expect("memory takes every byte");
    // Of the same length, so that everything has the same place. Two blocks of noise fill any room for one; the rest is quickly done.
    let mut other = noise(bytes.len().min(2 * BLOCK_BYTES), u8::MAX);
    other.resize(bytes.len(), 0);
    pressing.compress(&other).expect("memory takes every byte");
    pressed
}

/// Overwrites what unpressing up to `room` bytes has left.
pub(super) fn overwrite(unpressing: &mut Decompressor<'_>, room: usize) {
    static PRESSED: OnceLock<Vec<(usize, Vec<u8>)>> = OnceLock::new();
    let pressed = PRESSED.get_or_init(|| {
        let lengths = std::iter::successors(Some(LEAST_BYTES), |length| Some(length * 2));
        lengths
            .take_while(|length| *length <= BLOCK_BYTES)
            .map(|length| (length, pressed_noise(length)))
            .collect()
    });
    // Twice as long: some of it is no literal.
    let enough = pressed.iter().find(|(length, _)| *length >= room.saturating_mul(2));
    if let Some((length, noise)) = enough.or(pressed.last()) {
        // With room for just this: with more, the literals would be put into that.
        let _ = unpressing.decompress(noise, *length);
    }
}

/// Of six bits a byte: then it is pressed a little, and not put there as it is.
fn pressed_noise(length: usize) -> Vec<u8> {
    zstd::bulk::compress(&noise(length, 0x3f), 1).expect("memory takes every byte")
}

/// Bytes that do not repeat. They need not be secret, nor others the next time.
fn noise(length: usize, bits: u8) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = || {
        // Xorshift. Source: Marsaglia, "Xorshift RNGs", 2003.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()[0] & bits
    };
    std::iter::repeat_with(next).take(length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_fills_the_rooms_for_literals_that_a_record_could_have_filled() {
        for room in [1, 500, 4_000, 64 * 1024, 1 << 20] {
            let mut unpressing = Decompressor::new().expect("memory");
            overwrite(&mut unpressing, room);
        }
        for length in [1024, 16 * 1024, BLOCK_BYTES] {
            let pressed = pressed_noise(length);
            // Six of eight bits, and no more: next to nothing is a repetition, and all of it goes through the room for literals.
            assert!(pressed.len() * 8 > length * 6, "all literals: {} of {length}", pressed.len());
            assert!(pressed.len() < length, "and pressed");
        }
        let words = b"words of a record ".repeat(50_000);
        for length in [0, 1, 100, 5_000, 200_000, words.len()] {
            let words = words.get(..length).expect("long enough");
            let pressed = press(words, 9);
            assert_eq!(
                pressed,
                zstd::bulk::compress(words, 9).expect("memory"),
                "the same bytes as without it"
            );
        }
    }
}
