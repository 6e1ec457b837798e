use mecum_api::{ChartArgs, ClashSettleArgs, EntryArgs, EntryDeleteArgs, NeedKind, TimelineArgs, TrendArgs};
use mecum_domain::{Field, Flag, Kind, KindGroup, Relation};
use mecum_testkit::FakeRelay;
use mecum_vault::Location;

use super::*;
use crate::edits;
use crate::testing::{first_device, surroundings};

struct Pair {
    relay: FakeRelay,
    phone: Session,
    laptop: Session,
    chart: ChartId,
}

fn exchange(session: &mut Session, relay: &mut FakeRelay) {
    for _ in 0..50 {
        let request = session.request().expect("an open session says what it has");
        let response = relay.answer(session.installation(), &request, 100);
        if !session.accept(&request, &response).expect("an honest relay is followed").more {
            return;
        }
    }
    panic!("the device never came to rest");
}

impl Pair {
    fn new(seed: u64) -> Self {
        let relay = FakeRelay::new([7; 32]);
        let mut phone = first_device(&Location::Memory, surroundings(seed));
        phone.pin_for_tests(relay.key());
        let chart = phone.create_chart("Laras", Some("1988-02-11"), Relation::Own, None).expect("a chart");
        let laptop = phone.pair_for_tests("laptop", &Location::Memory, surroundings(seed ^ 0xff));
        let mut pair = Self { relay, phone, laptop, chart };
        pair.sync();
        pair
    }

    fn sync(&mut self) {
        for _ in 0..2 {
            exchange(&mut self.phone, &mut self.relay);
            exchange(&mut self.laptop, &mut self.relay);
        }
    }

    fn medicine(&mut self, dose: &str) -> ItemKey {
        let fields = vec![
            (Field::Name, "Amlodipine".to_owned()),
            (Field::Dose, dose.to_owned()),
            (Field::DoseUnit, "mg".to_owned()),
        ];
        let key = self.phone.add(self.chart, Kind::MedicationStatement, fields).expect("a medicine");
        self.sync();
        key
    }
}

fn set(session: &mut Session, chart: ChartId, key: ItemKey, fields: &[(Field, &str)]) {
    let set = fields.iter().map(|(field, value)| (*field, Some((*value).to_owned()))).collect();
    session.set(chart, key, set).expect("an edit");
}

#[test]
fn both_doses_are_shown_with_who_and_where_and_none_is_chosen() {
    let mut pair = Pair::new(1);
    let (key, chart) = (pair.medicine("5"), pair.chart);
    set(&mut pair.phone, chart, key, &[(Field::Dose, "7.5")]);
    set(&mut pair.phone, chart, key, &[(Field::Dose, "10")]);
    set(&mut pair.laptop, chart, key, &[(Field::Dose, "2.5")]);
    pair.sync();
    for session in [&mut pair.phone, &mut pair.laptop] {
        let view = medicines::medicines(session, &ChartArgs { chart }).expect("medicines");
        let medicine = view.current.first().expect("the medicine is taken");
        assert_eq!(
            (medicine.dose.as_deref(), medicine.on_hold),
            (None, true),
            "no dose is shown, and it is on hold"
        );
        let clash = view.clashes.first().expect("the clash is shown");
        let mut values: Vec<_> = clash.values.iter().filter_map(|value| value.value.as_deref()).collect();
        values.sort_unstable();
        assert_eq!(values, ["10 mg", "2.5 mg"], "both, with their unit");
        let mut devices: Vec<_> = clash.values.iter().map(|value| value.device.as_str()).collect();
        devices.sort_unstable();
        assert_eq!(devices, ["laptop", "phone"], "and on which device");
        assert!(clash.values.iter().all(|value| value.author == "Laras"), "and who");
        let agreed = clash.agreed.as_ref().and_then(|agreed| agreed.value.as_deref());
        assert_eq!(agreed, Some("5 mg"), "7.5 mg was never seen by the laptop");
        let home = home::home(session).expect("home");
        let need = home.needs.first().expect("it needs the person");
        assert_eq!(
            (need.kind, need.written.len(), need.flag),
            (NeedKind::Clash, 2, Flag::Clash),
            "home says so too"
        );
        assert_eq!(need.field, Some(Field::Dose), "and leads to the question");
    }
}

#[test]
fn a_dose_in_a_clash_comes_with_the_words_that_were_written_with_it() {
    let mut pair = Pair::new(21);
    let (key, chart) = (pair.medicine("5"), pair.chart);
    set(&mut pair.phone, chart, key, &[(Field::Dose, "10"), (Field::Reason, "it was 158 last week")]);
    set(&mut pair.laptop, chart, key, &[(Field::Dose, "2.5")]);
    pair.sync();
    for session in [&mut pair.phone, &mut pair.laptop] {
        let view = medicines::medicines(session, &ChartArgs { chart }).expect("medicines");
        let clash = view.clashes.first().expect("the clash is shown");
        let mut worded: Vec<_> =
            clash.values.iter().map(|value| (value.value.as_deref(), value.words.as_deref())).collect();
        worded.sort_unstable();
        let wanted = [(Some("10 mg"), Some("it was 158 last week")), (Some("2.5 mg"), None)];
        assert_eq!(worded, wanted, "each with its own words, and none of the other's");
    }
}

#[test]
fn a_person_settles_a_clash_and_both_devices_agree() {
    let mut pair = Pair::new(2);
    let (key, chart) = (pair.medicine("5"), pair.chart);
    set(&mut pair.phone, chart, key, &[(Field::Dose, "10"), (Field::DoseUnit, "mcg")]);
    set(&mut pair.laptop, chart, key, &[(Field::Dose, "2.5"), (Field::DoseUnit, "g")]);
    pair.sync();
    let view = medicines::medicines(&mut pair.laptop, &ChartArgs { chart }).expect("medicines");
    assert_eq!(view.clashes.len(), 1, "dose and unit were written together: one question");
    let clash = view.clashes.first().expect("the clash is shown");
    let right = clash
        .values
        .iter()
        .find(|value| value.value.as_deref() == Some("10 mcg"))
        .expect("with its own unit");
    let args = ClashSettleArgs {
        chart,
        entry: key.name(),
        field: Some(Field::Dose),
        choice: right.choice.clone(),
        seen: None,
    };
    edits::clash_settle(&mut pair.laptop, args.clone()).expect("a value that is there");
    pair.sync();
    for session in [&mut pair.phone, &mut pair.laptop] {
        let view = medicines::medicines(session, &ChartArgs { chart }).expect("medicines");
        let medicine = view.current.first().expect("the medicine is taken");
        assert_eq!(
            (medicine.dose.as_deref(), medicine.on_hold),
            (Some("10 mcg"), false),
            "settled everywhere"
        );
        assert!(view.clashes.is_empty(), "nothing is left to settle");
    }
    assert!(edits::clash_settle(&mut pair.phone, args).is_err(), "a clash is settled once");
}

#[test]
fn the_loser_of_another_field_stays_in_history() {
    let mut pair = Pair::new(3);
    let chart = pair.chart;
    let key = pair.phone.add(chart, Kind::Note, vec![(Field::Text, "slept".into())]).expect("a note");
    pair.sync();
    set(&mut pair.phone, chart, key, &[(Field::Text, "slept well")]);
    set(&mut pair.laptop, chart, key, &[(Field::Text, "slept badly")]);
    pair.sync();
    let args = EntryArgs { chart, entry: key.name() };
    let views = [&mut pair.phone, &mut pair.laptop]
        .map(|session| entry::entry_get(session, &args).expect("the note"));
    for view in &views {
        assert!(view.clashes.is_empty(), "no safety field: nobody is asked");
        let lost: Vec<_> = view.history.iter().filter(|past| past.lost).collect();
        assert_eq!(lost.len(), 1, "one of the two was outranked");
        assert_eq!(
            lost.first().and_then(|past| past.before.as_deref()),
            Some("slept"),
            "each saw the first words"
        );
        let standing =
            view.fields.iter().find(|(field, _)| *field == Field::Text).map(|(_, text)| text.clone());
        assert_ne!(
            lost.first().and_then(|past| past.written.value.clone()),
            standing,
            "the loser is not what stands"
        );
        assert_eq!(view.history.last().map(|past| past.field), Some(None), "it began with the note");
    }
    assert_eq!(views.first().map(|v| &v.fields), views.last().map(|v| &v.fields), "both show the same");
}

#[test]
fn what_the_other_device_wrote_is_news_until_it_is_seen() {
    let mut pair = Pair::new(4);
    let (key, chart) = (pair.medicine("5"), pair.chart);
    changes::changes_seen(&mut pair.laptop, &mecum_api::SeenArgs { chart }).expect("seen");
    let args = ChartArgs { chart };
    assert_eq!(
        changes::changes(&mut pair.laptop, &args).expect("changes").total,
        0,
        "nothing since the look"
    );
    // Both clocks stand still, so the look is put back by hand.
    pair.laptop.set_seen(chart, 1).expect("seen");
    set(&mut pair.phone, chart, key, &[(Field::Reason, "pressure")]);
    pair.sync();
    let news = changes::changes(&mut pair.laptop, &args).expect("changes");
    let change = news.changes.first().expect("one change");
    assert_eq!((change.field, change.after.as_deref()), (Some(Field::Reason), Some("pressure")), "what");
    assert_eq!((change.by.device.as_str(), change.by.own), ("phone", false), "and who");
    assert_eq!(changes::changes(&mut pair.phone, &args).expect("changes").total, 0, "own words are no news");
}

#[test]
fn the_timeline_counts_pages_and_filters() {
    let mut session = Session::for_tests(5);
    let chart = session.create_chart("Laras", None, Relation::Own, None).expect("a chart");
    for day in 1..=9 {
        let fields = vec![(Field::Text, format!("day {day}")), (Field::Effective, format!("2025-01-0{day}"))];
        session.add(chart, Kind::Note, fields).expect("a note");
    }
    let weight = vec![
        (Field::Code, "29463-7".to_owned()),
        (Field::Value, "61".to_owned()),
        (Field::Unit, "kg".to_owned()),
        (Field::Effective, "2026-02-01".to_owned()),
    ];
    let key = session.add(chart, Kind::VitalSign, weight).expect("a weight");
    let args = TimelineArgs {
        chart,
        groups: vec![KindGroup::Notes],
        year: Some(2025),
        offset: 4,
        limit: 4,
        ..TimelineArgs::default()
    };
    let view = timeline::timeline(&mut session, &args).expect("a timeline");
    assert_eq!(
        (view.all, view.total, view.rows.len(), view.more),
        (10, 9, 4, true),
        "the second page of the notes"
    );
    assert_eq!(view.rows.first().map(|row| row.title.as_str()), Some("day 5"), "newest first");
    assert_eq!(view.groups.iter().map(|group| group.count).sum::<u32>(), 10, "groups count the whole chart");
    let years: Vec<_> = view.years.iter().map(|year| (year.year, year.count)).collect();
    assert_eq!(years, [(2025, 9)], "years count within the groups");
    let delete = EntryDeleteArgs { chart, entry: key.name(), reason: String::new() };
    edits::entry_delete(&mut session, delete).expect("own words");
    let all = TimelineArgs { chart, ..TimelineArgs::default() };
    assert_eq!(timeline::timeline(&mut session, &all).expect("a timeline").all, 9, "deleted: in no list");
    let gone =
        entry::entry_get(&mut session, &EntryArgs { chart, entry: key.name() }).expect("it can be opened");
    assert!(gone.deleted.is_some(), "and it says so");
    edits::entry_restore(&mut session, EntryArgs { chart, entry: key.name() }).expect("it comes back");
    assert_eq!(timeline::timeline(&mut session, &all).expect("a timeline").all, 10, "as it was");
}

#[test]
fn numbers_of_other_units_are_listed_and_not_drawn() {
    let mut session = Session::for_tests(6);
    let chart = session.create_chart("Laras", None, Relation::Own, None).expect("a chart");
    for (value, unit, day) in [("98", "mg/dL", "01"), ("5.4", "mmol/L", "02"), ("104", "mg/dL", "03")] {
        let fields = vec![
            (Field::Code, "2339-0".to_owned()),
            (Field::Value, value.to_owned()),
            (Field::Unit, unit.to_owned()),
            (Field::Effective, format!("2026-01-{day}")),
        ];
        session.add(chart, Kind::VitalSign, fields).expect("a reading");
    }
    let view = results::trend(&mut session, &TrendArgs { chart, trend: "loinc|2339-0".into(), unit: None })
        .expect("a trend");
    let points: Vec<_> = view.points.iter().map(|point| point.number).collect();
    assert_eq!(
        (points, view.unit.as_str()),
        (vec![98.0, 104.0], "mg/dL"),
        "oldest first, the unit of the newest"
    );
    assert_eq!(
        view.other_units.iter().map(|point| point.value.as_str()).collect::<Vec<_>>(),
        ["5.4"],
        "listed apart"
    );
    assert_eq!(view.units, ["mg/dL", "mmol/L"], "it can be shown in both");
    let asked = TrendArgs { chart, trend: "loinc|2339-0".into(), unit: Some("mmol/L".into()) };
    let asked = results::trend(&mut session, &asked).expect("a trend");
    let points: Vec<_> = asked.points.iter().map(|point| (point.value.as_str(), point.converted)).collect();
    assert_eq!(points, [("5.4", true), ("5.4", false), ("5.8", true)], "what was worked out says so");
    assert!(asked.other_units.is_empty(), "nothing is left apart");
    let all = results::results(&mut session, &ChartArgs { chart }).expect("results");
    let series = all.measurements.first().expect("one series");
    assert_eq!(
        (series.count, series.line.as_slice()),
        (3, [98.0, 104.0].as_slice()),
        "the small line keeps one unit"
    );
    let none = results::trend(&mut session, &TrendArgs { chart, trend: "loinc|0".into(), unit: None });
    assert!(none.is_err(), "a series that is not there");
}

#[test]
fn the_timeline_filters_by_author_and_by_place() {
    let mut session = Session::for_tests(7);
    let chart = session.create_chart("Laras", None, Relation::Own, None).expect("a chart");
    session.add(chart, Kind::Note, vec![(Field::Text, "slept".into())]).expect("a note");
    let file = br#"{"resourceType":"Bundle","type":"collection","entry":[
{"resource":{"resourceType":"Observation","id":"a","status":"final","code":{"text":"HbA1c"},"effectiveDateTime":"2026-01-01",
 "performer":[{"display":"dr. Hendra"},{"reference":"Organization/x","display":"RS Tirta Asih"}],"valueQuantity":{"value":7,"unit":"%"}}},
{"resource":{"resourceType":"Observation","id":"b","status":"final","code":{"text":"HbA1c"},"effectiveDateTime":"2026-02-01",
 "performer":[{"display":"dr. Maya"},{"reference":"Organization/x","display":"RS Tirta Asih"}],"valueQuantity":{"value":7,"unit":"%"}}}]}"#;
    let bundle = mecum_interop::read_bundle(file).expect("a bundle");
    session.keep(chart, bundle.resources, &mut |_| true).expect("a file");
    let all = timeline::timeline(&mut session, &TimelineArgs { chart, ..TimelineArgs::default() });
    let all = all.expect("a timeline");
    let named = |names: &[mecum_api::NameCount]| -> Vec<(String, u32)> {
        names.iter().map(|name| (name.name.clone(), name.count)).collect()
    };
    assert_eq!(
        named(&all.authors),
        [("Laras".into(), 1), ("dr. Hendra".into(), 1), ("dr. Maya".into(), 1)],
        "who wrote"
    );
    assert_eq!(named(&all.places), [("RS Tirta Asih".into(), 2)], "and where");
    let only = |author: Option<&str>, place: Option<&str>| TimelineArgs {
        chart,
        author: author.map(str::to_owned),
        place: place.map(str::to_owned),
        ..TimelineArgs::default()
    };
    for (author, place, rows) in [
        (Some("Laras"), None, 1),
        (Some("dr. Maya"), None, 1),
        (None, Some("RS Tirta Asih"), 2),
        (Some("dr. Maya"), Some("RS Tirta Asih"), 1),
        (Some("Laras"), Some("RS Tirta Asih"), 0),
        (Some("nobody"), None, 0),
    ] {
        let view = timeline::timeline(&mut session, &only(author, place)).expect("a timeline");
        assert_eq!((view.total, view.all), (rows, 3), "{author:?} at {place:?}, counted over the chart");
        assert_eq!(view.authors.len(), 3, "the other names can still be chosen");
    }
}

#[test]
fn a_goal_with_a_number_becomes_limits_of_its_own_series_alone() {
    let mut session = Session::for_tests(8);
    let chart = session.create_chart("Laras", None, Relation::Own, None).expect("a chart");
    let file = br#"{"resourceType":"Bundle","type":"collection","entry":[
{"resource":{"resourceType":"Goal","id":"g","lifecycleStatus":"active","description":{"text":"Long-term sugar in check"},
 "target":[{"measure":{"coding":[{"system":"http://loinc.org","code":"4548-4"}]},
  "detailQuantity":{"comparator":"<","value":7.5,"unit":"%"}}]}},
{"resource":{"resourceType":"Observation","id":"a","status":"final","effectiveDateTime":"2026-01-01",
 "code":{"coding":[{"system":"http://loinc.org","code":"4548-4"}],"text":"HbA1c"},"valueQuantity":{"value":7.8,"unit":"%"}}},
{"resource":{"resourceType":"Observation","id":"b","status":"final","effectiveDateTime":"2026-01-01",
 "code":{"coding":[{"system":"http://loinc.org","code":"2708-6"}],"text":"Saturation"},"valueQuantity":{"value":98,"unit":"%"}}}]}"#;
    let bundle = mecum_interop::read_bundle(file).expect("a bundle");
    session.keep(chart, bundle.resources, &mut |_| true).expect("a file");
    let trend = |session: &mut Session, trend: &str, unit: Option<&str>| {
        let args = TrendArgs { chart, trend: trend.into(), unit: unit.map(str::to_owned) };
        results::trend(session, &args).expect("a trend")
    };
    let view = trend(&mut session, "loinc|4548-4", None);
    let limits = view.limits.expect("a line to draw");
    assert_eq!((limits.low, limits.high.as_deref(), limits.beyond), (None, Some("7.5"), true), "below 7.5");
    assert_eq!(view.goal.as_deref(), Some("Long-term sugar in check"), "and as worded");
    let other = trend(&mut session, "loinc|4548-4", Some("mmol/mol")).limits.expect("a line to draw");
    assert_eq!((other.high.as_deref(), other.converted), (Some("58"), true), "in the unit that is drawn");
    assert!(
        trend(&mut session, "loinc|2708-6", None).limits.is_none(),
        "the same unit is not the same measure"
    );
    let results = results::results(&mut session, &ChartArgs { chart }).expect("results");
    assert_eq!(results.results.len() + results.measurements.len(), 2, "a goal is no value of its series");
    let goal = limits.entry;
    let entry = entry::entry_get(&mut session, &EntryArgs { chart, entry: goal }).expect("the goal");
    assert_eq!((entry.range, entry.row.trend), (None, None), "a goal is no laboratory's range");
}
