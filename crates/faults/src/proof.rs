//! One harness of the test programme: how many cases, from which seed, which share of them; and its one line of results.
//!
//! The figures come from the environment, so that the same program is a quick test of each change and a shard of a nightly
//! run: `MECUM_PROOF_CASES` (of the whole row), `MECUM_PROOF_SEED`, `MECUM_PROOF_SHARD` (`i/n`, from 1). The line is
//! `proof: {json}`; `cargo xtask proof` gathers them.

use std::time::Instant;

/// The seed of a run that names none.
const DEFAULT_SEED: u64 = 20_261_122;

/// The figures of one harness in this run.
#[derive(Debug, Clone)]
pub struct Proof {
    test: u8,
    what: &'static str,
    cases: u64,
    seed: u64,
    shard: u64,
    shards: u64,
    alone: bool,
    started: Instant,
}

impl Proof {
    /// Row `test` of the programme, with its figure for each change. Prints the seed, so that a run can be repeated.
    pub fn new(test: u8, what: &'static str, per_change: u64) -> Proof {
        let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
        let shard = std::env::var("MECUM_PROOF_SHARD").ok();
        let (shard, shards) = shard.as_deref().and_then(parse_shard).unwrap_or((1, 1));
        let asked = number("MECUM_PROOF_CASES");
        let proof = Proof {
            test,
            what,
            cases: asked.unwrap_or(per_change),
            seed: number("MECUM_PROOF_SEED").unwrap_or(DEFAULT_SEED),
            shard,
            shards,
            alone: asked.is_some(),
            started: Instant::now(),
        };
        println!("proof {test}: MECUM_PROOF_SEED={} MECUM_PROOF_SHARD={shard}/{shards}", proof.seed);
        proof
    }

    /// The seed of the run; a case's own seed is this plus its number.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Where a search begins that goes on until it has found this shard's share of cases: each shard has its own.
    pub fn begins(&self) -> u64 {
        (self.seed << 8) ^ ((self.shard - 1) << 44)
    }

    /// How many cases the whole row has in this run, all shards together.
    pub fn cases(&self) -> u64 {
        self.cases
    }

    /// Whether nothing runs beside it: `cargo xtask proof` starts one harness after the other, and says each its figure.
    /// Only then is a time judged.
    pub fn is_alone(&self) -> bool {
        self.alone
    }

    /// How many cases are this shard's.
    pub fn share(&self) -> u64 {
        self.numbers().count() as u64
    }

    /// The numbers of this shard's cases: every n-th, so that shards differ and together are the whole.
    pub fn numbers(&self) -> impl Iterator<Item = u64> + use<> {
        let (cases, shard, shards) = (self.cases, self.shard, self.shards);
        (0..cases).filter(move |case| case % shards == shard - 1)
    }

    /// Deals this shard's cases out to `workers` threads and adds up how many failed. `work` gets a thread's cases.
    pub fn in_threads(&self, workers: u64, work: impl Fn(Vec<u64>) -> u64 + Sync) -> u64 {
        std::thread::scope(|scope| {
            let running: Vec<_> = (0..workers)
                .map(|worker| {
                    let own: Vec<u64> = self
                        .numbers()
                        .enumerate()
                        .filter(|(at, _)| *at as u64 % workers == worker)
                        .map(|(_, case)| case)
                        .collect();
                    let work = &work;
                    scope.spawn(move || work(own))
                })
                .collect();
            running.into_iter().map(|worker| worker.join().expect("a worker ends")).sum()
        })
    }

    /// Prints the line: `cases` looked at, how many of them `failures`. To be called before asserting on it.
    pub fn end(&self, cases: u64, failures: u64) {
        let Proof { test, what, seed, .. } = self;
        let seconds = self.started.elapsed().as_secs_f64();
        println!(
            "proof: {{\"test\":{test},\"what\":\"{what}\",\"cases\":{cases},\"failures\":{failures},\"seconds\":{seconds:.1},\"seed\":{seed}}}"
        );
    }
}

/// Says that a control which is part of a harness failed as it must, to be called once that was seen: `cargo xtask proof` counts no
/// such harness without it.
pub fn control_failed(what: &str) {
    println!("proof-control: {what}");
}

fn parse_shard(text: &str) -> Option<(u64, u64)> {
    let (shard, shards) = text.split_once('/')?;
    let (shard, shards) = (shard.parse().ok()?, shards.parse().ok()?);
    (shard >= 1 && shard <= shards).then_some((shard, shards))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn proof(shard: u64, shards: u64) -> Proof {
        Proof { test: 1, what: "", cases: 100, seed: 1, shard, shards, alone: false, started: Instant::now() }
    }

    fn share(shard: u64, shards: u64) -> Vec<u64> {
        proof(shard, shards).numbers().collect()
    }

    #[test]
    fn no_two_shards_search_in_the_same_place() {
        let mut begins: Vec<u64> = (1..=200).map(|shard| proof(shard, 200).begins()).collect();
        begins.sort_unstable();
        let apart = begins.windows(2).map(|two| two[1] - two[0]).min();
        assert!(apart > Some(1 << 40), "no search is as long: {apart:?}");
    }

    #[test]
    fn the_shards_together_are_every_case_once() {
        let all: Vec<u64> = (1..=7).flat_map(|shard| share(shard, 7)).collect();
        assert_eq!(all.len(), 100, "none twice");
        assert_eq!(all.into_iter().collect::<BTreeSet<_>>(), (0..100).collect(), "none left out");
    }

    #[test]
    fn a_share_that_is_none_is_not_taken() {
        for text in ["", "1", "0/3", "4/3", "a/b", "1/0"] {
            assert_eq!(parse_shard(text), None, "{text:?}");
        }
        assert_eq!(parse_shard("2/3"), Some((2, 3)), "a share");
    }
}
