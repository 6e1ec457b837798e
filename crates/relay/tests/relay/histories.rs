//! Random histories of several people in one space, over the real relay: whatever they do, every device follows, all who are there
//! hold the same and call the same void, whoever comes later finds the same, and the database is sound.

use mecum_seal::testing::SeededEntropy;
use mecum_seal::{Entropy, SpaceId};
use mecum_sync::testing::Actor;
use mecum_sync::{Chain, Cut, Role, SpaceBody};

use crate::device::Device;
use crate::members::is_sound;
use crate::server::{Server, roomy};

const PEOPLE: usize = 4;
const STEPS: usize = 40;

struct Dice(SeededEntropy);

impl Dice {
    fn below(&self, n: usize) -> usize {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        usize::try_from(u32::from_be_bytes(bytes)).unwrap() % n
    }
}

struct History {
    server: Server,
    dice: Dice,
    space: SpaceId,
    /// Each person's live devices.
    people: Vec<Vec<Device>>,
    seeds: u64,
    done: Vec<String>,
}

impl History {
    async fn begin(seed: u64) -> Self {
        let server = Server::start(roomy()).await;
        let mut people = Vec::new();
        for n in 0..PEOPLE as u64 {
            people.push(vec![Device::enrolled(&server, seed * 1_000 + n).await]);
        }
        let space = people[0][0].space(&server).await;
        let dice = Dice(SeededEntropy::new(seed));
        let seeds = seed * 1_000 + 100;
        let mut history = Self { server, dice, space, people, seeds, done: Vec::new() };
        let owner = history.people[0][0].actor.account;
        let genesis = history.people[0][0].follower.account_log().unwrap().genesis();
        for person in 1..PEOPLE {
            history.people[person][0].follower.expect_space(space, owner, genesis).unwrap();
        }
        history
    }

    /// Said at once: what went before a failure is what explains it.
    fn note(&mut self, what: String) {
        println!("{}: {what}", self.done.len());
        self.done.push(what);
    }

    fn role(&self, person: usize) -> Option<Role> {
        self.people[0][0].space_log(self.space).role(self.people[person][0].actor.account)
    }

    /// Any live device, up to date, and writing under what it then knows.
    async fn ready(&mut self, person: usize) -> usize {
        let which = self.dice.below(self.people[person].len());
        let device = &mut self.people[person][which];
        device.catch_up(&self.server).await;
        if device.follower.role(self.space).is_some() {
            device.actor.follow(&device.space_log(self.space));
        }
        which
    }

    /// What `by` knows of a person's chains, to be kept.
    fn cuts(&self, by: (usize, usize), keep: impl Fn(&Chain) -> bool) -> Vec<Cut> {
        let chains = self.people[by.0][by.1].follower.chains(self.space).into_iter();
        let chains = chains.filter(|(chain, head)| keep(chain) && head.envelope_seq > 0);
        chains
            .map(|(chain, head)| Cut {
                device: chain.device,
                incarnation: chain.incarnation,
                envelope_seq: head.envelope_seq,
                hash: head.hash,
            })
            .collect()
    }

    async fn step(&mut self) {
        let person = self.dice.below(PEOPLE);
        self.ready(0).await;
        self.people[0][0].catch_up(&self.server).await;
        let role = self.role(person);
        match self.dice.below(10) {
            0..=3 if role.is_some_and(Role::may_write) => self.write(person).await,
            0..=3 if role.is_none() => self.let_in(person).await,
            4 if person > 0 && role.is_some() => self.remove(person).await,
            5 if person > 0 && role.is_some() => self.leave(person).await,
            6 if self.people[person].len() < 3 => self.pair(person).await,
            7 if self.people[person].len() > 1 => self.remove_device(person).await,
            8 => self.read_again(person).await,
            _ if role == Some(Role::Reader) => self.let_in(person).await,
            _ => {}
        }
    }

    async fn write(&mut self, person: usize) {
        let which = self.ready(person).await;
        if self.people[person][which].space_log(self.space).is_stale() {
            self.epoch(person, which, vec![]).await;
        }
        self.note(format!("{person}.{which} writes"));
        self.people[person][which].write(&self.server, self.space, &["a", "b"]).await;
    }

    async fn epoch(&mut self, person: usize, which: usize, cuts: Vec<Cut>) {
        self.note(format!("{person}.{which} begins an epoch"));
        let device = &mut self.people[person][which];
        let log = device.space_log(self.space);
        let next = Actor::next_epoch(&log, None);
        let entry = device.actor.space_entry(&log, SpaceBody::Epoch { next, cuts });
        device.bring(&self.server, &entry).await.expect("an epoch is stored");
    }

    async fn let_in(&mut self, person: usize) {
        let role = [Role::Reader, Role::Writer, Role::Manager][self.dice.below(3)];
        if self.role(person).is_some_and(|there| there >= role) {
            return;
        }
        self.note(format!("{person} is let in as {role:?}"));
        let member = self.people[person][0].actor.account;
        let genesis = self.people[person][0].follower.account_log().unwrap().genesis();
        let owner = &mut self.people[0][0];
        let entry = owner.actor.grant(&owner.space_log(self.space), (member, genesis), role);
        owner.bring(&self.server, &entry).await.expect("a grant is stored");
    }

    async fn remove(&mut self, person: usize) {
        let account = self.people[person][0].actor.account;
        let all = self.dice.below(3) > 0;
        let of = |chain: &Chain| self.people[0][0].follower.account_of(chain.device) == Some(account);
        let cuts = if all { self.cuts((0, 0), of) } else { Vec::new() };
        self.note(format!("{person} is removed, all counts {all}"));
        let owner = &mut self.people[0][0];
        let entry = owner.actor.remove(&owner.space_log(self.space), account, cuts);
        owner.bring(&self.server, &entry).await.expect("a removal is stored");
    }

    async fn leave(&mut self, person: usize) {
        let which = self.ready(person).await;
        let account = self.people[person][which].actor.account;
        let of =
            |chain: &Chain| self.people[person][which].follower.account_of(chain.device) == Some(account);
        let cuts = self.cuts((person, which), of);
        self.note(format!("{person} leaves"));
        let device = &mut self.people[person][which];
        let entry = device.actor.space_entry(&device.space_log(self.space), SpaceBody::Leave { cuts });
        device.bring(&self.server, &entry).await.expect("leaving is stored");
    }

    async fn pair(&mut self, person: usize) {
        self.seeds += 1;
        let which = self.ready(person).await;
        let expected: Vec<_> = self.people[person][which].follower.expected().collect();
        let mut new = self.people[person][which].pair(&self.server, self.seeds).await;
        for (space, of) in expected {
            new.follower.expect_space(space, of.owner, of.genesis).unwrap();
        }
        new.actor.writing.clear();
        self.note(format!("{person} has another device"));
        self.people[person].push(new);
    }

    async fn remove_device(&mut self, person: usize) {
        // The owner's first device does the managing: it stays.
        let gone = self.people[person].pop().unwrap();
        let which = self.ready(person).await;
        self.note(format!("{person} removes a device"));
        let device = &mut self.people[person][which];
        let log = device.follower.account_log().unwrap();
        let entry = device.actor.remove_device(log, gone.actor.device);
        device.bring_account(&self.server, &entry).await.expect("the device is removed");
        if self.role(person).is_some_and(Role::may_write) && self.dice.below(2) == 0 {
            let which = self.ready(person).await;
            let mut cuts = self.cuts((person, which), |chain| chain.device == gone.actor.device);
            if cuts.is_empty() {
                let (device, incarnation) = (gone.actor.device, gone.actor.incarnation);
                cuts.push(Cut { device, incarnation, envelope_seq: 0, hash: mecum_seal::Hash32::ZERO });
            }
            self.epoch(person, which, cuts).await;
        }
    }

    /// Somebody reads what is new, or everything anew.
    async fn read_again(&mut self, person: usize) {
        let which = self.ready(person).await;
        if self.dice.below(2) == 0 {
            self.note(format!("{person}.{which} starts over"));
            self.people[person][which].follower.start_over();
            self.ready(person).await;
        }
    }

    /// What a device holds, and what of it counts.
    fn held(device: &Device, space: SpaceId) -> Vec<String> {
        let log = device.space_log(space);
        let mut lines =
            vec![format!("{:?} {} {}", log.head(), log.epoch(), device.follower.space_seq(space))];
        for (chain, head) in device.follower.chains(space) {
            let void: Vec<_> = (1..=head.envelope_seq)
                .flat_map(|seq| (1..=log.entries()).map(move |entry| (seq, entry)))
                .filter(|(seq, entry)| device.follower.is_void(&chain, *seq, *entry))
                .collect();
            lines.push(format!("{} {} {:?} {void:?}", chain.device, head.envelope_seq, head.hash));
        }
        lines
    }

    async fn end(&mut self) {
        for person in 0..PEOPLE {
            self.pair(person).await;
        }
        let mut all: Option<Vec<String>> = None;
        for person in 0..PEOPLE {
            let is_member = self.role(person).is_some();
            for device in &mut self.people[person] {
                device.catch_up(&self.server).await;
                if !is_member {
                    assert_eq!(
                        device.follower.role(self.space),
                        None,
                        "who is out knows it: {:?}",
                        self.done
                    );
                    continue;
                }
                assert!(device.follower.missing().is_empty(), "nothing is withheld: {:?}", self.done);
                let held = Self::held(device, self.space);
                let all = all.get_or_insert_with(|| held.clone());
                assert_eq!(*all, held, "{person} holds the same: {:?}", self.done);
            }
        }
        is_sound(&self.server);
    }
}

#[tokio::test]
async fn whatever_people_do_all_who_are_there_hold_the_same() {
    let asked = std::env::var("MECUM_RELAY_HISTORIES").ok().and_then(|text| text.parse().ok());
    for seed in 1..=asked.unwrap_or(3) {
        println!("seed {seed}");
        let mut history = History::begin(seed).await;
        for _ in 0..STEPS {
            history.step().await;
        }
        history.end().await;
        assert!(history.done.len() > STEPS / 3, "something happened: {:?}", history.done);
    }
}
