//! Bytes that were meant to be read, changed at one place so that a reader stumbles: a field of CBOR or JSON that is absent,
//! empty, too large, of another type, doubled or not canonical, and plain damage. It knows the shape of CBOR, of what is
//! nested in byte strings too, and nothing of what fields mean.

use crate::Dice;

/// Deepest nesting that is looked into.
const MAX_DEPTH: usize = 12;
/// Bytes of the largest field that is put in.
const LARGE_BYTES: usize = 1 << 20;

/// CBOR as far as it is needed to change it.
#[derive(Clone, Debug)]
enum Item {
    /// A head and what follows it, as it is: numbers, simple values, texts.
    Plain(Vec<u8>),
    Bytes(Vec<u8>),
    /// A byte string that holds CBOR itself, as the body of everything that is signed.
    Nested(Box<Item>),
    Array(Vec<Item>),
}

/// The head of an item: its major type, its argument, and how many bytes it takes.
fn head(bytes: &[u8]) -> Option<(u8, u64, usize)> {
    let first = *bytes.first()?;
    let (major, short) = (first >> 5, first & 31);
    let wide = match short {
        0..=23 => return Some((major, u64::from(short), 1)),
        24 => 1,
        25 => 2,
        26 => 4,
        27 => 8,
        _ => return None,
    };
    let argument = bytes.get(1..=wide)?.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    Some((major, argument, 1 + wide))
}

fn put_head(out: &mut Vec<u8>, major: u8, argument: u64) {
    let wide = argument.to_be_bytes();
    let (short, from) = match argument {
        0..=23 => (argument.to_le_bytes()[0], 8),
        24..=0xff => (24, 7),
        0x100..=0xffff => (25, 6),
        0x1_0000..=0xffff_ffff => (26, 4),
        _ => (27, 0),
    };
    out.push(major << 5 | short);
    out.extend(wide.iter().skip(from));
}

/// Reads one item; answers it and how long it was.
fn read(bytes: &[u8], depth: usize) -> Option<(Item, usize)> {
    let (major, argument, taken) = head(bytes)?;
    if depth > MAX_DEPTH {
        return None;
    }
    match major {
        2 | 3 => {
            let end = taken.checked_add(usize::try_from(argument).ok()?)?;
            let inside = bytes.get(taken..end)?;
            if major == 3 {
                return Some((Item::Plain(bytes.get(..end)?.to_vec()), end));
            }
            let whole = |item: (Item, usize)| (item.1 == inside.len()).then_some(item.0);
            let nested =
                inside.first().filter(|first| **first >> 5 == 4).and_then(|_| read(inside, depth + 1));
            let item = match nested.and_then(whole) {
                Some(item) => Item::Nested(Box::new(item)),
                None => Item::Bytes(inside.to_vec()),
            };
            Some((item, end))
        }
        4 => {
            let mut at = taken;
            let mut items = Vec::new();
            for _ in 0..argument {
                let (item, length) = read(bytes.get(at..)?, depth + 1)?;
                items.push(item);
                at += length;
            }
            Some((Item::Array(items), at))
        }
        0 | 1 | 7 => Some((Item::Plain(bytes.get(..taken)?.to_vec()), taken)),
        _ => None,
    }
}

fn write(item: &Item, out: &mut Vec<u8>) {
    match item {
        Item::Plain(bytes) => out.extend_from_slice(bytes),
        Item::Bytes(bytes) => {
            put_head(out, 2, bytes.len() as u64);
            out.extend_from_slice(bytes);
        }
        Item::Nested(inside) => {
            let mut bytes = Vec::new();
            write(inside, &mut bytes);
            write(&Item::Bytes(bytes), out);
        }
        Item::Array(items) => {
            put_head(out, 4, items.len() as u64);
            for item in items {
                write(item, out);
            }
        }
    }
}

fn count(item: &Item) -> u64 {
    1 + match item {
        Item::Nested(inside) => count(inside),
        Item::Array(items) => items.iter().map(count).sum(),
        Item::Plain(_) | Item::Bytes(_) => 0,
    }
}

/// Changes the item with this number, counted from the outside in.
fn change(item: &mut Item, number: &mut u64, dice: &Dice) {
    if *number == 0 {
        *number = u64::MAX;
        *item = hostile(item, dice);
        return;
    }
    *number -= 1;
    match item {
        Item::Nested(inside) => change(inside, number, dice),
        Item::Array(items) => {
            for inside in items {
                if *number == u64::MAX {
                    return;
                }
                change(inside, number, dice);
            }
        }
        Item::Plain(_) | Item::Bytes(_) => {}
    }
}

/// Something else in the place of an item.
fn hostile(item: &Item, dice: &Dice) -> Item {
    let plain = |bytes: &[u8]| Item::Plain(bytes.to_vec());
    let text = |text: &str| {
        let mut out = Vec::new();
        put_head(&mut out, 3, text.len() as u64);
        out.extend_from_slice(text.as_bytes());
        Item::Plain(out)
    };
    match dice.below(26) {
        0 => plain(&[]),
        1 => plain(&[0xf6]),
        2 => plain(&[0x40]),
        3 => plain(&[0x60]),
        4 => plain(&[0x80]),
        5 => plain(&[0xa0]),
        6 => plain(&[0]),
        7 => plain(&[0x1b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        8 => plain(&[0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        9 => plain(&[0x3b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        // A number in more bytes than it needs; a half float that is no number; a tag; an indefinite array.
        10 => plain(&[0x1b, 0, 0, 0, 0, 0, 0, 0, 1]),
        11 => plain(&[0xf9, 0x7e, 0]),
        12 => plain(&[0xc0, 0x60]),
        13 => plain(&[0x9f, 0xff]),
        // Lengths that nothing stands behind.
        14 => plain(&[0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
        15 => plain(&[0x9b, 0, 0, 0, 1, 0, 0, 0, 0]),
        // A lone surrogate, a zero byte, a text that turns the direction.
        16 => plain(&[0x63, 0xed, 0xa0, 0x80]),
        17 => text("\0"),
        18 => text("\u{202e}gnp.exe"),
        19 => Item::Array(vec![item.clone(), item.clone()]),
        20 => {
            let mut twice = Vec::new();
            write(item, &mut twice);
            write(item, &mut twice);
            Item::Plain(twice)
        }
        21 => Item::Bytes(vec![0; 32]),
        22 if dice.once_in(20) => Item::Bytes(vec![b'a'; LARGE_BYTES]),
        23 => (0..40).fold(item.clone(), |inside, _| Item::Array(vec![inside])),
        24 => Item::Nested(Box::new(item.clone())),
        _ => {
            let mut bytes = Vec::new();
            write(item, &mut bytes);
            Item::Plain(damaged(&bytes, dice))
        }
    }
}

/// Plain damage: a bit, a byte, a piece more or less.
fn damaged(bytes: &[u8], dice: &Dice) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let at = |out: &Vec<u8>| usize::try_from(dice.below(out.len() as u64)).unwrap_or(0);
    match dice.below(6) {
        0 => out.truncate(at(&out)),
        1 => {
            let (from, to) = (at(&out), at(&out));
            out.drain(from.min(to)..from.max(to));
        }
        2 => {
            let piece = out.get(at(&out)..).unwrap_or_default().to_vec();
            let place = at(&out);
            out.splice(place..place, piece.into_iter().take(64));
        }
        3 => out.push(dice.bits().to_le_bytes()[0]),
        _ => {
            let place = at(&out);
            if let Some(byte) = out.get_mut(place) {
                *byte ^= 1 << dice.below(8);
            }
        }
    }
    out
}

/// `bytes`, changed at one place, or at a few.
pub fn mutated(bytes: &[u8], dice: &Dice) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for _ in 0..=u32::from(dice.once_in(4)) {
        let whole = read(&out, 0).filter(|(_, length)| *length == out.len());
        match whole {
            Some((mut item, _)) if !dice.once_in(5) => {
                let mut number = dice.below(count(&item));
                change(&mut item, &mut number, dice);
                out.clear();
                write(&item, &mut out);
            }
            _ => out = damaged(&out, dice),
        }
    }
    out
}

/// What stands in the place of a JSON value.
const HOSTILE_JSON: [&str; 22] = [
    "null",
    "true",
    "0",
    "-0",
    "1e999",
    "-1e999",
    "NaN",
    "18446744073709551616",
    "0.1e-400",
    "[]",
    "{}",
    "\"\"",
    "\"\\ud800\"",
    "\"\\u0000\"",
    "\"\\u202e\"",
    "\"9999-12-31T23:59:60Z\"",
    "\"0000-00-00\"",
    "\"2026-02-30\"",
    "{\"resourceType\":\"Patient\"}",
    "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]",
    "\"Patient/x\"",
    "\"urn:uuid:\"",
];

/// JSON, with one value or name changed. Other bytes are damaged plainly.
pub fn mutated_json(bytes: &[u8], dice: &Dice) -> Vec<u8> {
    let starts: Vec<usize> = bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| matches!(byte, b':' | b',' | b'['))
        .map(|(at, _)| at + 1)
        .collect();
    let Some(&start) = dice.choose(&starts) else { return mutated(bytes, dice) };
    let rest = bytes.get(start..).unwrap_or_default();
    let end = start + value_length(rest);
    let value = bytes.get(start..end).unwrap_or_default();
    let put: Vec<u8> = match dice.below(8) {
        0 => Vec::new(),
        1 => [value, b",", value].concat(),
        2 => [b"[", value, b"]"].concat(),
        3 => [&b"[".repeat(200), value, &b"]".repeat(200)].concat(),
        4 => damaged(value, dice),
        _ => dice.choose(&HOSTILE_JSON).map_or(Vec::new(), |text| text.as_bytes().to_vec()),
    };
    [bytes.get(..start).unwrap_or_default(), &put, bytes.get(end..).unwrap_or_default()].concat()
}

/// How long a JSON value at the start of some bytes is.
fn value_length(bytes: &[u8]) -> usize {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' | b'[' => depth += 1,
            b',' | b'}' | b']' if depth == 0 => return at,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An array of a number, a byte string with an array inside, a text and null.
    const SAMPLE: [u8; 11] = [0x84, 0x18, 0x20, 0x44, 0x82, 0x01, 0x41, 0x07, 0x61, 0x61, 0xf6];

    #[test]
    fn what_is_read_is_written_the_same() {
        let (item, length) = read(&SAMPLE, 0).expect("it is CBOR");
        let mut out = Vec::new();
        write(&item, &mut out);
        assert_eq!((out.as_slice(), length), (SAMPLE.as_slice(), SAMPLE.len()), "byte for byte");
        assert_eq!(count(&item), 8, "what is nested is found, and counted with what holds it: {item:?}");
    }

    #[test]
    fn mutations_differ_repeat_by_their_seed_and_take_anything() {
        let all: Vec<_> = (0..300).map(|seed| mutated(&SAMPLE, &Dice::new(seed))).collect();
        assert_eq!(
            all,
            (0..300).map(|seed| mutated(&SAMPLE, &Dice::new(seed))).collect::<Vec<_>>(),
            "by seed"
        );
        let differing = all.iter().filter(|bytes| bytes.as_slice() != SAMPLE).count();
        assert!(differing > 270, "{differing} of 300 are not what they were");
        for seed in 0..300 {
            mutated(&[], &Dice::new(seed));
            mutated(&[0x9b, 0xff], &Dice::new(seed));
        }
    }
}
