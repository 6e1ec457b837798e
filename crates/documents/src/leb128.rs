//! Unsigned numbers of few bytes: seven bits in each, the low ones first, and the high bit where another byte follows (LEB128, as DWARF 5
//! section 7.6 has it).

/// Writes a number, in one to ten bytes.
pub fn put(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let low = u8::try_from(value & 0x7f).unwrap_or(0);
        value >>= 7;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

/// Reads a number from the front of `rest`, which then begins behind it; `None` where it ends too early or has more than 64 bits.
pub fn take(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        let part = u64::from(byte & 0x7f);
        if shift == 63 && part > 1 {
            return None;
        }
        value |= part << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_comes_back_and_what_is_cut_or_too_large_is_none() {
        for value in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            let mut bytes = Vec::new();
            put(&mut bytes, value);
            assert_eq!(take(&mut [bytes.clone(), vec![7]].concat().as_slice()), Some(value), "{value}");
            for at in 0..bytes.len() {
                assert_eq!(take(&mut &bytes[..at]), None, "{value}, cut at {at}");
            }
        }
        let too_large = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02];
        assert_eq!(take(&mut too_large.as_slice()), None, "a bit beyond the 64th");
        assert_eq!(take(&mut [0x80; 11].as_slice()), None, "no end");
    }
}
