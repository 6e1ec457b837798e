//! Merging: replicas that have the same batches are the same, and every clash keeps both values.

use std::collections::{BTreeMap, BTreeSet};

use mecum_documents::{AuthorError, Document, Payload};
use mecum_domain::{Edit, EntryId, Field, Kind};

use crate::forge::{Dice, actor, add, batch, entry, keep, offer, set, take, write};

fn two_phones() -> (Document, Document) {
    let mut a = Document::new(actor(1));
    let mut b = Document::new(actor(2));
    let base = write(&mut a, vec![add(7)]);
    take(&mut b, &[&base]);
    (a, b)
}

fn values(document: &Document, field: Field) -> Vec<Option<String>> {
    let entry = document.entry(entry(7)).expect("the entry is there");
    let state = entry.field(field).expect("the field was written");
    state.values.iter().map(|written| written.value.clone()).collect()
}

#[test]
fn different_fields_merge_without_a_clash() {
    let (mut a, mut b) = two_phones();
    let from_a = write(&mut a, vec![set(7, Field::Dose, "850")]);
    let from_b = write(&mut b, vec![set(7, Field::Frequency, "daily")]);
    take(&mut a, &[&from_b]);
    take(&mut b, &[&from_a]);
    let merged = a.entry(entry(7)).expect("the entry is there");
    assert_eq!(
        (merged.get(Field::Dose), merged.get(Field::Frequency)),
        (Some("850"), Some("daily")),
        "both edits hold"
    );
    assert_eq!(merged.safety_clashes().count(), 0, "nobody disagreed");
    assert_eq!(Some(merged), b.entry(entry(7)), "both phones read the same");
}

#[test]
fn a_clash_keeps_both_values_with_their_writers_and_is_settled_by_one_write() {
    let (mut a, mut b) = two_phones();
    let from_a = write(&mut a, vec![set(7, Field::Dose, "850")]);
    let from_b = write(&mut b, vec![set(7, Field::Dose, "1000")]);
    take(&mut a, &[&from_b]);
    take(&mut b, &[&from_a]);
    let clashed = a.entry(entry(7)).expect("the entry is there");
    let dose = clashed.field(Field::Dose).expect("written");
    let mut who: Vec<_> = dose.values.iter().map(|w| (w.value.as_deref(), w.actor, w.change)).collect();
    who.sort_unstable();
    let expected =
        [(Some("1000"), actor(2), from_b.change_hash()), (Some("850"), actor(1), from_a.change_hash())];
    assert_eq!(who, expected, "each value names its writer and its envelope's change");
    assert_eq!(
        clashed.safety_clashes().map(|state| state.field).collect::<Vec<_>>(),
        [Field::Dose],
        "a dose asks"
    );
    assert_eq!(a.entry(entry(7)), b.entry(entry(7)), "the same winner on both phones");

    let winner = clashed.get(Field::Dose).expect("one won").to_owned();
    let settled = write(&mut a, vec![set(7, Field::Dose, &winner)]);
    take(&mut b, &[&settled]);
    for phone in [&a, &b] {
        assert_eq!(
            values(phone, Field::Dose),
            [Some(winner.clone())],
            "choosing the shown value settles the clash"
        );
    }
}

#[test]
fn the_same_value_twice_is_no_clash() {
    let (mut a, mut b) = two_phones();
    let from_a = write(&mut a, vec![set(7, Field::Dose, "850")]);
    let from_b = write(&mut b, vec![set(7, Field::Dose, "850")]);
    take(&mut a, &[&from_b]);
    take(&mut b, &[&from_a]);
    assert_eq!(values(&a, Field::Dose), [Some("850".to_owned())], "equal values are one");
    assert_eq!(a.entry(entry(7)), b.entry(entry(7)), "with the same writer on both");
    let again = a.author(&batch(vec![set(7, Field::Dose, "850")])).expect("written");
    assert!(again.payload.is_none(), "agreeing with agreement changes nothing");
}

#[test]
fn clearing_against_a_new_value_is_a_clash_and_deletion_loses_nothing() {
    let (mut a, mut b) = two_phones();
    let cleared = write(&mut a, vec![Edit::Set { entry: entry(7), field: Field::Dose, value: None }]);
    let dosed = write(&mut b, vec![set(7, Field::Dose, "850")]);
    let deleted = write(&mut b, vec![set(7, Field::Deleted, "entered twice")]);
    take(&mut a, &[&deleted, &dosed]);
    take(&mut b, &[&cleared]);
    assert_eq!(values(&a, Field::Dose).len(), 2, "cleared and 850 are both kept");
    let entry_a = a.entry(entry(7)).expect("a deleted entry is still there");
    assert_eq!(entry_a.deleted(), Some("entered twice"), "deletion is a field with its reason");
    write(&mut b, vec![Edit::Set { entry: entry(7), field: Field::Deleted, value: None }]);
    assert_eq!(b.entry(entry(7)).expect("there").deleted(), None, "undo is clearing it");
}

#[test]
fn two_phones_that_import_one_file_agree() {
    let mut a = Document::new(actor(1));
    let mut b = Document::new(actor(2));
    let from_a = write(&mut a, vec![keep(1, b"one"), keep(2, b"two")]);
    let from_b = write(&mut b, vec![keep(2, b"two"), keep(1, b"one"), keep(3, b"three")]);
    take(&mut a, &[&from_b]);
    take(&mut b, &[&from_a]);
    assert_eq!(a.finished_len(), 3, "one value per key");
    assert!(a.finished().eq(b.finished()), "the same on both");
    let again = a.author(&batch(vec![keep(1, b"one"), keep(3, b"three")])).expect("written");
    assert!(again.payload.is_none(), "the same file again changes nothing");
}

#[test]
fn edits_that_cannot_be_are_errors_and_edits_that_say_nothing_are_dropped() {
    let (a, _) = two_phones();
    let write =
        |edits| a.author(&batch(edits)).map(|authored| authored.payload.map(|p| p.batch().edits.clone()));
    assert_eq!(write(vec![set(8, Field::Dose, "1")]), Err(AuthorError::UnknownEntry), "no such entry");
    assert_eq!(write(vec![add(7)]), Err(AuthorError::EntryExists), "an id is used once");
    assert_eq!(write(vec![set(7, Field::Kind, "1")]), Err(AuthorError::KindIsFixed), "a kind is for ever");
    assert_eq!(write(vec![set(7, Field::Dose, "500")]), Ok(None), "the value that is there");
    let clear = Edit::Set { entry: entry(7), field: Field::Reaction, value: None };
    assert_eq!(write(vec![clear]), Ok(None), "clearing what was never written");
    let last = write(vec![set(7, Field::Dose, "1"), set(7, Field::Unit, "x"), set(7, Field::Dose, "2")]);
    assert_eq!(
        last,
        Ok(Some(vec![set(7, Field::Dose, "2"), set(7, Field::Unit, "x")])),
        "the last of several"
    );
    let new = Edit::Add { entry: entry(8), kind: Kind::Note, fields: vec![] };
    let folded = Edit::Add { entry: entry(8), kind: Kind::Note, fields: vec![(Field::Text, "b".into())] };
    let edits = vec![new, set(8, Field::Text, "a"), set(8, Field::Text, "b")];
    assert_eq!(write(edits), Ok(Some(vec![folded])), "fields of a new entry are part of it");
}

/// What should be visible, by the definition alone: a value that no write that saw it has replaced.
#[derive(Default)]
struct Model {
    writes: Vec<(EntryId, Field, Option<String>, Vec<usize>)>,
    of_payload: Vec<Vec<usize>>,
}

impl Model {
    fn visible(&self, has: &BTreeSet<usize>, entry: EntryId, field: Field) -> BTreeSet<usize> {
        let here = || has.iter().flat_map(|payload| &self.of_payload[*payload]).copied();
        let gone: BTreeSet<usize> = here().flat_map(|write| self.writes[write].3.iter().copied()).collect();
        here()
            .filter(|w| self.writes[*w].0 == entry && self.writes[*w].1 == field && !gone.contains(w))
            .collect()
    }

    fn note(&mut self, has: &BTreeSet<usize>, payload: &Payload) {
        let mut mine = Vec::new();
        let places = payload.batch().edits.iter().flat_map(|edit| match edit {
            Edit::Add { entry, fields, .. } => {
                fields.iter().map(|(f, v)| (*entry, *f, Some(v.clone()))).collect()
            }
            Edit::Set { entry, field, value } => vec![(*entry, *field, value.clone())],
            Edit::Keep { .. } => vec![],
        });
        for (entry, field, value) in places {
            let replaced = self.visible(has, entry, field).into_iter().collect();
            mine.push(self.writes.len());
            self.writes.push((entry, field, value, replaced));
        }
        self.of_payload.push(mine);
    }

    fn fields(&self, has: &BTreeSet<usize>) -> BTreeMap<(EntryId, Field), BTreeSet<Option<String>>> {
        let places: BTreeSet<_> = self.writes.iter().map(|(entry, field, ..)| (*entry, *field)).collect();
        let value = |write: usize| self.writes[write].2.clone();
        let all = places
            .into_iter()
            .map(|(e, f)| ((e, f), self.visible(has, e, f).into_iter().map(value).collect()));
        all.filter(|(_, values): &(_, BTreeSet<_>)| !values.is_empty()).collect()
    }
}

fn fields_of(document: &Document) -> BTreeMap<(EntryId, Field), BTreeSet<Option<String>>> {
    let mut all = BTreeMap::new();
    for entry in document.entries() {
        for state in &entry.fields {
            let values: BTreeSet<_> = state.values.iter().map(|written| written.value.clone()).collect();
            assert_eq!(values.len(), state.values.len(), "each value once");
            all.insert((entry.id, state.field), values);
        }
    }
    all
}

struct Schedule {
    dice: Dice,
    replicas: Vec<(Document, BTreeSet<usize>)>,
    payloads: Vec<Payload>,
    model: Model,
    next_entry: u8,
    /// How often somebody wrote the winner of a clash again.
    settled: usize,
}

impl Schedule {
    fn new(seed: u64) -> Self {
        let replicas = (1..=3).map(|n| (Document::new(actor(n)), BTreeSet::new())).collect();
        Self {
            dice: Dice(seed),
            replicas,
            payloads: vec![],
            model: Model::default(),
            next_entry: 0,
            settled: 0,
        }
    }

    fn edit(&mut self) {
        let at = self.dice.roll(3);
        let known: Vec<EntryId> = self.replicas[at].0.entries().map(|entry| entry.id).collect();
        let fields = [Field::Dose, Field::Frequency, Field::Text];
        let mut edits = Vec::new();
        for _ in 0..=self.dice.roll(3) {
            if known.is_empty() || self.dice.roll(20) == 0 {
                self.next_entry += 1;
                edits.push(add(self.next_entry));
            } else {
                let entry = known[self.dice.roll(known.len())];
                let value = (self.dice.roll(6) > 0).then(|| self.dice.roll(3).to_string());
                let field = fields[self.dice.roll(fields.len())];
                let here = self.replicas[at].0.entry(entry).expect("known");
                let clash = here.field(field).filter(|state| state.clash());
                if clash.is_some_and(|state| state.winner().is_some_and(|winner| winner.value == value)) {
                    self.settled += 1;
                }
                edits.push(Edit::Set { entry, field, value });
            }
        }
        let authored = self.replicas[at].0.author(&batch(edits)).expect("honest edits are written");
        self.replicas[at].0 = authored.next;
        if let Some(payload) = authored.payload {
            self.model.note(&self.replicas[at].1, &payload);
            self.replicas[at].1.insert(self.payloads.len());
            self.payloads.push(payload);
        }
    }

    /// Offers some of all payloads in any order, some twice, to one replica.
    fn deliver(&mut self, to: usize, chance: usize) {
        let mut offered: Vec<usize> =
            (0..self.payloads.len()).filter(|_| self.dice.roll(100) < chance).collect();
        offered.extend_from_within(..offered.len() / 3);
        self.dice.shuffle(&mut offered);
        let payloads: Vec<&Payload> = offered.iter().map(|at| &self.payloads[*at]).collect();
        let admission = offer(&self.replicas[to].0, &payloads);
        assert_eq!(admission.refused, [], "honest batches are never refused");
        let told = admission.accepted.len() + admission.waiting.len();
        assert_eq!(told, payloads.len(), "every batch is told of");
        let tags = admission.accepted.iter().map(|tag| offered[usize::try_from(*tag).expect("small")]);
        self.replicas[to].1.extend(tags);
        self.replicas[to].0 = admission.next;
    }
}

#[test]
fn replicas_agree_whatever_the_order_of_delivery() {
    let mut settled = 0;
    for seed in 0..80_u64 {
        println!("seed {seed}");
        let mut schedule = Schedule::new(seed);
        for _ in 0..40 {
            if schedule.dice.roll(2) == 0 {
                schedule.edit();
            } else {
                let to = schedule.dice.roll(3);
                let chance = [30, 90][schedule.dice.roll(2)];
                schedule.deliver(to, chance);
                let (document, has) = &schedule.replicas[to];
                assert_eq!(
                    fields_of(document),
                    schedule.model.fields(has),
                    "seed {seed}: clashes as the model says"
                );
            }
        }
        (0..3).for_each(|to| schedule.deliver(to, 100));
        settled += schedule.settled;
        let first = &schedule.replicas[0].0;
        for (document, has) in &schedule.replicas {
            assert_eq!(has.len(), schedule.payloads.len(), "seed {seed}: with everything here nothing waits");
            assert_eq!(document.heads(), first.heads(), "seed {seed}: the same heads");
            assert!(
                document.entries().eq(first.entries()),
                "seed {seed}: the same entries, values and winners"
            );
            assert_eq!(
                fields_of(document),
                schedule.model.fields(has),
                "seed {seed}: every clash keeps its values"
            );
        }
    }
    assert!(settled > 20, "clashes were settled by their winner too: {settled}");
}

#[test]
fn a_withheld_batch_is_waited_for_and_the_model_would_notice_its_loss() {
    let mut a = Document::new(actor(1));
    let first = write(&mut a, vec![add(7)]);
    let second = write(&mut a, vec![set(7, Field::Dose, "850")]);
    let third = write(&mut a, vec![set(7, Field::Dose, "1000")]);
    let mut b = Document::new(actor(2));
    let early = offer(&b, &[&third, &second]);
    assert_eq!((early.accepted.len(), early.waiting), (0, vec![0, 1]), "both wait for the first");
    assert_eq!(early.next.heads(), b.heads(), "and nothing has changed");
    take(&mut b, &[&third, &second, &first]);
    assert_eq!(b.heads(), a.heads(), "offered together they all fit");
}
