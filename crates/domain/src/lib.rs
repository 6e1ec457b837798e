//! What Mecum is about, as pure types: a person's record, its entries and edits, and the rules about them.
//!
//! No I/O, no clock and no randomness: times and ids are passed in. Everything above this crate speaks its words.

mod act;
mod appointment;
mod case;
mod crisis;
mod directory;
mod edit;
mod entry;
mod folding;
mod hours;
mod kind;
mod mention;
mod person;
mod quantity;
mod room;
mod slots;
mod validate;
mod when;

pub use act::{Act, ActId, ActKey, Acts, Author, Role, Side, ThreadId};
pub use appointment::{Appointment, AppointmentAct, Overtaken, Phase, Slot, SlotId, Stands, Wish, stands};
pub use case::{Case, CaseAct, CaseClock, CaseKind, CasePhase, Due, Owed, PauseFor, Rung};
pub use crisis::{Crisis, CrisisWord, crisis_words};
pub use directory::{
    Directory, DirectoryError, FreeSlot, HelpLine, HospitalId, Ladder, Practitioner, Price, Service, Words,
};
pub use edit::{Batch, Edit};
pub use entry::{EntryId, Field, FinishedKey, ParseIdError};
pub use hours::{Hours, HoursError, OpeningHours, Span};
pub use kind::{Kind, KindGroup, Section};
pub use mention::{Mention, mentions};
pub use person::{ChartId, PersonColour, Relation, initials, tile_letters};
pub use quantity::{Decimal, Flag, ParseDecimalError, ReferenceRange};
pub use room::{
    AppealState, AppealView, FeedAct, HeldText, Label, LookAt, MAX_NAME_BYTES, MAX_REVISIONS, PostBody,
    PostView, Pseudonym, Room, RoomAct, RoomRefusal, RoomRole, Undone, for_reader,
};
pub use slots::{
    MAX_OFFERED, MAX_SLOTS, SlotAnswer, SlotDecision, SlotRefusal, SlotState, SlotTable, StandingOffer,
};
pub use validate::{FieldError, MAX_TEXT_BYTES, validate_draft};
pub use when::{PartialDate, age_on};
