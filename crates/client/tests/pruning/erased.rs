//! An entry that is erased, or moves to *sensitive*, in a section that the server has pruned, before or after: with a device that was
//! away all the while and wrote late words, and one that comes later and has nothing but the snapshot.

use mecum_api::{ChartArgs, EntryEraseArgs, EntryMoveArgs, ErasurePhase};
use mecum_client::testing::surroundings;
use mecum_client::{ItemKey, Session};
use mecum_domain::{ChartId, Field, Kind};
use mecum_vault::Location;

use super::line::{Device, Line, exchange, fold, same};

/// What is planted in the entry that goes.
pub(crate) const NEEDLE: &str = "Zuclopenthixolneedle";

pub(crate) fn medicine(who: &mut Session, chart: ChartId, name: &str) -> ItemKey {
    let fields = vec![(Field::Name, name.to_owned()), (Field::Dose, "1".to_owned())];
    who.add(chart, Kind::MedicationStatement, fields).expect("a medicine is written")
}

pub(crate) fn dose(who: &mut Session, chart: ChartId, key: ItemKey, dose: &str) {
    who.set(chart, key, vec![(Field::Dose, Some(dose.to_owned()))]).expect("a dose is written");
}

/// The doses of a chart's standing medicines, by name, as their documents have them.
pub(crate) fn doses(who: &mut Session, chart: ChartId) -> Vec<(String, String)> {
    let rows = who.rows(chart).expect("rows").newest();
    let medicines = rows.iter().filter(|row| row.kind() == Kind::MedicationStatement);
    let keys: Vec<(String, ItemKey)> = medicines.map(|row| (row.title.clone(), row.key)).collect();
    let mut all = Vec::new();
    for (name, key) in keys {
        let entry = who.entry(chart, key).expect("reads").expect("what is listed is there");
        all.push((name, entry.get(Field::Dose).unwrap_or_default().to_owned()));
    }
    all.sort();
    all
}

pub(crate) fn holds(hay: &[u8], needle: &[u8]) -> bool {
    hay.windows(needle.len()).any(|window| window == needle)
}

/// What becomes of the entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goes {
    Erased,
    ToSensitive,
}

/// When the server prunes: before it is decided, after it was carried out, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pruned {
    Before,
    After,
    Both,
}

async fn settle(devices: &mut [&mut Device]) {
    for _ in 0..4 {
        for device in devices.iter_mut() {
            exchange(device).await;
        }
    }
}

fn decide(who: &mut Session, chart: ChartId, key: ItemKey, goes: Goes) {
    let reason = "not hers".to_owned();
    match goes {
        Goes::Erased => {
            let args = EntryEraseArgs { chart, entry: key.name(), reason };
            who.entry_erase(&args).expect("it is decided");
        }
        Goes::ToSensitive => {
            let args = EntryMoveArgs { chart, entry: key.name(), sensitive: true, reason };
            who.entry_move(&args).expect("it is decided");
        }
    }
}

async fn case(seed: u64, goes: Goes, pruned: Pruned) {
    let what = format!("seed {seed}: {goes:?}, pruned {pruned:?}");
    println!("{what}");
    let line = Line::start().await;
    let (mut phone, mut laptop, chart) = *Box::pin(line.two(seed, 16)).await;
    let stays = medicine(&mut phone.session, chart, "Amlodipine");
    let key = medicine(&mut phone.session, chart, NEEDLE);
    exchange(&mut phone).await;
    exchange(&mut laptop).await;
    dose(&mut laptop.session, chart, stays, "2");
    let tablet = phone.session.pair_for_tests("tablet", &Location::Memory, surroundings(seed + 3));
    exchange(&mut phone).await;
    let mut tablet = line.device(tablet).await;
    settle(&mut [&mut phone, &mut laptop, &mut tablet]).await;
    let secret = phone.session.key_of_entry_for_tests(chart, key);
    if pruned != Pruned::After {
        drop(fold(&line, &mut phone, &mut laptop, seed + 4).await);
        line.prune(&what);
        exchange(&mut tablet).await;
    }
    // Away from here on: it writes, also in the entry that goes.
    dose(&mut tablet.session, chart, stays, "12");
    dose(&mut tablet.session, chart, key, "99");
    decide(&mut phone.session, chart, key, goes);
    settle(&mut [&mut phone, &mut laptop]).await;
    if pruned != Pruned::Before {
        medicine(&mut laptop.session, chart, "Written since");
        settle(&mut [&mut phone, &mut laptop]).await;
        // After a restart a section that could not be folded meanwhile is tried at once.
        phone = line.device(phone.session.restart().expect("reopens")).await;
        laptop = line.device(laptop.session.restart().expect("reopens")).await;
        drop(fold(&line, &mut phone, &mut laptop, seed + 5).await);
        line.prune(&what);
    }
    settle(&mut [&mut phone, &mut laptop, &mut tablet]).await;
    let later = phone.session.pair_for_tests("later", &Location::Memory, surroundings(seed + 6));
    exchange(&mut phone).await;
    let mut later = line.device(later).await;
    settle(&mut [&mut phone, &mut laptop, &mut tablet, &mut later]).await;
    same(&mut [&mut phone, &mut laptop, &mut tablet, &mut later], &what);
    for (device, which) in
        [(&mut phone, "phone"), (&mut laptop, "laptop"), (&mut tablet, "tablet"), (&mut later, "later")]
    {
        let doses = doses(&mut device.session, chart);
        let of = |name: &str| doses.iter().find(|(title, _)| title == name).map(|(_, dose)| dose.as_str());
        assert_eq!(of("Amlodipine"), Some("12"), "{what}: late words are written again, on {which}");
        let expected = if goes == Goes::Erased { None } else { Some("99") };
        assert_eq!(of(NEEDLE), expected, "{what}: and follow what moved, on {which}");
        let all = device.session.readable_for_tests();
        assert_eq!(holds(&all, NEEDLE.as_bytes()), goes != Goes::Erased, "{what}: words on {which}");
        assert!(!holds(&all, &secret), "{what}: the key that it had before is gone, on {which}");
        assert!(device.session.is_sound_for_tests(), "{what}: the vault is sound on {which}");
        let list = device.session.erasure_list(&ChartArgs { chart }).expect("a list");
        // Who comes later never saw the entry: there is nothing to say.
        assert!(which == "later" || !list.is_empty(), "{what}: it is said on {which}");
        assert!(
            list.iter().all(|view| view.phase == ErasurePhase::Done),
            "{what}: and done on {which}: {list:?}"
        );
        let late = list.iter().map(|view| view.late).sum::<u32>();
        let counted = u32::from(goes == Goes::Erased && which == "tablet");
        assert_eq!(
            late, counted,
            "{what}: what went with the entry is counted where it was written: {which}"
        );
    }
    line.is_sound(&what);
    dose(&mut later.session, chart, stays, "13");
    settle(&mut [&mut later, &mut phone, &mut laptop, &mut tablet]).await;
    same(&mut [&mut phone, &mut laptop, &mut tablet, &mut later], &format!("{what}: afterwards"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_is_erased_in_a_section_that_was_pruned_before_with_a_device_away() {
    Box::pin(case(181, Goes::Erased, Pruned::Before)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_is_erased_and_the_section_pruned_after_with_a_device_away() {
    Box::pin(case(191, Goes::Erased, Pruned::After)).await;
    Box::pin(case(201, Goes::Erased, Pruned::Both)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_moves_to_sensitive_out_of_a_section_that_is_pruned_before_or_after() {
    Box::pin(case(211, Goes::ToSensitive, Pruned::Before)).await;
    Box::pin(case(221, Goes::ToSensitive, Pruned::After)).await;
    Box::pin(case(231, Goes::ToSensitive, Pruned::Both)).await;
}
