//! Acts: what each side of a conversation says or does, once and for good, and which of them knew of which.
//!
//! A conversation between a patient and a hospital is two documents, one per side, read as one. No CRDT decides between the sides: an
//! act is written once, names the acts after which it was written, and what it comes to is a pure function of all of them. So every
//! device comes to the same, in whatever order the acts arrive.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::entry::id16;

id16! {
    /// One act. It follows from what the act says, in which space and on which side, so that nobody can put other words under it.
    ActId
}

id16! {
    /// One conversation: an appointment, a case, a thread of messages. The id of its first act, which itself names 16 zero bytes: nothing
    /// can name what follows from it.
    ThreadId
}

/// Who writes a document of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The patient, and the family that acts for them.
    Patient,
    /// The hospital: its staff and its agent.
    Hospital,
}

/// An act of a conversation. The side is a part of it: neither side can write under an id of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ActKey {
    /// Whose it is.
    pub side: Side,
    /// Its id.
    pub id: ActId,
}

/// In what part somebody acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The patient.
    Patient,
    /// A member of the patient's side who acts for them.
    Relative,
    /// Staff of the hospital.
    Staff,
    /// The hospital's agent, a program: there is one, and it alone books.
    Agent,
}

impl Role {
    /// The side that this part belongs to.
    pub fn side(self) -> Side {
        match self {
            Role::Patient | Role::Relative => Side::Patient,
            Role::Staff | Role::Agent => Side::Hospital,
        }
    }
}

/// Who did it, as their device's certificate and the members' log say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// The name that is shown.
    pub name: String,
    /// In what part.
    pub role: Role,
}

/// One act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act<T> {
    /// Its id.
    pub id: ActId,
    /// Who did it; its side is the document that it was found in.
    pub author: Author,
    /// One more than the highest among the acts that it was written after, over both sides (Lamport 1978), as its author says. A
    /// reader counts it again ([`Acts`]): nobody gets a place in the order by a number.
    pub lamport: u64,
    /// The newest acts that its author knew of.
    pub after: Vec<ActKey>,
    /// When, by the writing device's clock, in ms since the epoch. For display; order is `lamport`'s.
    pub at_ms: i64,
    /// What was done.
    pub what: T,
}

impl<T> Act<T> {
    /// The name by which others refer to it.
    pub fn key(&self) -> ActKey {
        ActKey { side: self.author.role.side(), id: self.id }
    }
}

/// The acts of one conversation in their one order, with what each knew of.
///
/// The order is by the number of each act, and among equals by its key. The number is counted from the acts that are there, and what an
/// act says of its own is not believed: one that said the highest that there is would leave none for those that follow it.
#[derive(Clone, Debug)]
pub struct Acts<T> {
    in_order: Vec<Act<T>>,
    /// The number of each, by its place.
    numbers: Vec<u64>,
    places: BTreeMap<ActKey, usize>,
    /// For each act the places of all that it knew of.
    known: Vec<Places>,
}

impl<T> Acts<T> {
    /// The acts of both sides, in whatever order they came; one that came twice counts once.
    pub fn new(acts: impl IntoIterator<Item = Act<T>>) -> Self {
        let mut by_key = BTreeMap::new();
        for act in acts {
            by_key.entry(act.key()).or_insert(act);
        }
        let numbers = numbers(&by_key);
        let number = |key: &ActKey| numbers.get(key).copied().unwrap_or_default();
        let mut acts: Vec<Act<T>> = by_key.into_values().collect();
        acts.sort_by_key(|act| (number(&act.key()), act.key()));
        let places: BTreeMap<ActKey, usize> =
            acts.iter().enumerate().map(|(at, act)| (act.key(), at)).collect();
        let mut known: Vec<Places> = Vec::with_capacity(acts.len());
        for act in &acts {
            let mut all = Places::default();
            let lower = |key: &&ActKey| number(key) < number(&act.key());
            for place in act.after.iter().filter(lower).filter_map(|key| places.get(key)) {
                if let Some(theirs) = known.get(*place) {
                    all.join(theirs);
                    all.insert(*place);
                }
            }
            known.push(all);
        }
        let numbers = acts.iter().map(|act| number(&act.key())).collect();
        Self { in_order: acts, numbers, places, known }
    }

    /// The acts in their order, each with its place.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (usize, &Act<T>)> {
        self.in_order.iter().enumerate()
    }

    /// The act at a place.
    pub fn get(&self, place: usize) -> Option<&Act<T>> {
        self.in_order.get(place)
    }

    /// The place of an act, `None` where it has not come.
    pub fn place(&self, key: ActKey) -> Option<usize> {
        self.places.get(&key).copied()
    }

    /// Whether the author of the act at `later` knew of the one at `earlier`.
    pub fn knew(&self, later: usize, earlier: usize) -> bool {
        self.known.get(later).is_some_and(|known| known.contains(earlier))
    }

    /// Whether neither author knew of the other's act: they cross.
    pub fn cross(&self, one: usize, other: usize) -> bool {
        one != other && !self.knew(one, other) && !self.knew(other, one)
    }

    /// Everything that the authors of these acts knew of, all together.
    pub(crate) fn known_to(&self, acts: impl Iterator<Item = usize>) -> Places {
        let mut all = Places::default();
        acts.filter_map(|place| self.known.get(place)).for_each(|known| all.join(known));
        all
    }

    /// What the next act of somebody who sees all of these says of its place: its `lamport` and its `after`, lowest number first.
    pub fn next(&self) -> (u64, Vec<ActKey>) {
        self.next_to(&(0..self.in_order.len()).collect())
    }

    /// The same of somebody who was shown these, and with them what their authors knew of. What was not shown was not known, also where
    /// it is here by the time that the act is written; what is named and not here is passed over.
    pub fn next_after(&self, shown: impl IntoIterator<Item = ActKey>) -> (u64, Vec<ActKey>) {
        self.next_to(&self.places_of(shown))
    }

    fn next_to(&self, places: &BTreeSet<usize>) -> (u64, Vec<ActKey>) {
        let seen = self.known_to(places.iter().copied());
        let newest = places.iter().filter(|place| !seen.contains(**place));
        let highest = places.last().and_then(|place| self.numbers.get(*place)).copied().unwrap_or_default();
        (highest.saturating_add(1), newest.filter_map(|place| self.get(*place)).map(Act::key).collect())
    }

    /// These, with all that their authors knew of: what somebody has seen who was shown them as the newest.
    pub fn up_to(&self, newest: impl IntoIterator<Item = ActKey>) -> BTreeSet<ActKey> {
        let named = self.places_of(newest);
        let known = self.known_to(named.iter().copied());
        let seen = self.iter().filter(|(place, _)| named.contains(place) || known.contains(*place));
        seen.map(|(_, act)| act.key()).collect()
    }

    fn places_of(&self, acts: impl IntoIterator<Item = ActKey>) -> BTreeSet<usize> {
        acts.into_iter().filter_map(|key| self.place(key)).collect()
    }
}

/// The number of each act: 1 where it was written after none that is here, else one more than the highest among those.
///
/// Ids are hashes, so acts cannot name each other in a circle. Were one made all the same, the lowest of its keys would come first.
fn numbers<T>(acts: &BTreeMap<ActKey, Act<T>>) -> BTreeMap<ActKey, u64> {
    let mut before: BTreeMap<ActKey, usize> = BTreeMap::new();
    let mut followers: BTreeMap<ActKey, Vec<ActKey>> = BTreeMap::new();
    for (key, act) in acts {
        let named: BTreeSet<&ActKey> =
            act.after.iter().filter(|named| *named != key && acts.contains_key(named)).collect();
        before.insert(*key, named.len());
        for named in named {
            followers.entry(*named).or_default().push(*key);
        }
    }
    let mut numbers: BTreeMap<ActKey, u64> = BTreeMap::new();
    let mut ready: Vec<ActKey> = before.iter().filter(|(_, left)| **left == 0).map(|(key, _)| *key).collect();
    before.retain(|_, left| *left > 0);
    while let Some(key) = ready.pop().or_else(|| before.pop_first().map(|(key, _)| key)) {
        let named = acts.get(&key).into_iter().flat_map(|act| &act.after);
        let highest = named.filter_map(|named| numbers.get(named)).max().copied().unwrap_or_default();
        numbers.insert(key, highest.saturating_add(1));
        for follower in followers.get(&key).into_iter().flatten() {
            if let Some(left) = before.get_mut(follower) {
                *left = left.saturating_sub(1);
                if *left == 0 {
                    before.remove(follower);
                    ready.push(*follower);
                }
            }
        }
    }
    numbers
}

const WORD: usize = 64;

/// A set of places.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places(Vec<u64>);

impl FromIterator<usize> for Places {
    fn from_iter<I: IntoIterator<Item = usize>>(places: I) -> Self {
        let mut all = Self::default();
        places.into_iter().for_each(|place| all.insert(place));
        all
    }
}

impl Places {
    pub(crate) fn contains(&self, place: usize) -> bool {
        self.0.get(place / WORD).is_some_and(|word| word >> (place % WORD) & 1 == 1)
    }

    fn insert(&mut self, place: usize) {
        if self.0.len() <= place / WORD {
            self.0.resize(place / WORD + 1, 0);
        }
        if let Some(word) = self.0.get_mut(place / WORD) {
            *word |= 1 << (place % WORD);
        }
    }

    fn join(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (word, theirs) in self.0.iter_mut().zip(&other.0) {
            *word |= theirs;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn act(n: u8, side: Side, lamport: u64, after: &[ActKey]) -> Act<()> {
        let role = if side == Side::Patient { Role::Patient } else { Role::Staff };
        let author = Author { name: String::new(), role };
        Act { id: ActId::from_bytes([n; 16]), author, lamport, after: after.to_vec(), at_ms: 0, what: () }
    }

    #[test]
    fn acts_come_to_the_same_in_every_order_of_arrival_and_twice() {
        let ask = act(1, Side::Patient, 1, &[]);
        let offer = act(2, Side::Hospital, 2, &[ask.key()]);
        let cancel = act(3, Side::Patient, 2, &[ask.key()]);
        let later = act(4, Side::Hospital, 3, &[offer.key(), cancel.key()]);
        let all = [ask, offer, cancel, later];
        for first in 0..4 {
            let mut arrived: Vec<_> = all.iter().cycle().skip(first).take(4).cloned().collect();
            arrived.push(all[first].clone());
            let acts = Acts::new(arrived);
            let ids: Vec<u8> = acts.iter().map(|(_, act)| act.id.as_bytes()[0]).collect();
            assert_eq!(ids, [1, 3, 2, 4], "by number, then side");
            assert!(acts.cross(1, 2), "offer and cancel did not know of each other");
            assert!(acts.knew(3, 0) && acts.knew(3, 1) && acts.knew(3, 2), "the last knew all of them");
            assert_eq!(acts.next(), (4, vec![all[3].key()]), "the next follows the last");
        }
    }

    #[test]
    fn an_act_that_lies_about_its_number_changes_no_order_and_leaves_one_for_those_that_follow() {
        let numbered = |lamports: [u64; 4]| {
            let ask = act(9, Side::Patient, lamports[0], &[]);
            let offer = act(2, Side::Hospital, lamports[1], &[ask.key()]);
            let cancel = act(3, Side::Patient, lamports[2], &[ask.key()]);
            let later = act(1, Side::Hospital, lamports[3], &[offer.key(), cancel.key()]);
            Acts::new([later, cancel, offer, ask])
        };
        let honest = numbered([1, 2, 2, 3]);
        for lies in [[u64::MAX; 4], [0; 4], [u64::MAX, 2, 2, 3], [4, 3, 2, 1]] {
            let acts = numbered(lies);
            let ids = |acts: &Acts<()>| acts.iter().map(|(_, act)| act.key()).collect::<Vec<_>>();
            assert_eq!(ids(&acts), ids(&honest), "the order is by what they name: {lies:?}");
            assert!(acts.knew(3, 0) && acts.knew(1, 0) && acts.cross(1, 2), "and so is what they knew of");
            assert_eq!(acts.next(), honest.next(), "the next one has a number of its own");
        }
    }

    #[test]
    fn what_was_not_shown_was_not_known() {
        let ask = act(1, Side::Patient, 1, &[]);
        let offer = act(2, Side::Hospital, 2, &[ask.key()]);
        let word = act(3, Side::Patient, 3, &[offer.key()]);
        let crossing = act(4, Side::Patient, 2, &[ask.key()]);
        let keys = [ask.key(), offer.key(), word.key(), crossing.key()];
        let here = [ask, offer, word, crossing];
        let acts = Acts::new(here.clone());
        let (lamport, after) = acts.next_after(keys[..2].iter().copied());
        assert_eq!((lamport, after.as_slice()), (3, &keys[1..2]), "after the newest of what was shown");
        assert_eq!(acts.up_to([keys[1]]), keys[..2].iter().copied().collect(), "with what its author knew");
        let written = Acts::new(here.iter().cloned().chain([act(5, Side::Hospital, lamport, &after)]));
        let [outcome, shown, word, crossing] =
            [ActId::from_bytes([5; 16]), keys[1].id, keys[2].id, keys[3].id]
                .map(|id| written.iter().find(|(_, act)| act.id == id).expect("it is there").0);
        assert!(written.knew(outcome, shown), "what a screen showed was known");
        assert!(
            written.cross(outcome, word) && written.cross(outcome, crossing),
            "what came meanwhile was not"
        );
        assert_eq!(acts.next_after(keys), acts.next(), "who was shown everything knew everything");
        assert_eq!(acts.next().1, [keys[3], keys[2]], "the lowest number first");
        let nowhere = ActKey { side: Side::Hospital, id: ActId::from_bytes([9; 16]) };
        assert_eq!(acts.next_after([nowhere]), (1, vec![]), "what is not here was not known either");
    }

    #[test]
    fn acts_that_name_each_other_are_read_once_and_in_every_order_the_same() {
        let key = |n| act(n, Side::Patient, 1, &[]).key();
        let circle = [
            act(1, Side::Patient, 1, &[key(2), key(1)]),
            act(2, Side::Patient, 1, &[key(1)]),
            act(3, Side::Patient, 1, &[key(2)]),
        ];
        for first in 0..3 {
            let acts = Acts::new(circle.iter().cycle().skip(first).take(3).cloned());
            let ids: Vec<u8> = acts.iter().map(|(_, act)| act.id.as_bytes()[0]).collect();
            assert_eq!(ids, [1, 2, 3], "the lowest comes first");
            assert!(!acts.knew(0, 1) && acts.knew(1, 0) && acts.knew(2, 0), "and knew of nothing");
        }
    }

    #[test]
    fn an_id_of_the_other_side_takes_nothing_away_from_it() {
        let ask = act(1, Side::Patient, 1, &[]);
        let same_id = act(1, Side::Hospital, 1, &[]);
        assert_eq!(Acts::new([ask, same_id]).iter().count(), 2, "both are there");
    }
}
