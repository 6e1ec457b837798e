//! Changes by whoever may write no more (PROOF 32): a delegate who was removed, or somebody with a stolen device's key. They and
//! the server work together: what they sign is backdated to any membership, put at any place, shown before the removal or after
//! it, to each device in another order. None of it counts on any device once that device has the removal.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeMap;

use mecum_faults::Proof;
use mecum_seal::testing::SeededEntropy;
use mecum_seal::{Entropy, Hash32, SigningKey, SpaceId};
use mecum_sync::testing::Actor;
use mecum_sync::{
    Accepted, AccountLog, Chain, Countersign, Follower, Item, Push, Role, Signed, SpaceBody, SpaceEntry,
    SpaceLog,
};

/// Forged pushes in one case.
const FORGED: usize = 6;

struct Dice(SeededEntropy);

impl Dice {
    fn below(&self, n: usize) -> usize {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        usize::try_from(u32::from_be_bytes(bytes)).unwrap() % n
    }
}

/// What counts on a device: for each link, its content id and the number of the membership entry that it names.
#[derive(Default)]
struct Shown(BTreeMap<(Chain, u64), (Hash32, u64)>);

/// A device that reads, and whether it heeds what is void: it does not in the control.
struct Replica {
    follower: Follower,
    shown: Shown,
    heeds: bool,
}

impl Replica {
    fn take(&mut self, item: &Item) {
        let before = self.follower.to_bytes();
        match self.follower.accept(item) {
            Ok(Accepted::Envelopes { chain, envelopes, void, .. }) => {
                let log = self.follower.space_log(chain.space).unwrap();
                for ((envelope, _), void) in envelopes.into_iter().zip(void) {
                    let place = envelope.place();
                    let entry = log.seq_of(place.membership_head).unwrap();
                    if !void || !self.heeds {
                        self.shown.0.insert((chain, place.envelope_seq), (envelope.content_id(), entry));
                    }
                }
            }
            Ok(Accepted::Space { void, .. }) if self.heeds => {
                for void in void {
                    self.shown.0.retain(|(chain, seq), (_, entry)| {
                        *chain != void.chain || *seq <= void.after || *entry >= void.before_entry
                    });
                }
            }
            Ok(_) => {}
            Err(_) => assert_eq!(self.follower.to_bytes(), before, "what is refused changes nothing"),
        }
    }

    /// A push where the server puts it to have it taken: next.
    fn take_push(&mut self, push: &Push) {
        let first_space_seq = self.follower.space_seq(push.space()) + 1;
        self.take(&Item::Batch { first_space_seq, push: push.clone() });
    }
}

struct Case {
    dice: Dice,
    relay: SigningKey,
    mother: Actor,
    daughter: Actor,
    stolen: Actor,
    space: SpaceId,
    log: SpaceLog,
    daughters: AccountLog,
    /// What everybody is shown first.
    begin: Vec<Item>,
    honest: Vec<Push>,
    /// The stolen device's removal from its account, where that is how it ends.
    gone: Option<Item>,
    /// The entry that ends it.
    removal: Option<Signed<SpaceEntry>>,
    /// Whether the stolen device was removed, and not the daughter.
    by_device: bool,
}

impl Case {
    fn new(seed: u64) -> Case {
        let dice = Dice(SeededEntropy::new(seed));
        let relay = SigningKey::make(&dice.0);
        let (mut mother, mut daughter) = (Actor::new(seed * 10 + 1), Actor::new(seed * 10 + 2));
        let mut stolen = Actor::second(seed * 10 + 3, &daughter);
        let (space, genesis) = mother.found_space(Some(relay.verifying_key()));
        let mut log = SpaceLog::found(&genesis, &mother.signing.verifying_key()).unwrap();
        let first = daughter.account_genesis();
        let mut daughters = AccountLog::found(&first).unwrap();
        let add = daughter.add_device(&daughters, &stolen);
        daughters.append(&add).unwrap();
        let grant = mother.grant(&log, (daughter.account, first.hash()), Role::Writer);
        log.append(&grant, &mother.signing.verifying_key()).unwrap();
        for actor in [&mut mother, &mut daughter, &mut stolen] {
            actor.follow(&log);
        }
        let mut begin = vec![Item::AccountEntry(mother.account_genesis())];
        begin.push(placed(&relay, &genesis, 0));
        begin.push(placed(&relay, &grant, 0));
        begin.extend([first, add].map(Item::AccountEntry));
        let by_device = dice.below(2) == 0;
        let (honest, gone, removal) = (Vec::new(), None, None);
        Case {
            dice,
            relay,
            mother,
            daughter,
            stolen,
            space,
            log,
            daughters,
            begin,
            honest,
            gone,
            removal,
            by_device,
        }
    }

    /// Honest words, then the removal.
    fn live(&mut self) {
        for _ in 0..2 + self.dice.below(4) {
            let who = self.dice.below(3);
            let texts = &["one", "two"][..=self.dice.below(2)];
            let actor = match who {
                0 => &mut self.mother,
                1 => &mut self.daughter,
                _ => &mut self.stolen,
            };
            self.honest.push(actor.push(self.space, texts, Vec::new()));
        }
        let entry = if self.by_device {
            let gone = self.daughter.remove_device(&self.daughters, self.stolen.device);
            self.gone = Some(Item::AccountEntry(gone));
            let next = Actor::next_epoch(&self.log, None);
            let cuts = vec![self.cut(&self.stolen)];
            self.daughter.space_entry(&self.log, SpaceBody::Epoch { next, cuts })
        } else {
            let mut cuts = vec![self.cut(&self.daughter), self.cut(&self.stolen)];
            cuts.sort_by_key(|cut| (cut.device, cut.incarnation));
            self.mother.remove(&self.log, self.daughter.account, cuts)
        };
        let key = if self.by_device { &self.daughter } else { &self.mother }.signing.verifying_key();
        self.log.append(&entry, &key).unwrap();
        self.removal = Some(entry);
    }

    fn cut(&self, actor: &Actor) -> mecum_sync::Cut {
        actor.cut(self.space)
    }

    /// What the attacker signs: from the end of the chain on, or beside it, under any membership and epoch.
    fn forge(&mut self) -> Vec<Push> {
        let mut forged = Vec::new();
        for _ in 0..FORGED {
            let stolen = self.by_device || self.dice.below(2) == 0;
            let head = 1 + self.dice.below(3) as u64;
            let (other_place, epoch, back) = (self.dice.below(4), 1 + self.dice.below(2), self.dice.below(3));
            let as_mother = self.dice.below(5) == 0;
            let mothers = (self.mother.device, self.mother.incarnation, self.mother.account);
            let actor = if stolen { &mut self.stolen } else { &mut self.daughter };
            let own = (actor.device, actor.incarnation, actor.account);
            let before = actor.writing.get(&self.space).unwrap().clone();
            let mut writing = before.clone();
            writing.membership_head = self.log.head_at(head).unwrap_or(before.membership_head);
            writing.epoch = u32::try_from(epoch).unwrap();
            if back == 0 {
                writing.envelope_seq = writing.envelope_seq.saturating_sub(other_place as u64);
            } else if other_place == 0 {
                writing.last = Hash32::from_bytes([7; 32]);
            }
            if as_mother {
                (actor.device, actor.incarnation, actor.account) = mothers;
            }
            actor.writing.insert(self.space, writing);
            forged.push(actor.push(self.space, &["forged"], Vec::new()));
            (actor.device, actor.incarnation, actor.account) = own;
            let went_on = back > 0 && other_place > 0 && !as_mother;
            if !went_on {
                actor.writing.insert(self.space, before);
            }
        }
        forged
    }

    fn replica(&self, heeds: bool) -> Replica {
        let genesis = self.mother.account_genesis();
        let relay = Some(self.relay.verifying_key());
        let mut follower = Follower::found(&genesis, self.mother.incarnation, relay).unwrap();
        // As after a restore: what the mother wrote is shown to it like everybody's.
        follower.begin_incarnation(mecum_seal::IncarnationId::random(&self.dice.0));
        let mut replica = Replica { follower, shown: Shown::default(), heeds };
        self.begin.iter().for_each(|item| replica.take(item));
        self.honest.iter().for_each(|push| replica.take_push(push));
        replica
    }

    /// Shows the removal, behind whatever this device was shown: the server signs any place.
    fn remove(&self, replica: &mut Replica) {
        self.gone.iter().for_each(|item| replica.take(item));
        let removal = self.removal.as_ref().unwrap();
        replica.take(&placed(&self.relay, removal, replica.follower.space_seq(self.space)));
    }

    /// Shows everything to one device, in an order of its own; answers how much of what was forged counts there.
    fn show(&self, forged: &[Push], heeds: bool) -> usize {
        let mut replica = self.replica(heeds);
        assert_eq!(replica.shown.0.len(), self.honest.iter().map(|push| push.envelopes.len()).sum::<usize>());
        let honest: Vec<Hash32> = replica.shown.0.values().map(|(id, _)| *id).collect();
        let removal = self.dice.below(forged.len() + 1);
        for (at, push) in forged.iter().enumerate() {
            if at == removal {
                self.remove(&mut replica);
            }
            replica.take_push(push);
        }
        self.remove(&mut replica);
        assert_eq!(
            replica.follower.space_log(self.space).unwrap().head(),
            self.log.head(),
            "the removal is taken, whatever was shown before"
        );
        // Once more, now that it is known.
        for push in forged {
            replica.take_push(push);
        }
        let now: Vec<Hash32> = replica.shown.0.values().map(|(id, _)| *id).collect();
        assert!(honest.iter().all(|id| now.contains(id)), "every honest word stays");
        now.len() - honest.len()
    }
}

fn placed(relay: &SigningKey, entry: &Signed<SpaceEntry>, space_seq: u64) -> Item {
    let SpaceEntry { space, seq, .. } = *entry.unverified();
    let placed = Countersign { space, seq, entry: entry.hash(), space_seq, stored_at_ms: 1 };
    Item::SpaceEntry { entry: entry.clone(), countersign: Signed::sign(placed, relay) }
}

fn play(seed: u64, heeds: bool) -> usize {
    let mut case = Case::new(seed);
    case.live();
    let forged = case.forge();
    (0..2).map(|_| case.show(&forged, heeds)).sum()
}

#[test]
fn nothing_that_an_ex_delegate_or_a_stolen_key_writes_counts_on_any_device() {
    let proof = Proof::new(32, "forged and backdated changes after a removal, by any order", 1_000);
    let seed = proof.seed();
    let failures = proof.in_threads(2, |cases| {
        let mut failed = 0;
        for case in cases {
            let counted = play(seed + case, true);
            if counted > 0 {
                println!("seed {}: {counted} forged words count", seed + case);
                failed += 1;
            }
        }
        failed
    });
    proof.end(proof.share(), failures);
    assert_eq!(failures, 0, "cases in which something forged counts somewhere");
}

#[test]
fn control_a_device_that_does_not_heed_what_is_void_shows_it() {
    let shown = (0..40).filter(|seed| play(*seed, false) > 0).count();
    assert!(shown > 10, "who heeds no cut is shown forged words: {shown} of 40");
}
