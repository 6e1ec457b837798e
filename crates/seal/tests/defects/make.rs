//! The generator: everything that can be wrong with one good envelope, one thing at a time.

use mecum_seal::sha256;
use serde_json::{Value, json};

use super::good::{
    FIELDS, LENGTHS, PLAINTEXT, Parts, byte_string, derived, encrypted, key_bytes, padded, value,
    wide_byte_string,
};
use super::hex;

/// Defects with their names and the refusals that the generator's author expects, written down by hand.
struct Defects(Vec<(String, Vec<u8>, [u8; 32], String)>);

impl Defects {
    fn add(&mut self, name: impl Into<String>, bytes: Vec<u8>, refusal: &str) {
        self.0.push((name.into(), bytes, key_bytes(), refusal.to_owned()));
    }

    /// The good envelope with one part replaced after sealing.
    fn part(&mut self, name: impl Into<String>, refusal: &str, change: impl FnOnce(&mut Parts)) {
        let mut parts = Parts::good();
        change(&mut parts);
        self.add(name, parts.bytes(), refusal);
    }

    fn truncated(&mut self) {
        let good = Parts::good();
        let (bytes, places) = (good.bytes(), good.places());
        for pair in places.windows(2) {
            let [(start, name), (end, _)] = pair else { continue };
            self.add(format!("cut before the {name}"), bytes[..*start].to_vec(), "parse: Malformed");
            if end - start > 1 {
                let middle = start + (end - start) / 2;
                self.add(format!("cut within the {name}"), bytes[..middle].to_vec(), "parse: Malformed");
            }
        }
        self.add("cut before the last byte", bytes[..bytes.len() - 1].to_vec(), "parse: Malformed");
    }

    fn framing(&mut self) {
        let good = Parts::good().bytes();
        for (name, byte) in [("two", 0x82), ("four", 0x84), ("no", 0x80)] {
            self.part(format!("{name} parts"), "parse: Malformed", |p| p.outer = vec![byte]);
        }
        for (name, byte) in [("nine", 0x89), ("eleven", 0x8b)] {
            self.part(format!("{name} header fields"), "parse: Malformed", |p| p.count = vec![byte]);
        }
        self.part("an open-ended outer array", "parse: Malformed", |p| {
            p.outer = vec![0x9f];
            p.after = vec![0xff];
        });
        self.part("an open-ended header", "parse: Malformed", |p| {
            p.count = vec![0x9f];
            p.fields[9].push(0xff);
        });
        self.part("the outer array's length in two bytes", "parse: NotCanonical", |p| {
            p.outer = vec![0x98, 3];
        });
        self.part("the header's length in two bytes", "parse: NotCanonical", |p| p.count = vec![0x98, 10]);
        self.part("a tag before the envelope", "parse: Malformed", |p| p.outer = vec![0xd8, 24, 0x83]);
        self.part("a map instead of an array", "parse: Malformed", |p| p.outer = vec![0xa3]);
        for (name, after) in [
            ("a zero byte after the end", vec![0]),
            ("a break after the end", vec![0xff]),
            ("a second envelope after the end", good.clone()),
        ] {
            self.part(name, "parse: Trailing", |p| p.after = after);
        }
        self.add("a byte before the beginning", [vec![0], good.clone()].concat(), "parse: Malformed");
        self.add("as a hex text", hex(&good).into_bytes(), "parse: Malformed");
        self.add("wrapped into a byte string", byte_string(&good), "parse: Malformed");
    }

    fn versions(&mut self) {
        for version in [0u8, 2, 3, 23] {
            self.part(format!("version {version}"), &format!("parse: UnknownVersion({version})"), |p| {
                p.fields[0] = vec![version];
            });
        }
        let largest = u64::MAX;
        self.part("the largest version", &format!("parse: UnknownVersion({largest})"), |p| {
            p.fields[0] = [vec![0x1b], largest.to_be_bytes().to_vec()].concat();
        });
        self.part("a later version with more fields", "parse: UnknownVersion(2)", |p| {
            p.count = vec![0x8b];
            p.fields[0] = vec![2];
            p.fields[9].push(0);
        });
        self.part("version minus one", "parse: Malformed", |p| p.fields[0] = vec![0x20]);
        self.part("a version of half precision", "parse: Malformed", |p| p.fields[0] = vec![0xf9, 0x3c, 0]);
        self.part("no version", "parse: Malformed", |p| p.fields[0] = vec![0xf6]);
        // Sealed by a writer who meant it: a version is known or not, whatever the key says.
        let sealed = Parts::sealing(&padded(), |p| p.fields[0] = vec![2]);
        self.add("version 2, sealed as such", sealed.bytes(), "parse: UnknownVersion(2)");
    }

    fn types_and_lengths(&mut self) {
        for (at, name) in FIELDS.iter().enumerate() {
            let Some(len) = LENGTHS[at] else { continue };
            let bytes = value(name, len);
            let mut with = |what: String, refusal: &str, field: Vec<u8>| {
                self.part(what, refusal, |p| p.fields[at] = field);
            };
            with(format!("a {name} one byte short"), "parse: Malformed", byte_string(&bytes[1..]));
            let longer = [bytes.clone(), vec![0]].concat();
            with(format!("a {name} one byte long"), "parse: Malformed", byte_string(&longer));
            with(format!("an empty {name}"), "parse: Malformed", vec![0x40]);
            with(format!("a {name} that is null"), "parse: Malformed", vec![0xf6]);
            let text = [vec![0x78, u8::try_from(len).expect("short")], vec![b'a'; len]].concat();
            with(format!("a {name} that is a text"), "parse: Malformed", text);
            let pieces = [vec![0x5f], byte_string(&bytes), vec![0xff]].concat();
            with(format!("a {name} in pieces"), "parse: Malformed", pieces);
            let width = if len < 24 { 1 } else { 2 };
            let wide = wide_byte_string(&bytes, width);
            with(format!("a {name} with a longer length than needed"), "parse: NotCanonical", wide);
        }
        for (at, name, small, wide) in [(5, "position", 7u8, 24u8), (6, "epoch", 3, 24)] {
            self.part(format!("a {name} in two bytes"), "parse: NotCanonical", |p| {
                p.fields[at] = vec![wide, small];
            });
            self.part(format!("a {name} in nine bytes"), "parse: NotCanonical", |p| {
                p.fields[at] = vec![0x1b, 0, 0, 0, 0, 0, 0, 0, small];
            });
            self.part(format!("a negative {name}"), "parse: Malformed", |p| p.fields[at] = vec![0x20]);
            self.part(format!("a {name} that is a bignum"), "parse: Malformed", |p| {
                p.fields[at] = vec![0xc2, 0x41, 7];
            });
            self.part(format!("a {name} with a fraction"), "parse: Malformed", |p| {
                p.fields[at] = vec![0xf9, 0x47, 0];
            });
        }
        self.part("position zero", "parse: NoSequence", |p| p.fields[5] = vec![0]);
        let sealed = Parts::sealing(&padded(), |p| p.fields[5] = vec![0]);
        self.add("position zero, sealed as such", sealed.bytes(), "parse: NoSequence");
        self.part("an epoch of 33 bits", "parse: Malformed", |p| {
            p.fields[6] = vec![0x1b, 0, 0, 0, 1, 0, 0, 0, 0];
        });
        let commitment = value("commitment", 32);
        self.part("a commitment one byte short", "parse: Malformed", |p| {
            p.commitment = byte_string(&commitment[1..]);
        });
        self.part("a commitment one byte long", "parse: Malformed", |p| {
            p.commitment = byte_string(&[commitment.clone(), vec![0]].concat());
        });
        self.part("no commitment", "parse: Malformed", |p| p.commitment = vec![0xf6]);
        self.part("commitment and ciphertext exchanged", "parse: Malformed", |p| {
            std::mem::swap(&mut p.commitment, &mut p.ciphertext);
        });
    }

    fn ciphertexts(&mut self) {
        let both = derived(&key_bytes(), &value("salt", 32), &Parts::good().header());
        let sealed = encrypted(&both[..32], &Parts::good().header(), &padded());
        for (name, len) in [
            ("no ciphertext", 0),
            ("half a tag", 8),
            ("a tag alone", 16),
            ("a ciphertext below the floor", 255 + 16),
            ("a ciphertext one byte above the floor", 257 + 16),
            ("a ciphertext between two sizes", 300 + 16),
        ] {
            let mut bytes = sealed.clone();
            bytes.resize(len, 9);
            self.part(name, "parse: BadLength", |p| p.ciphertext = byte_string(&bytes));
        }
        self.part("a ciphertext with a length of four bytes", "parse: NotCanonical", |p| {
            p.ciphertext = wide_byte_string(&sealed, 4);
        });
        self.part("a ciphertext with a length of eight bytes", "parse: NotCanonical", |p| {
            p.ciphertext = wide_byte_string(&sealed, 8);
        });
        self.part("a ciphertext in pieces", "parse: Malformed", |p| {
            p.ciphertext = [vec![0x5f], byte_string(&sealed), vec![0xff]].concat();
        });
        self.part("a ciphertext that claims four gigabytes", "parse: Malformed", |p| {
            p.ciphertext = [vec![0x5a, 0xff, 0xff, 0xff, 0xff], sealed.clone()].concat();
        });
        self.part("a ciphertext that claims all there is", "parse: Malformed", |p| {
            p.ciphertext = [vec![0x5b], vec![0xff; 8], sealed.clone()].concat();
        });
        self.part("a ciphertext that claims a byte more", "parse: Malformed", |p| p.ciphertext[2] += 1);
        self.part("a ciphertext that claims a byte less", "parse: Trailing", |p| p.ciphertext[2] -= 1);
        let flips: [(&str, usize); 6] = [
            ("the padded length", 3),
            ("the content", 5),
            ("the padding", 200),
            ("the last padding byte", 255),
            ("the tag's first byte", 256),
            ("the tag's last byte", 271),
        ];
        for (name, at) in flips {
            let mut bytes = sealed.clone();
            bytes[at] ^= 1;
            self.part(format!("a bit of {name} flipped"), "open: Damaged", |p| {
                p.ciphertext = byte_string(&bytes);
            });
        }
        self.part("a ciphertext of zeros", "open: Damaged", |p| p.ciphertext = byte_string(&[0; 272]));
        let mut longer = sealed.clone();
        longer.resize(272 + 16, 0);
        self.part("a ciphertext grown to the next size", "open: Damaged", |p| {
            p.ciphertext = byte_string(&longer);
        });
    }

    /// The header is whole and says something else than what was sealed.
    fn altered_headers(&mut self) {
        const REFUSAL: &str = "open: NotThisKey";
        for (at, name) in FIELDS.iter().enumerate() {
            let Some(len) = LENGTHS[at] else { continue };
            for (what, byte, mask) in [("first", 0, 0x80), ("last", len - 1, 0x01)] {
                let mut bytes = value(name, len);
                bytes[byte] ^= mask;
                self.part(format!("a bit of the {name}'s {what} byte flipped"), REFUSAL, |p| {
                    p.fields[at] = byte_string(&bytes);
                });
            }
            self.part(format!("a {name} of zeros"), REFUSAL, |p| p.fields[at] = byte_string(&vec![0; len]));
        }
        self.part("a space and a document exchanged", REFUSAL, |p| p.fields.swap(1, 2));
        self.part("a device and an incarnation exchanged", REFUSAL, |p| p.fields.swap(3, 4));
        self.part("a membership head and a previous hash exchanged", REFUSAL, |p| p.fields.swap(7, 8));
        self.part("the position before", REFUSAL, |p| p.fields[5] = vec![6]);
        self.part("the position after", REFUSAL, |p| p.fields[5] = vec![8]);
        self.part("the last position there is", REFUSAL, |p| {
            p.fields[5] = [vec![0x1b], vec![0xff; 8]].concat();
        });
        self.part("the epoch before", REFUSAL, |p| p.fields[6] = vec![2]);
        self.part("the epoch after", REFUSAL, |p| p.fields[6] = vec![4]);
        self.part("epoch zero", REFUSAL, |p| p.fields[6] = vec![0]);
        self.part("the last epoch there is", REFUSAL, |p| p.fields[6] = vec![0x1a, 255, 255, 255, 255]);
    }

    fn commitments_and_keys(&mut self) {
        const REFUSAL: &str = "open: NotThisKey";
        let good = Parts::good();
        for (name, at) in [("first", 2), ("last", 33)] {
            self.part(format!("a bit of the commitment's {name} byte flipped"), REFUSAL, |p| {
                p.commitment[at] ^= 1;
            });
        }
        self.part("a commitment of zeros", REFUSAL, |p| p.commitment = byte_string(&[0; 32]));
        self.part("the salt as commitment", REFUSAL, |p| p.commitment = byte_string(&value("salt", 32)));
        let another = Parts::sealing(&padded(), |p| p.fields[5] = vec![8]);
        self.part("the commitment of another envelope", REFUSAL, |p| {
            p.commitment.clone_from(&another.commitment);
        });
        self.part("the ciphertext of another envelope", "open: Damaged", |p| {
            p.ciphertext.clone_from(&another.ciphertext);
        });
        self.part("commitment and ciphertext of another envelope", REFUSAL, |p| {
            p.commitment = another.commitment;
            p.ciphertext = another.ciphertext;
        });
        // A ciphertext that opens under two keys is what the commitment is for: it names one of them.
        let mut one_bit = key_bytes();
        one_bit[0] ^= 1;
        for (name, key) in [
            ("another document's key", *sha256(b"another document's key").as_bytes()),
            ("a key one bit away", one_bit),
            ("the key of zeros", [0; 32]),
            ("the key of an earlier epoch", *sha256(b"an earlier epoch's key").as_bytes()),
        ] {
            self.0.push((format!("opened with {name}"), good.bytes(), key, REFUSAL.to_owned()));
        }
        let control = Parts::sealing(&padded(), |p| p.fields[2] = byte_string(&[0; 16]));
        let other_epoch = *sha256(b"the next epoch's key").as_bytes();
        self.0.push((
            "a control envelope, another epoch's key".into(),
            control.bytes(),
            other_epoch,
            REFUSAL.into(),
        ));
    }

    /// Sealed by somebody who has the key: only what is inside is wrong.
    fn paddings(&mut self) {
        const REFUSAL: &str = "open: BadPadding";
        let mut with =
            |name: &str, padded: Vec<u8>| self.add(name, Parts::sealing(&padded, |_| {}).bytes(), REFUSAL);
        let changed = |at: usize, to: u8| {
            let mut out = padded();
            out[at] = to;
            out
        };
        let first_after = 4 + PLAINTEXT.len();
        with("the first padding byte not zero", changed(first_after, 1));
        with("a middle padding byte not zero", changed(150, 0x80));
        with("the last padding byte not zero", changed(255, 1));
        with("padding of ones", {
            let mut out = padded();
            out[first_after..].fill(1);
            out
        });
        let claiming = |len: u32, total: usize| {
            let mut out = padded();
            out.resize(total, 0);
            out[..4].copy_from_slice(&len.to_be_bytes());
            out
        };
        with("a length one byte short", claiming(8, 256));
        with("a length one byte beyond the end", claiming(253, 256));
        with("a length of four gigabytes", claiming(u32::MAX, 256));
        with("a length that lies by its byte order", changed(0, 9));
        with("a size above what the content needs", claiming(9, 272));
        with("a size far above what the content needs", claiming(9, 4_096));
        with("no length and no content", vec![0xff; 256]);
    }
}

/// The good envelope first, then each defect with the key to try and the refusal to expect.
pub(crate) fn make_defects() -> Vec<Value> {
    let mut defects = Defects(Vec::new());
    defects.truncated();
    defects.framing();
    defects.versions();
    defects.types_and_lengths();
    defects.ciphertexts();
    defects.altered_headers();
    defects.commitments_and_keys();
    defects.paddings();
    let good = json!({"name": "no defect", "key": hex(&key_bytes()), "envelope": hex(&Parts::good().bytes()),
                      "refusal": format!("opens: {}", hex(PLAINTEXT))});
    let others = defects.0.into_iter().map(|(name, bytes, key, refusal)| {
        json!({"name": name, "key": hex(&key), "envelope": hex(&bytes), "refusal": refusal})
    });
    [good].into_iter().chain(others).collect()
}
