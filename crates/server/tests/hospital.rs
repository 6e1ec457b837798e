//! A hospital's program and the relay as processes, together under one command and apart: they answer, they end together, and what is
//! killed is started again.

#![cfg(target_os = "linux")]

#[path = "hospital/house.rs"]
mod house;
#[path = "hospital/processes.rs"]
mod processes;
#[path = "../../client/tests/support/world.rs"]
mod world;

use std::path::Path;

use house::{House, Patient};
use processes::{Running, arguments_of, files_of, is_there, kill, until};

/// Both, once they have said so.
fn together(house: &House) -> Running {
    let mut both = Running::start(&house.together());
    both.until("answering");
    both
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_hospital_is_one_command_and_answers() {
    let mut house = House::empty();
    let mut found = house.together();
    found.extend(["--found", "RS Tirta Asih"].map(str::to_owned));
    let mut both = Running::start(&found);
    house.address = both.until("listening on http://");
    both.until("answering");
    let arguments = arguments_of(both.child("hospital"));
    let code = arguments.iter().position(|argument| argument == "--code").expect("it founds");
    assert_eq!(arguments[code + 1], "-", "the code is in no list of processes: {arguments:?}");
    assert!(both.stop().success(), "it ends in order");
    // Its account is there: who was told to found one finds it, and makes no other.
    let patient = house.connect().await;
    let mut both = Running::start(&found_at(&found, &house.address));
    both.until("answering");
    assert!(!arguments_of(both.child("hospital")).contains(&"--found".to_owned()), "founded is founded");
    patient.is_answered().await;
}

/// The same command with the address that was given.
fn found_at(command: &[String], address: &str) -> Vec<String> {
    let at = |argument: &String| {
        if argument == "127.0.0.1:0" { address.to_owned() } else { argument.clone() }
    };
    command.iter().map(at).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn relay_and_hospital_apart_answer_the_same() {
    let (house, patient) = House::founded().await;
    // The hospital's machine is up first, and finds its server once it is there.
    let mut hospital = Running::start(&house.hospital_alone());
    hospital.until("answering");
    let mut relay = Running::start(&house.relay_alone());
    relay.until("listening on http://");
    patient.is_answered().await;
    assert!(hospital.stop().success(), "it ends in order");
    assert!(relay.stop().success(), "and so does the relay");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hospital_that_is_killed_is_started_again_and_nothing_is_lost() {
    let (house, patient) = House::founded().await;
    let both = together(&house);
    patient.is_answered().await;
    for what in ["hospital", "relay", "hospital"] {
        let killed = both.child(what);
        kill(killed, "KILL");
        let word = patient.say("Is anybody there?").await;
        patient.until_received(word).await;
        assert_ne!(both.child(what), killed, "another {what} is there");
    }
    let (receipts, words, bookings) = patient.counted().await;
    assert_eq!((receipts, words, bookings), (4, 4, 1), "each word once, and one booking");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_both_and_so_does_a_kill() {
    let (house, _patient) = House::founded().await;
    for signal in ["TERM", "KILL"] {
        let mut both = together(&house);
        let children = [both.child("relay"), both.child("hospital")];
        let status = both.end_by(signal);
        assert_eq!(status.success(), signal == "TERM", "{signal}: {status}");
        for child in children {
            until("a child ends with its parent", || !is_there(child));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hospital_has_no_file_of_the_relays_open_and_the_relay_none_of_its() {
    let (house, patient) = House::founded().await;
    let both = together(&house);
    patient.is_answered().await;
    let (relay, hospital) = (house.relay_data(), house.hospital_data());
    let opens =
        |pid: u32, folder: &Path| files_of(pid).iter().filter(|file| file.starts_with(folder)).count();
    let (of_relay, of_hospital) = (both.child("relay"), both.child("hospital"));
    assert!(opens(of_relay, &relay) > 0 && opens(of_hospital, &hospital) > 0, "each has its own");
    assert_eq!((opens(of_hospital, &relay), opens(of_relay, &hospital)), (0, 0), "and nothing of the other");
    let parent = both.id();
    assert_eq!((opens(parent, &relay), opens(parent, &hospital)), (0, 0), "who starts them has neither");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_relay_cannot_begin_the_command_ends_and_says_so_by_its_code() {
    let (house, _patient) = House::founded().await;
    let mut relay = Running::start(&house.relay_alone());
    relay.until("listening on http://");
    let mut both = Running::start(&house.together());
    assert_eq!(both.wait().code(), Some(1), "its folder is another's");
    assert!(relay.stop().success(), "which goes on until it is stopped");
}

impl Patient {
    /// What was asked before is booked with a yes, and a complaint is received.
    async fn is_answered(&self) {
        self.accept().await;
        let word = self.complain().await;
        self.until_received(word).await;
        self.until_booked().await;
    }
}
