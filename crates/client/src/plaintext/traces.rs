//! Zstandard without traces. Its library has an allocator of its own that wipes nothing, and keeps what could not be pressed as it is in
//! a room beside: words of a record would lie there until something else happens to take the place. So something else goes through the
//! same room right after them: noise where it presses, one byte many times where it unpresses.
//!
//! Source for what lies where: zstd 1.5.7, `ZSTD_resetCCtx_internal` (a room of one block for literals, at a place that follows from level
//! and length), `ZSTD_allocateLiteralsBuffer` (a room of 64 KiB, or the output). Whether it is so is seen in a core dump of the process:
//! row 28 of `docs/proof.md`.

use zstd::bulk::{Compressor, Decompressor};

/// Largest block of Zstandard, in bytes. Source: RFC 8878, 3.1.1.2.4.
const BLOCK_BYTES: usize = 128 * 1024;

/// The decoder's own room for literals. Source: zstd 1.5.7, `ZSTD_LITBUFFEREXTRASIZE`.
const ROOM_BYTES: usize = 64 * 1024;

/// A frame of one block whose literals are one byte, 65,536 times, and that repeats nothing (RFC 8878, 3.1.1): the decoder writes it into
/// its room by one `memset`. Noise
/// would do so too, but takes a tenth of what opening a document does.
const ONE_BYTE: [u8; 15] = [
    0x28, 0xb5, 0x2f, 0xfd, // magic number
    0x60, 0x00, 0xff, // one segment; its length less 256, in two bytes
    0x2d, 0x00, 0x00, // the last block, compressed, of five bytes
    0x0d, 0x00, 0x10, 0x00, // literals: one byte repeated, length in twenty bits; the byte
    0x00, // no sequences
];

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

/// What unpresses, and leaves nothing behind.
pub(super) struct Unpressing {
    decoder: Decompressor<'static>,
    /// Where the one byte comes out: of exactly its length, for with more the decoder would put literals there instead of into its room.
    out: Vec<u8>,
}

impl Unpressing {
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self { decoder: Decompressor::new()?, out: vec![0; ROOM_BYTES] })
    }

    /// At most `room` bytes of `bytes`. What the decoder kept of them is overwritten, also where it fails.
    pub(super) fn unpress(&mut self, bytes: &[u8], room: usize) -> std::io::Result<Vec<u8>> {
        let out = self.decoder.decompress(bytes, room);
        let filled = self.decoder.decompress_to_buffer(&ONE_BYTE, &mut self.out[..])?;
        debug_assert_eq!(filled, ROOM_BYTES, "the whole room");
        out
    }
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
    fn what_is_pressed_is_the_same_with_the_noise_behind_it() {
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

    #[test]
    fn one_byte_fills_the_whole_room_of_the_decoder() {
        let mut unpressing = Unpressing::new().expect("memory");
        let words = b"words of a record ".repeat(5_000);
        let pressed = zstd::bulk::compress(&words, 9).expect("memory");
        unpressing.out.fill(7);
        assert_eq!(unpressing.unpress(&pressed, words.len()).expect("whole"), words, "what was pressed");
        assert!(
            unpressing.out.iter().all(|byte| *byte == 0),
            "as many zeros as the room is long came through it"
        );
        unpressing.out.fill(7);
        assert!(unpressing.unpress(&pressed[..pressed.len() - 9], words.len()).is_err(), "cut short");
        assert!(unpressing.out.iter().all(|byte| *byte == 0), "also after a frame that is broken");
        // The frame says what the source says of it: a whole room of literals, and nothing else.
        let section = u32::from_le_bytes([ONE_BYTE[10], ONE_BYTE[11], ONE_BYTE[12], 0]);
        assert_eq!((section & 3, (section >> 2) & 3), (1, 3), "one byte repeated, its length in twenty bits");
        assert_eq!(section >> 4, 65_536, "as long as the room");
    }
}
