//! Devices that write, exchange and learn of cuts at any time, and what must be left of it by the definition alone.

use std::collections::{BTreeMap, BTreeSet};

use mecum_documents::{Actor, Cut, Document, Incoming, Limits, Payload, Replayed};
use mecum_domain::{Edit, EntryId, Field, Kind};

use crate::forge::{Dice, actor, batch, keep};

pub(crate) const DOCUMENT: [u8; 16] = *b"a document's id.";

/// The writes to each place: which payload, and the value.
type Writes = BTreeMap<(EntryId, Field), Vec<(usize, Option<String>)>>;

pub(crate) type Fields = BTreeMap<(EntryId, Field), BTreeSet<Option<String>>>;

pub(crate) struct Device {
    /// Its first actor; a clone shares it.
    pub(crate) base: Actor,
    pub(crate) document: Document,
    pub(crate) state: Replayed,
    /// The payloads that it took in or wrote.
    pub(crate) has: BTreeSet<usize>,
    /// The copy of a device: once it knows of the cut, it writes no more under this name.
    pub(crate) copy: bool,
}

pub(crate) struct Sent {
    pub(crate) base: Actor,
    /// How many cuts its writer knew.
    pub(crate) cuts: usize,
    pub(crate) payload: Payload,
    /// What its writer had taken in.
    saw: BTreeSet<usize>,
}

pub(crate) struct World {
    pub(crate) dice: Dice,
    pub(crate) devices: Vec<Device>,
    pub(crate) sent: Vec<Sent>,
    pub(crate) cuts: Vec<Cut>,
    next_entry: u8,
}

impl Device {
    pub(crate) fn new(n: u8) -> Self {
        let document = Document::new(actor(n));
        Self { base: actor(n), document, state: Replayed::none(DOCUMENT), has: BTreeSet::new(), copy: false }
    }

    pub(crate) fn cuts(&self) -> usize {
        self.state.cuts().count()
    }

    pub(crate) fn learn(&mut self, cut: &Cut) {
        let (document, state) = self
            .document
            .replay(&self.state, cut.clone(), self.base)
            .expect("an honest document is replayed");
        self.document = document;
        self.state = state;
    }

    /// Stops and starts again from what a vault holds.
    pub(crate) fn restart(&mut self) {
        let state = Replayed::decode(&self.state.encode()).expect("our own state is read");
        assert_eq!(state, self.state, "a state comes back as it was");
        let actor = state.actor_for(self.base);
        let document = Document::load(&self.document.save(), actor, Limits::default());
        self.document = document.expect("our own document loads");
        self.state = state;
    }

    /// Offers payloads; how many were accepted, waited and were refused.
    pub(crate) fn offer(&mut self, sent: &[Sent], numbers: &[usize]) -> (usize, usize, usize) {
        let actors: Vec<Vec<Actor>> = numbers.iter().map(|at| self.state.actors_of(sent[*at].base)).collect();
        let incoming: Vec<Incoming<'_>> = numbers
            .iter()
            .zip(&actors)
            .map(|(at, actors)| {
                Incoming::among(actors, &sent[*at].payload, *at as u64).expect("every device has an actor")
            })
            .collect();
        let (accepted, waiting, refused);
        if self.cuts() == 0 {
            let admission = self.document.admit(&incoming);
            self.document = admission.next;
            (accepted, waiting, refused) = (admission.accepted, admission.waiting, admission.refused);
        } else {
            let admission = self.document.admit_replayed(&self.state, &incoming).expect("the state fits");
            self.document = admission.next;
            self.state = admission.state;
            (accepted, waiting, refused) = (admission.accepted, admission.waiting, admission.refused);
        }
        self.has.extend(accepted.iter().map(|tag| usize::try_from(*tag).expect("small")));
        (accepted.len(), waiting.len(), refused.len())
    }
}

impl World {
    pub(crate) fn new(seed: u64, devices: u8) -> Self {
        let devices = (1..=devices).map(Device::new).collect();
        Self { dice: Dice(seed), devices, sent: vec![], cuts: vec![], next_entry: 0 }
    }

    pub(crate) fn edit(&mut self, at: usize) {
        if self.devices[at].copy && self.devices[at].cuts() > 0 {
            return;
        }
        let known: Vec<EntryId> = self.devices[at].document.entries().map(|entry| entry.id).collect();
        let mut edits = Vec::new();
        for _ in 0..=self.dice.roll(3) {
            if known.is_empty() || self.dice.roll(8) == 0 {
                self.next_entry += 1;
                let n = self.next_entry;
                let kind = Kind::ALL[self.dice.roll(Kind::ALL.len())];
                let fields = vec![(Field::Name, format!("n{n}")), (Field::Dose, "500".into())];
                edits.push(Edit::Add { entry: EntryId::from_bytes([n; 16]), kind, fields });
            } else if self.dice.roll(10) == 0 {
                let n = u8::try_from(self.dice.roll(20)).expect("small");
                edits.push(keep(n, &[n; 20]));
            } else {
                let entry = known[self.dice.roll(known.len())];
                let field = [Field::Dose, Field::Frequency, Field::Text][self.dice.roll(3)];
                let value = (self.dice.roll(6) > 0).then(|| self.dice.roll(4).to_string());
                edits.push(Edit::Set { entry, field, value });
            }
        }
        self.write(at, edits);
    }

    pub(crate) fn write(&mut self, at: usize, edits: Vec<Edit>) -> Option<usize> {
        let device = &mut self.devices[at];
        let authored = device.document.author(&batch(edits)).expect("honest edits are written");
        device.document = authored.next;
        let payload = authored.payload?;
        let saw = device.has.clone();
        device.has.insert(self.sent.len());
        self.sent.push(Sent { base: device.base, cuts: device.cuts(), payload, saw });
        Some(self.sent.len() - 1)
    }

    /// Offers some of what a device may already be sent, in any order, some twice.
    pub(crate) fn deliver(&mut self, to: usize, chance: usize) {
        let cuts = self.devices[to].cuts();
        let mut numbers: Vec<usize> = (0..self.sent.len())
            .filter(|at| self.sent[*at].cuts <= cuts && self.dice.roll(100) < chance)
            .collect();
        numbers.extend_from_within(..numbers.len() / 4);
        self.dice.shuffle(&mut numbers);
        self.devices[to].offer(&self.sent, &numbers);
    }

    /// What a person did past a cut, of all cuts there are.
    pub(crate) fn is_void(&self, at: usize) -> bool {
        let payload = &self.sent[at].payload;
        let actor = payload.actor().expect("16 bytes");
        self.cuts.iter().any(|cut| cut.void.get(&actor).is_some_and(|last| payload.change_seq() > *last))
    }

    /// By the definition: of each place the values of honest writes that no honest write to it has seen.
    pub(crate) fn expected(&self) -> (Fields, BTreeSet<EntryId>, BTreeSet<[u8; 16]>) {
        let mut writes = Writes::new();
        let (mut entries, mut finished) = (BTreeSet::new(), BTreeSet::new());
        for at in (0..self.sent.len()).filter(|at| !self.is_void(*at)) {
            for edit in &self.sent[at].payload.batch().edits {
                match edit {
                    Edit::Add { entry, fields, .. } => {
                        entries.insert(*entry);
                        for (field, text) in fields {
                            writes.entry((*entry, *field)).or_default().push((at, Some(text.clone())));
                        }
                    }
                    Edit::Set { entry, field, value } => {
                        entries.insert(*entry);
                        writes.entry((*entry, *field)).or_default().push((at, value.clone()));
                    }
                    Edit::Keep { key, .. } => _ = finished.insert(*key.as_bytes()),
                }
            }
        }
        let mut fields = Fields::new();
        for (place, list) in writes {
            let seen = |write: usize| list.iter().any(|(other, _)| self.sent[*other].saw.contains(&write));
            let left = list.iter().filter(|(at, _)| !seen(*at)).map(|(_, value)| value.clone()).collect();
            fields.insert(place, left);
        }
        (fields, entries, finished)
    }

    /// That a device reads what the definition says, and that nobody stands for what they did not write.
    pub(crate) fn check(&self, device: &Device, what: &str) {
        let (fields, entries, finished) = self.expected();
        assert_eq!(fields_of(&device.document), fields, "{what}: every clash and nothing else");
        let read: BTreeSet<EntryId> = device.document.entries().map(|entry| entry.id).collect();
        assert_eq!(read, entries, "{what}: the entries that somebody who counts wrote into");
        let kept: BTreeSet<[u8; 16]> = device.document.finished().map(|(key, _)| *key.as_bytes()).collect();
        assert_eq!(kept, finished, "{what}: the finished entries");
        for entry in device.document.entries() {
            for state in &entry.fields {
                for written in &state.values {
                    let author = device.state.author(written.actor);
                    let wrote = (0..self.sent.len()).any(|at| {
                        self.sent[at].payload.actor() == Some(author)
                            && !self.is_void(at)
                            && says(&self.sent[at].payload, entry.id, state.field, written.value.as_ref())
                    });
                    assert!(wrote, "{what}: the named author wrote this value");
                }
            }
        }
    }
}

fn says(payload: &Payload, id: EntryId, of: Field, text: Option<&String>) -> bool {
    payload.batch().edits.iter().any(|edit| match edit {
        Edit::Add { entry, fields, .. } => {
            *entry == id && fields.iter().any(|(field, value)| *field == of && Some(value) == text)
        }
        Edit::Set { entry, field, value } => (*entry, *field) == (id, of) && value.as_ref() == text,
        Edit::Keep { .. } => false,
    })
}

pub(crate) fn fields_of(document: &Document) -> Fields {
    let mut all = Fields::new();
    for entry in document.entries() {
        for state in &entry.fields {
            all.insert((entry.id, state.field), state.values.iter().map(|w| w.value.clone()).collect());
        }
    }
    all
}
