use mecum_domain::Relation;

use super::*;
use crate::testing::person;

fn code(error: SessionError) -> CallError {
    CallError::from(error)
}

#[test]
fn a_slip_is_refused_with_its_field_and_nothing_is_kept() {
    let (mut session, chart) = person(1);
    let fields = vec![
        (Field::Code, "85354-9".to_owned()),
        (Field::Value, "1380".to_owned()),
        (Field::Effective, "2026-09-08".to_owned()),
    ];
    let error = entry_add(&mut session, EntryAddArgs { chart, kind: Kind::VitalSign, fields }).map_err(code);
    let error = error.expect_err("1380 mmHg is a slip");
    assert_eq!(error.code, Code::Invalid, "the form can act on it");
    assert_eq!(error.fields.first().map(|field| field.field), Some(Field::Value), "and knows where");
    let rows = session.rows(chart).expect("the chart").len();
    assert_eq!(rows, 1, "only the person's own row is there");
}

#[test]
fn an_edit_is_checked_as_the_whole_entry_will_stand() {
    let (mut session, chart) = person(2);
    let fields = vec![(Field::Name, " Metformin ".to_owned()), (Field::Dose, "500".to_owned())];
    let entry = entry_add(&mut session, EntryAddArgs { chart, kind: Kind::MedicationStatement, fields })
        .expect("a medicine")
        .entry;
    let edit =
        |set: Vec<(Field, Option<String>)>| EntryEditArgs { chart, entry: entry.clone(), set, seen: None };
    let error = entry_edit(&mut session, edit(vec![(Field::Name, Some("  ".into()))])).map_err(code);
    assert_eq!(error.map_err(|error| error.code), Err(Code::Invalid), "a medicine keeps a name");
    let error = entry_edit(&mut session, edit(vec![(Field::Dose, Some("0".into()))])).map_err(code);
    assert_eq!(error.map_err(|error| error.code), Err(Code::Invalid), "no dose of nothing");
    let error = entry_edit(&mut session, edit(vec![(Field::Deleted, Some("x".into()))])).map_err(code);
    assert_eq!(error.map_err(|error| error.code), Err(Code::BadCall), "deleting has its own command");
    entry_edit(&mut session, edit(vec![(Field::Dose, None)])).expect("a dose can be cleared");
    let key = ItemKey::parse(&entry).expect("a name");
    let row = session.rows(chart).expect("the chart").get(key).expect("it stands").clone();
    assert_eq!((row.title.as_str(), row.value), ("Metformin", None), "as edited");
}

#[test]
fn what_was_received_and_who_it_is_about_cannot_be_rewritten() {
    let (mut session, chart) = person(3);
    let finished = ItemKey::Finished([1; 16]).name();
    let set = vec![(Field::Name, Some("x".to_owned()))];
    let error =
        entry_edit(&mut session, EntryEditArgs { chart, entry: finished, set, seen: None }).map_err(code);
    assert_eq!(error.map_err(|error| error.message_id), Err("error-not-editable".into()), "kept as received");
    let own = crate::summary::person(session.rows(chart).expect("the chart"))
        .map(|row| row.key.name())
        .expect("a person");
    let delete = EntryDeleteArgs { chart, entry: own, reason: "x".into() };
    let error = entry_delete(&mut session, delete).map_err(code);
    assert_eq!(error.map_err(|error| error.code), Err(Code::BadCall), "a chart keeps its person");
    let fields = vec![(Field::Name, "x".to_owned())];
    let error = entry_add(&mut session, EntryAddArgs { chart, kind: Kind::Encounter, fields }).map_err(code);
    assert_eq!(error.map_err(|error| error.code), Err(Code::BadCall), "a visit is not written by hand");
}

#[test]
fn a_new_chart_takes_the_next_colour() {
    let (mut session, chart) = person(4);
    let args = ChartCreateArgs {
        name: "Bima".into(),
        born: Some("2019-06-01".into()),
        relation: Relation::Child,
        colour: None,
    };
    let made = chart_create(&mut session, &args).expect("a chart");
    assert_eq!((made.name.as_str(), made.age), ("Bima", Some(7)), "as named, aged by the calendar");
    assert_ne!(made.colour, chart_view(&session, chart).colour, "a colour of its own");
    let wrong = ChartCreateArgs { born: Some("yesterday".into()), ..args };
    assert!(chart_create(&mut session, &wrong).is_err(), "a birth date is a date");
}

#[test]
fn a_persons_colour_and_name_can_be_changed_and_only_what_differs_is_written() {
    let (mut session, chart) = person(5);
    let before = chart_view(&session, chart);
    let args = ChartEditArgs {
        chart,
        name: before.name.clone(),
        born: before.born.clone(),
        relation: Relation::Mother,
        colour: mecum_domain::PersonColour::Lumut,
    };
    let after = chart_edit(&mut session, &args).expect("a colour");
    assert_eq!(after.colour, mecum_domain::PersonColour::Lumut, "the chosen colour");
    assert_eq!(
        (after.name.as_str(), after.relation),
        ("Laras", Relation::Own),
        "one's own record stays one's own"
    );
    let key =
        crate::summary::person(session.rows(chart).expect("the chart")).map(|row| row.key).expect("a person");
    let written = |session: &mut Session| session.history(chart, key).expect("history").len();
    let once = written(&mut session);
    chart_edit(&mut session, &args).expect("the same again");
    assert_eq!(written(&mut session), once, "the same again writes nothing");
    let named = ChartEditArgs { name: " Laras W. ".into(), born: None, ..args.clone() };
    let after = chart_edit(&mut session, &named).expect("a name");
    assert_eq!((after.name.as_str(), after.born), ("Laras W.", None), "as typed, without the date");
    let nobody = ChartEditArgs { name: "  ".into(), ..args };
    assert!(chart_edit(&mut session, &nobody).is_err(), "a record has a name");
}
