//! The server as an enemy (PROOF 30): a real client over TCP, a real relay, and between them somebody who is both, with the
//! server's key, its whole database, and the help of a member who was removed. Each attack ends in its typed verdict and its
//! sentence, the vault is as it was (a keyed digest of each row), and the honest server is followed afterwards. Each succeeds
//! once the checks in its way are taken out: that is its control.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "byzantine/answers.rs"]
mod answers;
#[path = "byzantine/around.rs"]
mod around;
#[path = "byzantine/attack.rs"]
mod attack;
#[path = "byzantine/before.rs"]
mod before;
#[allow(dead_code, reason = "other tests change bodies")]
#[path = "malformed/cbor.rs"]
mod cbor;
#[path = "byzantine/judged.rs"]
mod judged;
#[path = "byzantine/members.rs"]
mod members;
#[path = "byzantine/memory.rs"]
mod memory;
#[path = "byzantine/mitm.rs"]
mod mitm;
#[path = "byzantine/oracles.rs"]
mod oracles;
#[path = "byzantine/people.rs"]
mod people;
#[path = "byzantine/short.rs"]
mod short;
#[path = "byzantine/transport.rs"]
mod transport;
#[path = "byzantine/world.rs"]
mod world;

use std::collections::BTreeMap;

use attack::{Attack, Lie, Seen, Verdict};
use judged::{typed, won, wrong};
use mecum_faults::Proof;
use world::{Victim, World};

/// Checks are taken out of a whole process, and its memory is measured: one at a time.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Whether a sentence is in the interface, in a language.
fn is_said(language: &str, id: &str) -> bool {
    let folder = format!("{}/../../ui/locales/{language}", env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(folder).expect("the interface has its words").flatten();
    let begins = format!("{id} = ");
    files
        .map(|file| std::fs::read_to_string(file.path()).expect("reads"))
        .any(|text| text.lines().any(|line| line.starts_with(&begins)))
}

/// What an honest server makes of each victim, for comparison.
struct Honest(BTreeMap<Kind, Seen>);

/// What makes one victim another: who it is, whether it writes, founds, has stopped a request, and lives later.
type Kind = (Victim, [bool; 4]);

fn kind_of(attack: &Attack) -> Kind {
    (attack.victim, [attack.writes, attack.founds, attack.stops, attack.later])
}

impl Honest {
    async fn new(world: &World, attacks: &[Attack]) -> Honest {
        let mut all = BTreeMap::new();
        for attack in attacks {
            let key = kind_of(attack);
            if all.contains_key(&key) {
                continue;
            }
            let honest = Attack { lie: Lie::None, asks_who: false, impatient: false, ..*attack };
            let seen = world.play(&honest, 10_000 + all.len(), true).await;
            assert!(seen.outcome.is_ok(), "honest: {}", typed(&seen.outcome));
            if attack.victim == Victim::Tablet {
                assert_eq!(
                    seen.guests,
                    usize::from(!attack.later),
                    "a share ends when it is over, and not before"
                );
            }
            if attack.victim != Victim::Helped && !attack.writes && !attack.founds {
                assert_eq!(seen.end.1, world.truth, "an honest server brings the whole record");
            }
            all.insert(key, seen);
        }
        Honest(all)
    }

    fn of(&self, attack: &Attack) -> &Seen {
        &self.0[&kind_of(attack)]
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lying_server_is_refused_by_name_said_in_words_and_changes_nothing() {
    let _alone = ALONE.lock().await;
    let proof = Proof::new(30, "attacks of a lying server", 99_999);
    let tables = [
        answers::ATTACKS,
        transport::ATTACKS,
        people::ATTACKS,
        members::ATTACKS,
        short::ATTACKS,
        around::ATTACKS,
    ];
    let attacks: Vec<Attack> = tables.concat();
    let world = Box::pin(World::new(proof.seed() % 10_000)).await;
    let honest = Honest::new(&world, &attacks).await;
    let (mut failures, mut powerless) = (Vec::new(), Vec::new());
    for (number, attack) in attacks.iter().enumerate() {
        let seen = world.play(attack, number, true).await;
        let mut faults = wrong(attack, &seen, honest.of(attack));
        if let Verdict::Refused(_, message)
        | Verdict::Said(_, message)
        | Verdict::Warned(message)
        | Verdict::LeftBehind(_, message) = attack.verdict
        {
            faults.extend(
                ["en", "id"]
                    .iter()
                    .filter(|language| !is_said(language, message))
                    .map(|language| format!("{message} is not said in {language}")),
            );
        }
        let control = world.play(attack, number, false).await;
        let succeeded = won(attack, &control, honest.of(attack));
        println!(
            "{} | {} | {} | without {:?} {} {}",
            attack.name,
            typed(&seen.outcome),
            seen.message.unwrap_or("-"),
            attack.without,
            if succeeded { "it succeeds" } else { "IT DOES NOT SUCCEED" },
            typed(&control.outcome),
        );
        if !faults.is_empty() {
            failures.push(format!("{}: {faults:?}", attack.name));
        }
        if !succeeded {
            powerless.push(attack.name);
        }
    }
    assert!(attacks.len() >= 40, "as many as are asked for: {}", attacks.len());
    proof.end(attacks.len() as u64, failures.len() as u64);
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(powerless.is_empty(), "controls that show nothing: {powerless:#?}");
    mecum_faults::control_failed("each attack succeeds once its checks are taken out");
}
