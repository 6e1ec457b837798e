//! The membership rules beside a model of them that is written down independently: plain sets, no hashes, no signatures, and
//! nothing shared with the code. Random histories of honest and dishonest acts must be accepted and refused alike, and amount to the
//! same. `MECUM_MODEL_HISTORIES` sets how many; the programme's 100,000 take a few minutes.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeMap;

use mecum_seal::testing::SeededEntropy;
use mecum_seal::{
    AccountId, DeviceId, DocumentId, Entropy, Hash32, IncarnationId, SigningKey, SpaceId, VerifyingKey,
};
use mecum_sync::{Cut, NewEpoch, Role, Signed, SpaceBody, SpaceEntry, SpaceLog, Why, Wrap};

/// Accounts that act; account 0 founds the space.
const ACCOUNTS: usize = 6;
/// Acts in one history.
const ACTS: usize = 24;

/// One act as its writer means it.
#[derive(Clone, Debug)]
enum Act {
    Grant { member: usize, role: u8, other_genesis: bool },
    Remove { member: usize, cuts: Vec<(usize, u64)>, epoch: u32, wraps: Vec<usize> },
    Leave { cuts: Vec<(usize, u64)> },
    Epoch { epoch: u32, wraps: Vec<usize>, cuts: Vec<(usize, u64)> },
    Replace { document: u8, by: u8 },
}

/// What is wrong with an entry beside what it says.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lie {
    Nothing,
    StaleHead,
    Replayed,
    OtherKey,
}

/// The rules, written down a second time: roles 1 to 3, lists and sets.
#[derive(Clone, Debug, Default)]
struct Model {
    entries: u64,
    /// Who is in, in the order they came: account, role.
    members: Vec<(usize, u8)>,
    /// Every time of somebody in a role: account, role, from, to (excluded).
    times: Vec<(usize, u8, u64, u64)>,
    epoch: u32,
    stale: bool,
    /// Which beginning of an account a grant pinned.
    pinned: BTreeMap<usize, bool>,
    /// Entry, account, whether the stay ended, last link of the account's one chain.
    cuts: Vec<(u64, usize, bool, Option<u64>)>,
    replaced: Vec<(u8, u8)>,
    /// A rule that is left out, to see that the comparison sees it.
    forgets: Option<&'static str>,
}

impl Model {
    fn rule(&self, name: &str, holds: bool) -> bool {
        holds || self.forgets == Some(name)
    }

    fn role(&self, account: usize) -> u8 {
        self.members.iter().find(|(a, _)| *a == account).map_or(0, |(_, role)| *role)
    }

    fn stay(&self, without: Option<usize>) -> Vec<usize> {
        self.members.iter().map(|(a, _)| *a).filter(|a| Some(*a) != without).collect()
    }

    fn shift(&mut self, account: usize, role: u8, at: u64) {
        for time in self.times.iter_mut().filter(|time| time.0 == account && time.3 == u64::MAX) {
            time.3 = at;
        }
        if role > 0 {
            self.times.push((account, role, at, u64::MAX));
        }
    }

    fn cut(&mut self, at: u64, account: usize, ended: bool, cuts: &[(usize, u64)]) {
        let named = cuts.iter().find(|(of, _)| *of == account).map(|(_, seq)| *seq);
        self.cuts.push((at, account, ended, named));
    }

    /// Whether an act by `by` is taken; if so, it is done.
    fn take(&mut self, by: usize, act: &Act, lie: Lie) -> bool {
        let at = self.entries + 1;
        let honest = lie == Lie::Nothing;
        let allowed = match act {
            Act::Grant { member, role, other_genesis } => {
                self.rule("managers grant", self.role(by) == 3)
                    && self.rule("grants give more", *role > self.role(*member))
                    && self.pinned.get(member).is_none_or(|pinned| pinned == other_genesis)
            }
            Act::Remove { member, epoch, wraps, cuts } => {
                self.role(by) == 3
                    && self.rule("the owner stays", *member != 0)
                    && *member != by
                    && self.role(*member) > 0
                    && *epoch == self.epoch + 1
                    && self.rule("wraps are exact", *wraps == self.stay(Some(*member)))
                    && ordered(cuts)
            }
            Act::Leave { cuts } => self.role(by) > 0 && by != 0 && ordered(cuts),
            Act::Epoch { epoch, wraps, cuts } => {
                self.rule("readers begin no epoch", self.role(by) >= 2)
                    && *epoch == self.epoch + 1
                    && *wraps == self.stay(None)
                    && ordered(cuts)
            }
            Act::Replace { document, by: new, .. } => {
                self.role(by) == 3
                    && document != new
                    && self.replaced.iter().all(|(old, to)| old != document && old != new && to != new)
            }
        };
        if !honest || !allowed {
            return false;
        }
        match act {
            Act::Grant { member, role, other_genesis } => {
                match self.members.iter_mut().find(|(a, _)| a == member) {
                    Some(there) => there.1 = *role,
                    None => self.members.push((*member, *role)),
                }
                self.pinned.insert(*member, *other_genesis);
                self.shift(*member, *role, at);
            }
            Act::Remove { member, cuts, .. } => {
                self.members.retain(|(a, _)| a != member);
                self.shift(*member, 0, at);
                (self.epoch, self.stale) = (self.epoch + 1, false);
                self.cut(at, *member, true, cuts);
            }
            Act::Leave { cuts } => {
                self.members.retain(|(a, _)| *a != by);
                self.shift(by, 0, at);
                self.stale = true;
                self.cut(at, by, true, cuts);
            }
            Act::Epoch { cuts, .. } => {
                (self.epoch, self.stale) = (self.epoch + 1, false);
                if !cuts.is_empty() {
                    self.cut(at, by, false, cuts);
                }
            }
            Act::Replace { document, by: new } => self.replaced.push((*document, *new)),
        }
        self.entries = at;
        true
    }

    fn role_at(&self, account: usize, seq: u64) -> u8 {
        self.times.iter().find(|t| t.0 == account && t.2 <= seq && seq < t.3).map_or(0, |t| t.1)
    }

    fn is_void(&self, account: usize, envelope_seq: u64, membership_seq: u64) -> bool {
        self.cuts.iter().any(|(at, of, ended, last)| {
            *of == account
                && if *ended {
                    membership_seq < *at && envelope_seq > last.unwrap_or(0)
                } else {
                    last.is_some_and(|last| envelope_seq > last)
                }
        })
    }
}

fn ordered(cuts: &[(usize, u64)]) -> bool {
    cuts.windows(2).all(|pair| pair[0].0 < pair[1].0)
}

/// The same history in the product's own types.
struct Real {
    keys: Vec<SigningKey>,
    public: Vec<VerifyingKey>,
    log: SpaceLog,
    last: Signed<SpaceEntry>,
}

fn account(n: usize) -> AccountId {
    AccountId::from_bytes([u8::try_from(n).unwrap() + 1; 16])
}

fn device(n: usize) -> DeviceId {
    DeviceId::from_bytes([u8::try_from(n).unwrap() + 1; 16])
}

fn incarnation(n: usize) -> IncarnationId {
    IncarnationId::from_bytes([u8::try_from(n).unwrap() + 1; 16])
}

fn genesis(n: usize, other: bool) -> Hash32 {
    Hash32::from_bytes([u8::try_from(n).unwrap() + if other { 100 } else { 1 }; 32])
}

fn role(n: u8) -> Option<Role> {
    [None, Some(Role::Reader), Some(Role::Writer), Some(Role::Manager)][usize::from(n)]
}

fn cuts(cuts: &[(usize, u64)]) -> Vec<Cut> {
    let cut = |(n, seq): &(usize, u64)| Cut {
        device: device(*n),
        incarnation: incarnation(*n),
        envelope_seq: *seq,
        hash: if *seq == 0 { Hash32::ZERO } else { Hash32::from_bytes([7; 32]) },
    };
    cuts.iter().map(cut).collect()
}

fn next(epoch: u32, to: &[usize]) -> NewEpoch {
    let wraps = to.iter().map(|n| Wrap { account: account(*n), bytes: vec![1] }).collect();
    NewEpoch { epoch, wraps, sealed_previous: vec![1] }
}

fn body(act: &Act) -> SpaceBody {
    match act {
        Act::Grant { member, role: to, other_genesis } => SpaceBody::Grant {
            member: account(*member),
            genesis: genesis(*member, *other_genesis),
            role: role(*to).unwrap(),
            wraps: vec![Wrap { account: account(*member), bytes: vec![1] }],
            sealed_terms: vec![],
        },
        Act::Remove { member, cuts: of, epoch, wraps } => SpaceBody::Remove {
            member: account(*member),
            why: Why::Expired,
            cuts: cuts(of),
            next: next(*epoch, wraps),
            sealed_reason: vec![],
        },
        Act::Leave { cuts: of } => SpaceBody::Leave { cuts: cuts(of) },
        Act::Epoch { epoch, wraps, cuts: of } => {
            SpaceBody::Epoch { next: next(*epoch, wraps), cuts: cuts(of) }
        }
        Act::Replace { document, by } => SpaceBody::Replace {
            document: DocumentId::from_bytes([*document; 16]),
            by: DocumentId::from_bytes([*by; 16]),
            sealed_reason: vec![],
            chains: vec![],
        },
    }
}

impl Real {
    fn new(keys: &[SigningKey]) -> Self {
        let body = SpaceBody::Genesis {
            owner: account(0),
            relay: None,
            epoch: 1,
            wraps: vec![Wrap { account: account(0), bytes: vec![1] }],
            sealed_label: vec![],
        };
        let space = SpaceId::from_bytes([1; 16]);
        let entry = SpaceEntry {
            space,
            seq: 1,
            previous: Hash32::ZERO,
            account: account(0),
            device: device(0),
            body,
        };
        let last = Signed::sign(entry, &keys[0]);
        let public: Vec<_> = keys.iter().map(SigningKey::verifying_key).collect();
        let log = SpaceLog::found(&last, &public[0]).unwrap();
        Self { keys: keys.to_vec(), public, log, last }
    }

    fn take(&mut self, by: usize, act: &Act, lie: Lie) -> bool {
        let entry = SpaceEntry {
            space: self.log.space(),
            seq: self.log.entries() + 1,
            previous: if lie == Lie::StaleHead { Hash32::from_bytes([9; 32]) } else { self.log.head() },
            account: account(by),
            device: device(by),
            body: body(act),
        };
        let signer = if lie == Lie::OtherKey { (by + 1) % ACCOUNTS } else { by };
        let signed = Signed::sign(entry, &self.keys[signer]);
        let signed = if lie == Lie::Replayed { self.last.clone() } else { signed };
        let taken = self.log.append(&signed, &self.public[by]).is_ok();
        if taken {
            self.last = signed;
        }
        taken
    }
}

/// Dice from a seed.
struct Dice(SeededEntropy);

impl Dice {
    fn below(&self, n: usize) -> usize {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        usize::try_from(u32::from_be_bytes(bytes)).unwrap() % n
    }

    fn often(&self) -> bool {
        self.below(8) > 0
    }

    fn cuts(&self, of: usize) -> Vec<(usize, u64)> {
        match self.below(6) {
            0 => vec![],
            1 => vec![(of, 3), (of, 4)],
            2 => vec![(5, 1), (0, 2)],
            _ => vec![(of, self.below(5) as u64)],
        }
    }

    /// What somebody might do: mostly what fits, and often enough what does not.
    fn act(&self, model: &Model, by: usize) -> Act {
        let member = self.below(ACCOUNTS);
        let epoch = if self.often() { model.epoch + 1 } else { u32::try_from(self.below(4)).unwrap() };
        let wraps = |without| {
            let mut wraps = model.stay(without);
            match self.below(10) {
                0 => drop(wraps.pop()),
                1 => wraps.push(member),
                2 => wraps.reverse(),
                _ => {}
            }
            wraps
        };
        match self.below(8) {
            0..=3 => Act::Grant {
                member,
                role: u8::try_from(1 + self.below(3)).unwrap(),
                other_genesis: !self.often(),
            },
            4 | 5 => Act::Remove { member, cuts: self.cuts(member), epoch, wraps: wraps(Some(member)) },
            6 if self.below(2) == 0 => Act::Leave { cuts: self.cuts(by) },
            6 => Act::Replace {
                document: u8::try_from(self.below(4)).unwrap(),
                by: u8::try_from(self.below(5)).unwrap(),
            },
            _ => Act::Epoch { epoch, wraps: wraps(None), cuts: self.cuts(by) },
        }
    }

    fn lie(&self) -> Lie {
        match self.below(20) {
            0 => Lie::StaleHead,
            1 => Lie::Replayed,
            2 => Lie::OtherKey,
            _ => Lie::Nothing,
        }
    }
}

/// Where model and product differ in the history of this seed, if they do; and how many acts were taken.
fn differ(seed: u64, keys: &[SigningKey], forgets: Option<&'static str>) -> Result<usize, String> {
    let dice = Dice(SeededEntropy::new(seed));
    let mut real = Real::new(keys);
    let mut model = Model { entries: 1, members: vec![(0, 3)], epoch: 1, forgets, ..Model::default() };
    model.shift(0, 3, 1);
    let mut taken = 0;
    for step in 0..ACTS {
        // The owner acts often, so that there is somebody to act.
        let by = if dice.below(2) == 0 { 0 } else { dice.below(ACCOUNTS) };
        let (act, lie) = (dice.act(&model, by), dice.lie());
        let (is, should) = (real.take(by, &act, lie), model.take(by, &act, lie));
        if is != should {
            return Err(format!(
                "seed {seed}, step {step}: {by} {act:?} {lie:?}: taken {is}, by the model {should}"
            ));
        }
        taken += usize::from(is);
        same_now(&real.log, &model)
            .map_err(|what| format!("seed {seed}, step {step}: {by} {act:?}: {what}"))?;
    }
    same_ever(&real.log, &model).map_err(|what| format!("seed {seed}: {what}"))?;
    Ok(taken)
}

fn same_now(log: &SpaceLog, model: &Model) -> Result<(), String> {
    let members: Vec<_> = log.members().iter().map(|m| (m.account, Some(m.role))).collect();
    let should: Vec<_> = model.members.iter().map(|(n, r)| (account(*n), role(*r))).collect();
    if members != should {
        return Err(format!("members {members:?}, by the model {should:?}"));
    }
    if (log.entries(), log.epoch(), log.is_stale()) != (model.entries, model.epoch, model.stale) {
        return Err("number of entries, epoch or staleness".to_owned());
    }
    Ok(())
}

fn same_ever(log: &SpaceLog, model: &Model) -> Result<(), String> {
    for n in 0..ACCOUNTS {
        for seq in 1..=model.entries {
            if log.role_at(account(n), seq) != role(model.role_at(n, seq)) {
                return Err(format!("role of {n} at {seq}"));
            }
            for envelope_seq in 1..6 {
                let void = log.is_void(account(n), (device(n), incarnation(n)), envelope_seq, seq);
                if void != model.is_void(n, envelope_seq, seq) {
                    return Err(format!("envelope {envelope_seq} of {n} under {seq} is void: {void}"));
                }
            }
        }
    }
    Ok(())
}

fn keys() -> Vec<SigningKey> {
    let entropy = SeededEntropy::new(4_711);
    (0..ACCOUNTS).map(|_| SigningKey::make(&entropy)).collect()
}

fn histories() -> u64 {
    let asked = std::env::var("MECUM_MODEL_HISTORIES").ok().and_then(|text| text.parse().ok());
    asked.unwrap_or(100_000)
}

#[test]
fn random_histories_of_honest_and_dishonest_members_are_judged_as_by_the_model() {
    let (keys, count) = (keys(), histories());
    let first = std::env::var("MECUM_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(0_u64);
    let mut taken = 0;
    for seed in (0..count).map(|number| first.wrapping_add(number)) {
        taken += differ(seed, &keys, None).unwrap_or_else(|difference| panic!("{difference}"));
    }
    let acts = count * ACTS as u64;
    println!("{count} histories, {acts} acts, {taken} of them taken; seeds from {first}");
    assert!(taken as u64 * 5 > acts, "enough of them are acts that count: {taken} of {acts}");
}

/// The control: the comparison must see each of these rules missing.
#[test]
fn a_model_without_one_of_its_rules_is_seen_to_differ() {
    let keys = keys();
    let rules = [
        "managers grant",
        "grants give more",
        "the owner stays",
        "wraps are exact",
        "readers begin no epoch",
    ];
    for rule in rules {
        let seen = (0..400).any(|seed| differ(seed, &keys, Some(rule)).is_err());
        assert!(seen, "without the rule that {rule} the histories are judged otherwise");
    }
}
