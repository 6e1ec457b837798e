use mecum_domain::{ChartId, Section};
use mecum_seal::{EpochKey, Hash32, SpaceId};
use mecum_vault::Location;

use super::*;
use crate::erasing::Info;
use crate::snapshots::authors_stand;
use crate::testing::{first_device, surroundings};

fn account(n: u8) -> AccountId {
    AccountId::from_bytes([n; 16])
}

fn care(members: &[(u8, u8)]) -> Care {
    let member = |(n, part): &(u8, u8)| CareMember { account: account(*n), part: *part };
    Care { hospital: [9; 16], members: members.iter().map(member).collect() }
}

#[test]
fn a_label_that_names_the_owner_or_a_part_that_is_not_known_is_none() {
    let owner = account(1);
    let sound = |members: &[(u8, u8)]| care(members).is_sound(owner);
    assert!(sound(&[(2, 2)]), "the agent alone");
    assert!(sound(&[(2, 1), (3, 2)]), "with staff");
    let eight: Vec<(u8, u8)> = (2..=9).map(|n| (n, 1)).collect();
    assert!(sound(&eight), "as many as there may be");
    let nine: Vec<(u8, u8)> = (2..=10).map(|n| (n, 1)).collect();
    assert!(!sound(&nine), "and one more");
    assert!(!sound(&[]), "nobody");
    assert!(!sound(&[(1, 2)]), "the owner");
    assert!(!sound(&[(1, 1), (2, 2)]), "the owner among others");
    assert!(!sound(&[(2, 0)]) && !sound(&[(2, 3)]), "in no part that is known");
    assert!(!sound(&[(3, 1), (2, 2)]), "in another order");
    assert!(!sound(&[(2, 1), (2, 2)]), "twice");
}

#[test]
fn a_device_stands_on_its_own_side_of_a_conversation_and_nowhere_else_of_any() {
    let phone = first_device(&Location::Memory, surroundings(1));
    let (follower, device) = (&phone.follower, phone.identity.device);
    let agent = CareMember { account: phone.identity.account, part: PART_AGENT };
    let of_another = care(&[(2, 2)]);
    let of_hospital = Care { hospital: [9; 16], members: vec![agent] };
    let stands = |care: Option<&Care>, side, device| {
        let section = if care.is_some() { Section::Care } else { Section::Diary };
        may_stand(follower, &space(section, care.cloned()), side, device)
    };
    let sides = [None, Some(Side::Patient), Some(Side::Hospital)];
    let all = |care| sides.map(|side| stands(care, side, device));
    assert_eq!(all(None), [true, false, false], "in a section of the record: where there is no side");
    assert_eq!(all(Some(&of_another)), [false, true, false], "whom the label does not name: the patient's");
    assert_eq!(all(Some(&of_hospital)), [false, false, true], "whom it names: the hospital's");
    let nobody = DeviceId::from_bytes([7; 16]);
    let all = |care| sides.map(|side| stands(care, side, nobody));
    assert_eq!(all(Some(&of_hospital)), [false; 3], "a device that no log names has no side");
}

#[test]
fn a_document_is_opened_by_whom_its_id_is_bound_to_and_on_no_other_side() {
    let phone = first_device(&Location::Memory, surroundings(2));
    let (follower, device, own) = (&phone.follower, phone.identity.device, phone.identity.account);
    let of_hospital =
        Care { hospital: [9; 16], members: vec![CareMember { account: own, part: PART_AGENT }] };
    let (as_patient, as_hospital) =
        (space(Section::Care, Some(care(&[(2, 2)]))), space(Section::Care, Some(of_hospital)));
    let record = space(Section::Diary, None);
    let named = |side, account| new_document(record.space, Some(side), account, phone.entropy());
    let (document, said) = named(Side::Patient, own);
    assert_eq!(
        (side_of_document(document), as_patient.side_of(document)),
        (Side::Patient, Some(Side::Patient))
    );
    assert_eq!(record.side_of(document), None, "no id has a side where there is none");
    let opens = |space: &SpaceState, document, said| may_open(follower, space, document, said, device);
    assert!(opens(&as_patient, document, said), "its own");
    assert!(!opens(&as_hospital, document, said), "who is of the other side");
    assert!(!opens(&record, document, said), "where there are no sides");
    assert!(opens(&record, document, None) && !opens(&as_patient, document, None), "or none is said");
    let (of_another, said_by_another) = named(Side::Patient, account(5));
    assert!(!opens(&as_patient, of_another, said_by_another), "another account's, of the same side");
    assert!(!opens(&as_patient, document, said_by_another), "under another salt");
    let unsalted = Some(OfSide { side: Side::Patient, salt: None });
    assert!(!opens(&as_patient, document, unsalted), "or without one, as in a snapshot");
    let (document, said) = named(Side::Hospital, own);
    assert_eq!(side_of_document(document), Side::Hospital);
    assert!(opens(&as_hospital, document, said) && !opens(&as_patient, document, said), "the mirror of it");
    let nobody = DeviceId::from_bytes([7; 16]);
    assert!(
        !may_open(follower, &as_hospital, document, said, nobody),
        "a device that no log names opens none"
    );
}

#[test]
fn whose_words_a_successor_began_with_stand_on_its_side() {
    let phone = first_device(&Location::Memory, surroundings(3));
    let own = phone.identity.account;
    let conversation = space(Section::Care, Some(care(&[(2, 2)])));
    let record = space(Section::Diary, None);
    let of = |side| new_document(conversation.space, Some(side), own, phone.entropy()).0;
    let by = |author| {
        let authors = [(mecum_documents::Actor::from_bytes([1; 16]), author)];
        Info::new(authors, Vec::new(), Vec::new(), Vec::new())
    };
    let stand = |space, document, author| authors_stand(&phone.follower, space, document, &by(author));
    let (honest, nobody) = (phone.identity.actor(), mecum_documents::Actor::from_bytes([8; 16]));
    assert!(stand(&conversation, of(Side::Patient), honest), "on the side of the author");
    assert!(!stand(&conversation, of(Side::Hospital), honest), "and not on the other");
    assert!(!stand(&conversation, of(Side::Patient), nobody), "nor do words of nobody who is known");
    assert!(stand(&record, of(Side::Patient), nobody), "in the record nobody is asked for a side");
}

#[test]
fn a_vault_with_a_conversation_says_so_in_its_file_from_the_commit_on_that_founds_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("vault.sqlite");
    let mut phone = first_device(&Location::File(path.clone()), surroundings(4));
    let chart = phone.create_chart("Laras", None, mecum_domain::Relation::Own, None).expect("a chart");
    let version = || {
        let file = rusqlite::Connection::open(&path).expect("a database");
        file.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0)).expect("a number")
    };
    let before = version();
    assert!(before < 4, "a record is read by programs that know no conversations: {before}");
    let mut stage = crate::stage::Stage::default();
    let founded = phone.stage_founded(&mut stage, chart, Section::Care, Some(care(&[(2, 2)])));
    founded.expect("an own chart");
    assert_eq!(version(), before, "nothing is said before it is kept");
    phone.commit(stage, mecum_vault::Durability::Full).expect("kept");
    assert_eq!(version(), 4, "no program reads it that knows none");
}

fn space(section: Section, care: Option<Care>) -> SpaceState {
    SpaceState {
        space: SpaceId::from_bytes([4; 16]),
        chart: ChartId::from_bytes([8; 16]),
        section,
        key: EpochKey::from_bytes([9; 32]),
        epoch: 1,
        earlier: Vec::new(),
        ended: None,
        removed_devices: 0,
        membership: Hash32::ZERO,
        unsent_genesis: None,
        own_seq: 0,
        own_last: Hash32::ZERO,
        own_membership: Hash32::ZERO,
        snapshot_seq: 0,
        care,
    }
}

#[test]
fn an_act_has_the_id_that_follows_from_its_bytes_its_space_and_its_side() {
    let (space, bytes) = (SpaceId::from_bytes([4; 16]), b"the bytes of an act");
    let id = |space, side, bytes: &[u8]| act_id(space, side, bytes).to_string();
    assert_eq!(id(space, Side::Patient, bytes), "14b8560164d438b3bc5b5e798596fa49", "frozen");
    assert_eq!(id(space, Side::Hospital, bytes), "d1b267f6f770636fe38b73c265a63c09", "of the other side");
    let other = SpaceId::from_bytes([5; 16]);
    assert_ne!(id(other, Side::Patient, bytes), id(space, Side::Patient, bytes), "of another space");
    assert_ne!(id(space, Side::Patient, b"other bytes"), id(space, Side::Patient, bytes), "of other bytes");
}

#[test]
fn an_account_acts_in_the_part_that_the_label_names_or_as_owner_or_relative() {
    let care = care(&[(2, 1), (3, 2)]);
    let role = |n| care.role_of(account(1), account(n));
    assert_eq!([role(1), role(2), role(3)], [Role::Patient, Role::Staff, Role::Agent]);
    assert_eq!(role(4), Role::Relative, "anybody else");
    let side = |n| care.side_of(account(n));
    assert!((1..=4).all(|n| side(n) == role(n).side()), "each on the side of its part");
}
