//! One server and five devices as real processes, each device behind a bad way of its own, and somebody killed after every
//! tenth of the work. When the ways are good again, all five show the same, and nothing that was said to be saved is missing.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "support/devices.rs"]
mod devices;

use std::time::Duration;

use devices::World;
use mecum_faults::Proof;

/// Rounds that one set of devices lives through: beyond, their record would make every round slower.
const ROUNDS_OF_A_WORLD: u64 = 10;
const PER_CHANGE: u64 = 20;

#[test]
fn five_devices_and_a_server_lose_nothing_on_bad_ways_with_kills() {
    let what = "rounds of a server and five devices as processes behind bad ways, killed at each tenth";
    let proof = Proof::new(17, what, PER_CHANGE);
    let (mut cases, mut failures) = (0, 0);
    let rounds: Vec<u64> = proof.numbers().collect();
    for rounds in rounds.chunks(usize::try_from(ROUNDS_OF_A_WORLD).unwrap()) {
        let seed = proof.seed() + rounds[0];
        let mut world = World::new(seed, false);
        for _ in rounds {
            cases += 1;
            if let Err(why) = world.round() {
                println!("seed {seed}: {why}");
                failures += 1;
                break;
            }
        }
        let harmed = world.harmed();
        println!("seed {seed}: {} entries; the ways did harm {harmed} times", world.saved.len());
        if harmed == 0 {
            println!("seed {seed}: the bad ways were none");
            failures += 1;
        }
        if let Err(why) = world.end() {
            println!("seed {seed}: the server is not sound: {why}");
            failures += 1;
        }
    }
    proof.end(cases, failures);
    assert_eq!(failures, 0, "nothing is lost and all show the same");
}

#[test]
fn control_a_device_that_does_not_send_again_and_one_that_says_saved_too_early_are_caught() {
    let mut world = World::new(1, true);
    world.devices[4].chaos.close(true);
    world.write(4);
    std::thread::sleep(Duration::from_millis(500));
    // The four others exchange and are well; it is the comparison that must see what the fifth has alone.
    world.exchange(4).expect("the others exchange");
    let wrong = world.alike().expect_err("what one device alone has is missed");
    assert_eq!(wrong, "device 4 has other contents than device 0", "and said as what it is");
    world.devices[4].chaos.close(false);
    world.settle().expect("and it comes with the next exchange");
    let mut lost = Ok(());
    for _ in 0..5 {
        world.write(1);
        world.devices[1].kill();
        lost = world.settle_or_lose();
        if lost.is_err() {
            break;
        }
    }
    let lost = lost.expect_err("what was never saved is missed");
    assert!(lost.starts_with("lost"), "{lost}");
    world.end().expect("the server is sound");
}
