//! A vault that is put back from an older copy, while what it lost is pruned at the server: the snapshot has it.

use mecum_client::Session;
use mecum_client::testing::surroundings;
use mecum_domain::{Field, Kind};
use mecum_vault::Location;

use super::erased::{dose, medicine};
use super::line::{Line, exchange, fold, same};

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_put_back_from_an_older_copy_takes_what_is_pruned_meanwhile_from_the_snapshot() {
    for (seed, pruned_twice) in [(241, false), (251, true)] {
        let what = format!("seed {seed}, pruned twice: {pruned_twice}");
        println!("{what}");
        let folder = tempfile::tempdir().expect("a folder");
        let line = Line::start().await;
        let at = Location::File(folder.path().join("phone.sqlite"));
        let (mut phone, mut laptop, chart) = *Box::pin(line.two_at(seed, 20, &at)).await;
        let key = medicine(&mut phone.session, chart, "Amlodipine");
        exchange(&mut phone).await;
        exchange(&mut laptop).await;
        if pruned_twice {
            drop(fold(&line, &mut phone, &mut laptop, seed + 2).await);
            line.prune(&what);
        }
        let copy = folder.path().join("copy.sqlite");
        phone.session.copy_for_tests(&copy);
        for number in 0..5 {
            let fields = vec![(Field::Text, format!("in the life that is lost {number}"))];
            phone.session.add(chart, Kind::Note, fields).expect("a note");
            dose(&mut phone.session, chart, key, &number.to_string());
            exchange(&mut phone).await;
            exchange(&mut laptop).await;
        }
        let allergy = vec![(Field::Substance, "Penicillin".to_owned())];
        phone.session.add(chart, Kind::AllergyIntolerance, allergy).expect("in a section of its own");
        drop(fold(&line, &mut phone, &mut laptop, seed + 3).await);
        drop(phone);
        line.prune(&what);
        exchange(&mut laptop).await;

        let mut session = Session::of_copy_for_tests(&copy, surroundings(seed + 4));
        let fields = vec![(Field::Text, "only in the copy".to_owned())];
        session.add(chart, Kind::Note, fields).expect("a note");
        dose(&mut session, chart, key, "99");
        let mut phone = line.device(session).await;
        let brought = exchange(&mut phone).await;
        assert!(brought.rolled_back > 0, "{what}: it is known for what it is: {brought:?}");
        for _ in 0..3 {
            exchange(&mut laptop).await;
            exchange(&mut phone).await;
        }
        same(&mut [&mut phone, &mut laptop], &what);
        let shown = format!("{:?}", phone.session.fingerprint().expect("shown"));
        let lost = (0..5).map(|number| format!("in the life that is lost {number}"));
        for text in lost.chain(["only in the copy".into(), "Penicillin".into()]) {
            assert!(shown.contains(&text), "{what}: {text} is there");
        }
        line.is_sound(&what);
        let later = phone.session.pair_for_tests("later", &Location::Memory, surroundings(seed + 5));
        exchange(&mut phone).await;
        let mut later = line.device(later).await;
        exchange(&mut later).await;
        medicine(&mut phone.session, chart, "Afterwards");
        for _ in 0..2 {
            for device in [&mut phone, &mut laptop, &mut later] {
                exchange(device).await;
            }
        }
        same(&mut [&mut phone, &mut laptop, &mut later], &format!("{what}: with one that comes later"));
        let mut reopened = phone.session.restart().expect("its vault opens again");
        let whole = laptop.session.fingerprint().expect("shown");
        assert_eq!(reopened.fingerprint().expect("shown"), whole, "{what}: from its own vault");
    }
}
