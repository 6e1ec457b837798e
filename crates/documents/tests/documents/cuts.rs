//! Cuts, case by case: what is left of a removed helper's words and of what others built on them.

use mecum_documents::{
    Cut, Document, Incoming, Payload, Refusal, ReplayError, Replayed, actor_after, replay_actor,
};
use mecum_domain::{Field, Kind};

use crate::forge::{actor, add, entry, frozen, keep, set, take, write};
use crate::replay::cut_of;
use crate::world::DOCUMENT;

/// A phone and a laptop of one person, and a helper who is removed with nothing after their first change counting.
struct Removal {
    phone: Document,
    laptop: Document,
    helper: Document,
    cut: Cut,
    state: Replayed,
}

fn removal() -> Removal {
    let mut phone = Document::new(actor(1));
    let (mut laptop, mut helper) = (Document::new(actor(2)), Document::new(actor(3)));
    let first = write(&mut phone, vec![add(7)]);
    take(&mut helper, &[&first]);
    take(&mut laptop, &[&first]);
    let allowed = write(&mut helper, vec![set(7, Field::Text, "with food")]);
    take(&mut phone, &[&allowed]);
    take(&mut laptop, &[&allowed]);
    Removal { phone, laptop, helper, cut: cut_of(9, &[(actor(3), 1)]), state: Replayed::none(DOCUMENT) }
}

fn text(document: &Document, n: u8, field: Field) -> Option<String> {
    document.entry(entry(n))?.get(field).map(str::to_owned)
}

fn admit_after(document: &Document, state: &Replayed, payload: &Payload) -> mecum_documents::Readmission {
    let actor = payload.actor().expect("16 bytes");
    document.admit_replayed(state, &[Incoming { actor, payload, tag: 4 }]).expect("the state fits")
}

#[test]
fn void_words_go_and_what_was_built_on_them_stays() {
    let Removal { mut phone, mut helper, cut, state, .. } = removal();
    let void = write(&mut helper, vec![set(7, Field::Dose, "5000"), set(7, Field::Text, "no food")]);
    take(&mut phone, &[&void]);
    write(&mut phone, vec![set(7, Field::Frequency, "daily")]);
    let (after, state) = phone.replay(&state, cut.clone(), actor(1)).expect("replayed");
    assert_eq!(text(&after, 7, Field::Dose).as_deref(), Some("500"), "the dose from before");
    assert_eq!(text(&after, 7, Field::Text).as_deref(), Some("with food"), "what counts of the helper stays");
    assert_eq!(text(&after, 7, Field::Frequency).as_deref(), Some("daily"), "honest words stay");
    let frequency = after.entry(entry(7)).expect("there");
    let written = frequency.field(Field::Frequency).expect("written").winner().expect("one").actor;
    assert_eq!(
        written,
        replay_actor(&DOCUMENT, &[9; 32], actor(1)),
        "under the name reserved for its author"
    );
    assert_eq!(state.author(written), actor(1), "and known as theirs");
    assert_eq!(state.origin(written, 1), (actor(1), 2), "with the number of the original");
    assert!(!after.has_change(&void.change_hash()), "the void change is not in the document");
    let bytes = after.save();
    assert!(!bytes.windows(4).any(|part| part == b"5000"), "nor its words in the bytes");
    let (again, same) = after.replay(&state, cut, actor(1)).expect("replayed");
    assert_eq!((again.heads(), same), (after.heads(), state), "the same cut twice is one");
}

#[test]
fn a_change_that_says_what_a_void_one_had_replaced_is_still_said() {
    let Removal { mut phone, mut laptop, mut helper, cut, state } = removal();
    let void = write(&mut helper, vec![set(7, Field::Dose, "5000")]);
    take(&mut phone, &[&void]);
    let back = write(&mut phone, vec![set(7, Field::Dose, "500")]);
    let other = write(&mut laptop, vec![set(7, Field::Dose, "850")]);
    take(&mut phone, &[&other]);
    let (after, _) = phone.replay(&state, cut, actor(1)).expect("replayed");
    let entry = after.entry(entry(7)).expect("there");
    let values = entry.field(Field::Dose).expect("written").values.len();
    assert_eq!(values, 2, "setting it back to 500 is a word against 850: {}", back.change_seq());
}

#[test]
fn an_entry_that_only_a_void_change_added_is_made_again_for_what_others_wrote_into_it() {
    let Removal { mut phone, mut laptop, mut helper, cut, state } = removal();
    let void = write(&mut helper, vec![add(40), add(41)]);
    take(&mut phone, &[&void]);
    take(&mut laptop, &[&void]);
    let dose = write(&mut phone, vec![set(40, Field::Dose, "850")]);
    let clash = write(&mut laptop, vec![set(40, Field::Dose, "1000"), set(40, Field::Text, "note")]);
    take(&mut phone, &[&clash]);
    take(&mut laptop, &[&dose]);
    let (after, known) = phone.replay(&state, cut.clone(), actor(1)).expect("replayed");
    let made = after.entry(entry(40)).expect("it is there for its words");
    assert_eq!(made.kind, Kind::MedicationStatement, "of the kind that people saw");
    assert_eq!(made.get(Field::Name), None, "without the words of the one who is not heard");
    assert_eq!(made.field(Field::Dose).expect("written").values.len(), 2, "and the clash on the dose stands");
    assert_eq!(known.revived(&after).into_iter().collect::<Vec<_>>(), [entry(40)], "the app can say so");
    assert!(after.entry(entry(41)).is_none(), "what nobody else wrote into is gone");
    let (other, _) = laptop.replay(&state, cut, actor(2)).expect("replayed");
    assert_eq!(other.heads(), after.heads(), "on the laptop too");
    let both = known.actor_for(actor(1));
    let mut settled = after.clone();
    let chosen = write(&mut settled, vec![set(40, Field::Dose, "850")]);
    assert_eq!(chosen.actor(), Some(both), "written after the cut");
    assert!(
        settled.entry(entry(40)).expect("there").safety_clashes().next().is_none(),
        "one write settles it"
    );

    // When those who wrote into it are not heard either, the entry goes.
    let all = cut_of(10, &[(actor(1), 1), (actor(2), 0)]);
    let (empty, state) = after.replay(&known, all, actor(1)).expect("replayed");
    assert!(empty.entry(entry(40)).is_none(), "an entry without words is not read");
    assert!(state.revived(&empty).is_empty(), "and not told of");
}

#[test]
fn what_was_written_after_the_cut_waits_for_what_it_was_built_on() {
    let Removal { mut phone, laptop, mut helper, cut, state } = removal();
    let void = write(&mut helper, vec![set(7, Field::Dose, "5000")]);
    take(&mut phone, &[&void]);
    let built = write(&mut phone, vec![set(7, Field::Frequency, "daily")]);
    let (mut phone, _) = phone.replay(&state, cut.clone(), actor(1)).expect("replayed");
    let new = write(&mut phone, vec![set(7, Field::Dose, "850")]);
    assert_eq!(new.actor(), Some(actor_after(actor(1), &[9; 32])), "after a cut a device has another actor");
    let (laptop, state) = laptop.replay(&state, cut, actor(2)).expect("replayed");
    let early = admit_after(&laptop, &state, &new);
    assert_eq!((early.waiting, early.accepted), (vec![4], vec![]), "its base was not here yet");
    let early = admit_after(&laptop, &state, &built);
    assert_eq!(early.waiting, [4], "nor was the void change under that base");
    let all: Vec<_> = [(&new, 1), (&void, 2), (&built, 3)]
        .map(|(payload, tag)| Incoming { actor: payload.actor().expect("16 bytes"), payload, tag })
        .to_vec();
    let done = laptop.admit_replayed(&state, &all).expect("the state fits");
    assert_eq!((done.accepted, done.refused), (vec![1, 2, 3], vec![]), "offered together they all fit");
    assert_eq!(done.next.heads(), phone.heads(), "and the laptop is where the phone is");
}

#[test]
fn after_a_cut_the_guards_are_what_they_were() {
    let Removal { phone, mut helper, cut, state, .. } = removal();
    let (after, state) = phone.replay(&state, cut, actor(1)).expect("replayed");
    let void = write(&mut helper, vec![set(7, Field::Dose, "5000")]);
    let forged = Incoming { actor: actor(2), payload: &void, tag: 0 };
    let told = after.admit_replayed(&state, &[forged]).expect("the state fits");
    assert_eq!(told.refused, [(0, Refusal::ForgedActor)], "another device's envelope");
    let among = Incoming::among(&state.actors_of(actor(2)), &void, 0).expect("it has actors");
    assert_eq!(among.actor, actor(2), "a device is bound to its own actors");
    let own = Incoming::among(&state.actors_of(actor(3)), &void, 0).expect("it has actors");
    let told = after.admit_replayed(&state, &[own]).expect("the state fits");
    assert_eq!(
        (told.accepted, told.next.heads()),
        (vec![0], after.heads()),
        "void: taken note of, and not read"
    );
    assert_eq!(told.state.stands_for(void.change_hash()), after.heads(), "it stands for what it followed");

    let mut other = Document::new(actor(8));
    write(&mut other, vec![keep(1, b"x")]);
    let foreign = other.admit_replayed(&told.state, &[]).err();
    assert_eq!(foreign, Some(ReplayError::State), "another document's state");

    let mut cloned = phone.clone();
    let mut real = phone.clone();
    let (one, two) = (write(&mut real, vec![add(50)]), write(&mut cloned, vec![add(51)]));
    let one = admit_after(&after, &state, &one);
    let told = admit_after(&one.next, &one.state, &two);
    assert_eq!(told.refused, [(4, Refusal::Equivocation)], "two changes of one number are seen");
    let bytes = told.state.encode();
    for length in 0..bytes.len() {
        assert!(Replayed::decode(&bytes[..length]).is_err(), "a state cut at {length}");
    }
    assert!(Replayed::decode(&[&bytes[..], &[0]].concat()).is_err(), "or with more behind it");
    assert_eq!(Replayed::decode(&[0x87, 1]).err(), Some(ReplayError::Malformed));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[test]
fn replay_is_frozen() {
    let Removal { mut phone, mut helper, cut, state, .. } = removal();
    let void = write(&mut helper, vec![set(7, Field::Dose, "5000"), add(40)]);
    take(&mut phone, &[&void]);
    write(&mut phone, vec![set(7, Field::Frequency, "daily"), set(40, Field::Dose, "1"), keep(3, b"result")]);
    let (after, state) = phone.replay(&state, cut, actor(1)).expect("replayed");
    let lines = [
        hex(replay_actor(&DOCUMENT, &[9; 32], actor(1)).as_bytes()),
        hex(actor_after(actor(1), &[9; 32]).as_bytes()),
        hex(&after.in_order().expect("in order").save()),
        hex(&state.encode()),
    ];
    frozen("replay-v1.hex", &(lines.join("\n") + "\n"));
}
