//! Three devices and the real relay (its routes, limits, sessions and store) over a simulated network: every message has its
//! own delay, and may be lost or doubled; a device may be cut off, hear nothing while it is heard, or start anew; the relay
//! stops and comes back without its sessions. One seed is one run, to the byte.
//!
//! With clocks that are wrong, by ten years back to fifty ahead, and that jump in the middle, the same must hold.

#[path = "simulated/world.rs"]
mod world;

use mecum_client::testing::{NOW_MS, first_device};
use mecum_domain::{Kind, Relation, Section};
use mecum_faults::Proof;
use mecum_sync::Role;
use mecum_testkit::FakeRelay;
use mecum_vault::Location;
use world::{Clocks, Noise, Run, run, surroundings_at};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
const YEAR_MS: i64 = 365 * DAY_MS;
/// How wrong clocks are. Source: the programme's row 18.
const WRONG_MS: [i64; 5] = [-10 * YEAR_MS, -DAY_MS, -10 * 60_000, 10 * 60_000, 50 * YEAR_MS];
/// Seeds with each change. Source: the programme's rows 16 and 18.
const PER_CHANGE: u64 = 500;
/// Seeds of what only looks whether the harness sees.
const QUICK: u64 = 6;

/// Runs every seed of this shard twice; the seeds that went wrong.
fn seeds(proof: &Proof, clocks: &Clocks) -> u64 {
    proof.in_threads(2, |numbers| {
        let mut failures = 0;
        for number in numbers {
            let seed = proof.seed() + number;
            let [first, second] = [(); 2].map(|()| run(seed, Noise::Honest, clocks));
            if let Err(why) = &first.outcome {
                println!("seed {seed}: {why}");
            } else if first.trace != second.trace {
                println!("seed {seed}: two runs, two traces");
            } else {
                continue;
            }
            failures += 1;
        }
        failures
    })
}

#[test]
fn devices_and_the_real_relay_come_to_the_same_over_any_network() {
    let what = "simulated networks between three devices and the real relay, each seed twice";
    let proof = Proof::new(16, what, PER_CHANGE);
    let failures = seeds(&proof, &Clocks::Right);
    proof.end(proof.share(), failures);
    assert_eq!(failures, 0, "every seed converges, and gives one trace");
}

#[test]
fn wrong_and_jumping_clocks_lose_nothing_and_sign_in_all_the_same() {
    let proof = Proof::new(18, "simulated networks with wrong clocks that jump, each seed twice", PER_CHANGE);
    let failures = seeds(&proof, &Clocks::Wrong(&WRONG_MS));
    proof.end(proof.share(), failures);
    assert_eq!(failures, 0, "no edit is lost, and all devices list them under the same days");
}

/// A device that has said everything and was not answered since has not heard the others.
#[test]
fn devices_are_compared_only_when_each_was_answered_to_the_end() {
    let outcomes = (0..QUICK).map(|seed| (seed, run(seed, Noise::Late(6), &Clocks::Right).outcome));
    let failures: Vec<_> = outcomes.filter(|(_, outcome)| outcome.is_err()).collect();
    assert_eq!(failures, Vec::new(), "an answer that comes too late is no answer, and is asked for again");
}

#[test]
fn control_a_device_that_is_never_answered_is_caught() {
    for seed in 0..QUICK {
        let outcome = run(seed, Noise::Late(u32::MAX), &Clocks::Right).outcome;
        assert!(outcome.is_err(), "seed {seed}: it never heard anything");
    }
}

#[test]
fn control_an_item_that_the_network_leaves_out_is_caught() {
    each_is_caught(&Clocks::Right, 12);
}

#[test]
fn control_with_wrong_clocks_an_item_that_the_network_leaves_out_is_caught() {
    each_is_caught(&Clocks::Wrong(&WRONG_MS), 24);
}

fn each_is_caught(clocks: &Clocks, seeds: u64) {
    let (mut cheated, mut caught) = (0, 0);
    for seed in 0..seeds {
        let Run { outcome, cheated: did, .. } = run(seed, Noise::LeavesOut, clocks);
        cheated += u32::from(did);
        caught += u32::from(did && outcome.is_err());
    }
    println!("left out in {cheated} runs, caught in {caught}");
    assert!(cheated > 3, "there was occasion");
    assert_eq!(caught, cheated, "each is caught");
}

#[test]
fn control_another_seed_gives_another_trace() {
    let traces = [1, 2].map(|seed| run(seed, Noise::Honest, &Clocks::Right).trace);
    assert_ne!(traces[0], traces[1], "a trace says what happened");
}

/// What a share until `until` amounts to when the owner's clock is off by `wrong_ms` and the server's is right: whether the
/// guest is still in after an exchange at `at_ms`.
fn is_shared(wrong_ms: i64, until: &str, at_ms: i64) -> bool {
    let (around, clock) = surroundings_at(1, at_ms + wrong_ms);
    let mut owner = first_device(&Location::Memory, around);
    let mut relay = FakeRelay::new([7; 32]);
    owner.pin_for_tests(relay.key());
    let chart = owner.create_chart("Ratna", None, Relation::Own, None).expect("a chart");
    owner.add(chart, Kind::MedicationStatement, vec![]).expect("a medicine");
    let mut guest = first_device(&Location::Memory, surroundings_at(2, at_ms).0);
    guest.pin_for_tests(relay.key());
    let offered = vec![Section::Medications];
    owner.let_in_until_for_tests(chart, offered, (Role::Reader, Some(until)), &mut guest);
    for _ in 0..4 {
        let request = owner.request().expect("something to say");
        let mut response = relay.answer(owner.installation(), &request, 50);
        response.server_time_ms = at_ms;
        owner.accept(&request, &response).expect("an honest relay is followed");
    }
    drop(clock);
    owner.guests_for_tests(chart, Section::Medications) > 0
}

/// The last day is 2026-09-08, the day of [`NOW_MS`].
#[test]
fn a_share_ends_on_its_date_whatever_the_owners_clock_says() {
    let mut failures = Vec::new();
    for wrong_ms in WRONG_MS.into_iter().chain([0]) {
        if is_shared(wrong_ms, "2026-09-08", NOW_MS + 2 * DAY_MS) {
            failures
                .push(format!("two days after its end it goes on with a clock that is off by {wrong_ms} ms"));
        }
        let ahead = wrong_ms > DAY_MS;
        if is_shared(wrong_ms, "2026-09-08", NOW_MS) == ahead {
            failures.push(format!("on its last day, with a clock that is off by {wrong_ms} ms"));
        }
    }
    assert_eq!(failures, Vec::<String>::new(), "it ends when it is over");
    // With a clock that is not ahead the share held on its last day, or there would be a failure.
    mecum_faults::control_failed("on its last day the same share still holds");
}
