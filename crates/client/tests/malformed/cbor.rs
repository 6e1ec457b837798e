//! CBOR as a tree, to change one field of it at a time. Source: RFC 8949.

use mecum_testkit::Dice;

/// One item: its major type and argument, its bytes, or what is inside it.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    major: u8,
    argument: u64,
    bytes: Vec<u8>,
    inside: Vec<Node>,
    /// Written in these bytes, whatever it is.
    raw: Option<Vec<u8>>,
}

impl Node {
    fn raw(bytes: Vec<u8>) -> Node {
        Node { major: 7, argument: 22, bytes: Vec::new(), inside: Vec::new(), raw: Some(bytes) }
    }

    /// How many items there are, itself included.
    pub(crate) fn count(&self) -> usize {
        1 + self.inside.iter().map(Node::count).sum::<usize>()
    }

    /// What kinds of items it holds and how long each is, and nothing of what they say.
    pub(crate) fn shape(&self) -> String {
        match self.major {
            2 | 3 => format!("{}:{}", self.major, self.bytes.len()),
            4 => format!("[{}]", self.inside.iter().map(Node::shape).collect::<Vec<_>>().join(" ")),
            _ => format!("{}", self.major),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        if let Some(raw) = &self.raw {
            out.extend(raw);
            return;
        }
        match self.major {
            2 | 3 => {
                head(self.major, self.bytes.len() as u64, out);
                out.extend(&self.bytes);
            }
            4 => {
                head(4, self.inside.len() as u64, out);
                self.inside.iter().for_each(|node| node.write(out));
            }
            _ => {
                head(self.major, self.argument, out);
                self.inside.iter().for_each(|node| node.write(out));
            }
        }
    }

    fn written(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    /// The item of this number, counted from outside in, and its place in what holds it.
    fn find(&mut self, number: &mut usize, change: &mut impl FnMut(&mut Vec<Node>, usize)) -> bool {
        for at in 0..self.inside.len() {
            if *number == 0 {
                change(&mut self.inside, at);
                return true;
            }
            *number -= 1;
            if self.inside[at].find(number, change) {
                return true;
            }
        }
        false
    }
}

fn head(major: u8, argument: u64, out: &mut Vec<u8>) {
    let first = major << 5;
    match argument {
        0..=23 => out.push(first | u8::try_from(argument).expect("small")),
        24..=0xff => out.extend([first | 0x18, u8::try_from(argument).expect("small")]),
        0x100..=0xffff => {
            out.push(first | 0x19);
            out.extend(u16::try_from(argument).expect("small").to_be_bytes());
        }
        0x1_0000..=0xffff_ffff => {
            out.push(first | 0x1a);
            out.extend(u32::try_from(argument).expect("small").to_be_bytes());
        }
        _ => {
            out.push(first | 0x1b);
            out.extend(argument.to_be_bytes());
        }
    }
}

/// Takes bytes apart; none if they are not CBOR of definite lengths.
pub(crate) fn parse(bytes: &[u8]) -> Option<Node> {
    let mut at = 0;
    let node = item(bytes, &mut at)?;
    (at == bytes.len()).then_some(node)
}

fn item(bytes: &[u8], at: &mut usize) -> Option<Node> {
    let first = *bytes.get(*at)?;
    *at += 1;
    let (major, short) = (first >> 5, first & 31);
    let width = match short {
        0..=23 => 0,
        24..=27 => 1_usize << (short - 24),
        _ => return None,
    };
    let written = bytes.get(*at..*at + width)?;
    *at += width;
    let argument = if width == 0 {
        u64::from(short)
    } else {
        written.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
    };
    let mut node = Node { major, argument, bytes: Vec::new(), inside: Vec::new(), raw: None };
    match major {
        2 | 3 => {
            let len = usize::try_from(argument).ok()?;
            node.bytes = bytes.get(*at..*at + len)?.to_vec();
            *at += len;
        }
        4 => {
            for _ in 0..argument {
                node.inside.push(item(bytes, at)?);
            }
        }
        _ => {}
    }
    Some(node)
}

/// Changes one item in one of the ways in which it can be wrong; answers the whole, written.
pub(crate) fn change(whole: &mut Node, number: usize, dice: &Dice) -> Vec<u8> {
    let way = dice.below(16);
    let roll = dice.below(1 << 20);
    let mut number = number;
    whole.find(&mut number, &mut |holder, at| spoil(holder, at, way, roll));
    whole.written()
}

fn spoil(holder: &mut Vec<Node>, at: usize, way: u64, roll: u64) {
    let was = holder[at].clone();
    let node = &mut holder[at];
    match way {
        0 => drop(holder.remove(at)),
        1 => holder.insert(at, was),
        2 => *node = Node::raw(vec![0xf6]),
        3 => *node = Node::raw(vec![0xf9, 0x7e, 0x00]),
        4 => *node = Node::raw([vec![0x61], vec![0x00]].concat()),
        5 => *node = Node::raw(vec![0xa0]),
        6 => *node = Node::raw([vec![0x3b], u64::MAX.to_be_bytes().to_vec()].concat()),
        7 => *node = Node::raw([vec![0x1b], u64::MAX.to_be_bytes().to_vec()].concat()),
        // Says that it is long, and is not.
        8 => *node = Node::raw([vec![0x9a], vec![0xff; 4], was.written()].concat()),
        9 => *node = Node::raw([vec![0x5a], vec![0xff; 4]].concat()),
        // In a longer form than it needs, and open-ended.
        10 => *node = Node::raw([vec![0x9f], was.written(), vec![0xff]].concat()),
        11 => {
            let text = "\u{202e}\u{0}".repeat(1 << 18);
            *node = Node { major: 3, bytes: text.into_bytes(), ..was };
        }
        12 => *node = Node { major: 2, bytes: vec![0x41; 1 << 20], inside: Vec::new(), ..was },
        _ => nudge(node, way, roll),
    }
}

/// A little off: a number by one, a byte by one bit, a list without its last.
fn nudge(node: &mut Node, way: u64, roll: u64) {
    match node.major {
        0 | 1 => node.argument = if way == 13 { node.argument.wrapping_add(1) } else { roll },
        2 | 3 if node.bytes.is_empty() => node.bytes.push(0),
        2 | 3 if way == 13 => {
            let at = usize::try_from(roll).expect("small") % node.bytes.len();
            node.bytes[at] ^= 1 << (roll % 8);
        }
        2 | 3 if way == 14 => drop(node.bytes.pop()),
        2 | 3 => node.bytes.clear(),
        4 if way == 13 => drop(node.inside.pop()),
        4 if way == 14 => node.inside.reverse(),
        4 => node.inside.clear(),
        _ => *node = Node::raw(vec![if roll.is_multiple_of(2) { 0xf4 } else { 0xf5 }]),
    }
}
