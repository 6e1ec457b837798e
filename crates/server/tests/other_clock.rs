//! The whole programs under other clocks: a server and five devices as processes, each of which takes a wrong time for the system's, by
//! up to fifty years, and sees it jump while it exchanges. Nothing is lost, and all show the same.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "support/devices.rs"]
mod devices;

use devices::{Clock, DEVICES, WORDS, World, under};
use mecum_faults::Proof;
use mecum_testkit::Dice;
use serde_json::{Value, json};

/// How far clocks are off. Source: the programme's row 18.
const OFF: [&str; 6] = ["-10y", "+50y", "-1d", "+10m", "-10m", "+0"];
/// Parts of a round, before each of which some clocks jump.
const PARTS: u64 = 4;
/// Rounds with each change. Source: the programme's row 18.
const PER_CHANGE: u64 = 10;
/// Rounds that one set of devices lives through.
const ROUNDS_OF_A_WORLD: u64 = 5;

/// The clocks of five devices and the server.
fn clocks(folder: &std::path::Path, library: &std::path::Path, seed: u64) -> Vec<Clock> {
    (0..=DEVICES)
        .map(|at| {
            let offset = OFF[(usize::try_from(seed).unwrap() + at) % OFF.len()];
            Clock::off(folder.join(format!("clock-{at}")), library, offset)
        })
        .collect()
}

/// A clock that jumps ahead locks a vault, as it should: nobody was there for so long. Here it is to stay open.
fn stay_open(world: &mut World) {
    for device in &mut world.devices {
        // It may be locked by now.
        device.ask("vault_unlock", &json!({ "passphrase": WORDS }));
        device.answer();
        let mut settings = device.call("settings_get", &Value::Null);
        settings["auto_lock_min"] = json!(0);
        device.call("settings_set", &settings);
    }
}

fn round(world: &mut World, clocks: &[Clock], dice: &Dice) -> Result<(), String> {
    for _ in 0..PARTS {
        let who = usize::try_from(dice.below(clocks.len() as u64)).unwrap();
        let offset = dice.choose(&OFF).unwrap();
        // In the middle of what it does.
        let clock = clocks[who].clone();
        let offset = (*offset).to_owned();
        let jumps = std::thread::spawn(move || clock.jump(&offset));
        world.work();
        jumps.join().unwrap();
        if dice.once_in(3) {
            world.kill_somebody();
        }
    }
    world.settle()
}

#[test]
fn programs_whose_clocks_are_wrong_and_jump_lose_nothing_and_show_the_same() {
    let library = match Clock::library() {
        Ok(library) => library,
        Err(why) => {
            println!("mecum-skip: {why}");
            return;
        }
    };
    let what = "rounds of a server and five devices as processes under clocks that are wrong and jump";
    let proof = Proof::new(18, what, PER_CHANGE);
    let (mut cases, mut failures) = (0, 0);
    let rounds: Vec<u64> = proof.numbers().collect();
    for rounds in rounds.chunks(usize::try_from(ROUNDS_OF_A_WORLD).unwrap()) {
        let seed = proof.seed() + rounds[0];
        let dice = Dice::new(seed);
        let folder = tempfile::tempdir().unwrap();
        let clocks = clocks(folder.path(), &library, seed);
        let mut world = World::under(seed, false, &|at| clocks.get(at).cloned());
        stay_open(&mut world);
        for _ in rounds {
            cases += 1;
            if let Err(why) = round(&mut world, &clocks, &dice) {
                println!("seed {seed}: {why}");
                failures += 1;
                break;
            }
        }
        println!("seed {seed}: {} entries", world.saved.len());
        if let Err(why) = world.end() {
            println!("seed {seed}: the server is not sound: {why}");
            failures += 1;
        }
    }
    proof.end(cases, failures);
    assert_eq!(failures, 0, "nothing is lost and all show the same");
}

/// A clock that is not off would make every case an easy one.
#[test]
fn control_a_program_under_another_clock_says_another_year_and_sees_it_jump() {
    let Ok(library) = Clock::library() else {
        println!("mecum-skip: no faketime");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::off(folder.path().join("clock"), &library, "+50y");
    let year = |clock: &Clock| {
        let asked = under(Some(clock), std::process::Command::new("date")).arg("+%Y").output().unwrap();
        String::from_utf8_lossy(&asked.stdout).trim().parse::<i32>().unwrap()
    };
    let then = year(&clock);
    clock.jump("-10y");
    assert_eq!(then - year(&clock), 60, "it is off by as much as it is told");
    let mut world = World::under(5, true, &|_| None);
    // A kill may come too late: then it was saved, and nothing is lost.
    let mut lost = Ok(());
    for _ in 0..5 {
        world.write(1);
        world.devices[1].kill();
        lost = world.settle_or_lose();
        if lost.is_err() {
            break;
        }
    }
    assert!(lost.is_err(), "and what was never saved is missed");
}
