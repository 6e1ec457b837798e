//! What a client may not say on an open wake socket. Source: RFC 6455 section 5.

use mecum_testkit::Dice;
use mecum_testkit::mutate::mutated;

/// Frames of a flood: more than a socket's buffers hold.
const FLOOD_FRAMES: usize = 4_000;

/// A frame of a client: final, of an opcode, under a mask, with its length in the shortest form.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match payload.len() {
        len @ 0..=125 => frame.push(0x80 | u8::try_from(len).unwrap()),
        len => frame.extend([&[0xff][..], &(len as u64).to_be_bytes()].concat()),
    }
    let mask = [1, 2, 3, 4];
    frame.extend(mask);
    frame.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// A ping, text and close with damage, or frames that no client sends.
pub(crate) fn said(dice: &Dice) -> Vec<u8> {
    match dice.below(20) {
        // Longer than is taken, and lengths of which nothing comes.
        0 => frame(2, &[0; 257]),
        1 => [&[0x82, 0xff][..], &u64::MAX.to_be_bytes(), &[0; 4]].concat(),
        2 => [&[0x82, 0xff][..], &(1_u64 << 40).to_be_bytes(), &[0; 4096]].concat(),
        // A length in a longer form, no mask, bits and opcodes that nobody has.
        3 => vec![0x82, 0xfe, 0, 1, 1, 2, 3, 4, 5],
        4 => vec![0x82, 1, 1],
        5 => vec![0xc2, 0x81, 1, 2, 3, 4, 5],
        6 => [frame(3, &[1]), frame(0xf, b"")].concat(),
        // A continuation of nothing, a beginning in the middle, control frames that are long or in parts.
        7 => frame(0, &[1]),
        8 => [vec![0x02, 0x81, 1, 2, 3, 4, 5], frame(2, &[1])].concat(),
        9 => frame(9, &[0; 126]),
        10 => vec![0x09, 0x81, 1, 2, 3, 4, 5, 0x80, 0x81, 1, 2, 3, 4, 5],
        11 => frame(8, &[3]),
        12 => frame(1, &[0xff, 0xfe]),
        // Floods, whose answers nobody reads; and a message in parts without an end.
        13 => frame(9, &[b'?'; 125]).repeat(FLOOD_FRAMES),
        14 => [vec![0x02, 0x80, 1, 2, 3, 4], [0x00, 0x80, 1, 2, 3, 4].repeat(FLOOD_FRAMES)].concat(),
        15 => frame(2, &[1; 256]).repeat(FLOOD_FRAMES),
        _ => {
            let said = [frame(9, b"?"), frame(1, b"ab"), frame(8, b"")];
            mutated(&said.concat(), dice)
        }
    }
}
