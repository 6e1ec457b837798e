//! Which rows were put back to an older state: what the sums over a vault's rows tell, where they are not those of its head.

use std::collections::BTreeMap;

use super::{CheckReport, FoundRow, MAX_GUESSES, Problem};
use crate::head::{BUCKETS, Head, bucket_of};
use crate::keys::Keys;
use crate::state::Table;

/// Guesses among which rows are looked for that were put back together, at the most: they lie in memory.
const MAX_TOGETHER: usize = 1 << 16;

/// A row, and by how much one sum would differ if it had a certain later generation.
type Guess<'r> = (&'r FoundRow, u128);

/// The digests differ: finds rows put back to an older state, by trying which later generations would make a sum
/// right; otherwise says that the rows do not fit. A row that was named makes one sum wrong: where more sums are, others were put
/// back as well.
pub(super) fn explain_digests(
    keys: &Keys,
    head: &Head,
    sums: &Head,
    rows: &[FoundRow],
    named: u32,
    report: &mut CheckReport,
) {
    if rows.iter().any(|row| row.generation > head.counter) {
        report.problems.push(Problem::HeadRolledBack);
        return;
    }
    let mut left = MAX_GUESSES;
    let mut unexplained = 0u32;
    for bucket in 0..BUCKETS {
        let (Some(expected), Some(found)) = (head.digests.get(bucket), sums.digests.get(bucket)) else {
            continue;
        };
        let difference = head.width.of(expected.wrapping_sub(*found));
        if difference == 0 {
            continue;
        }
        let of_bucket: Vec<&FoundRow> = rows.iter().filter(|row| bucket_of(&row.id) == bucket).collect();
        match put_back(keys, head, &of_bucket, difference, &mut left) {
            Some(rows) => report.problems.extend(rows.into_iter().map(|row| Problem::RowRolledBack {
                table: Table::from_code(row.kind),
                name: row.name.clone(),
            })),
            None => unexplained += 1,
        }
    }
    if unexplained > named {
        report.problems.push(Problem::Rows);
    }
}

/// One row, or two, or three that share a sum, which together make up the difference.
fn put_back<'r>(
    keys: &Keys,
    head: &Head,
    rows: &[&'r FoundRow],
    difference: u128,
    left: &mut u64,
) -> Option<Vec<&'r FoundRow>> {
    let alone = guesses(keys, head, rows).take_while(|_| spend(left)).find(|(_, makes)| *makes == difference);
    if let Some((row, _)) = alone {
        return Some(vec![row]);
    }
    let guesses: Vec<Guess> = guesses(keys, head, rows).take(MAX_TOGETHER + 1).collect();
    if guesses.len() > MAX_TOGETHER {
        return None;
    }
    let by_sum: BTreeMap<u128, &FoundRow> = guesses.iter().map(|(row, makes)| (*makes, *row)).collect();
    let rest = |of: u128, makes: u128| head.width.of(of.wrapping_sub(makes));
    for (row, makes) in &guesses {
        if let Some(other) = by_sum.get(&rest(difference, *makes)).filter(|other| other.id != row.id) {
            return Some(vec![row, other]);
        }
    }
    for (at, (first, makes)) in guesses.iter().enumerate() {
        let more = rest(difference, *makes);
        for (second, makes) in guesses.iter().skip(at + 1).filter(|(second, _)| second.id != first.id) {
            if !spend(left) {
                return None;
            }
            let third = by_sum.get(&rest(more, *makes));
            if let Some(third) = third.filter(|third| ![first.id, second.id].contains(&third.id)) {
                return Some(vec![first, second, third]);
            }
        }
    }
    None
}

/// Every later generation that each of these rows may have had.
fn guesses<'r>(keys: &Keys, head: &Head, rows: &[&'r FoundRow]) -> impl Iterator<Item = Guess<'r>> {
    rows.iter().flat_map(move |row| {
        let stale = keys.tag(row.kind, &row.id, row.generation);
        (row.generation + 1..=head.counter).map(move |generation| {
            let later = keys.tag(row.kind, &row.id, generation);
            (*row, head.width.of(later.wrapping_sub(stale)))
        })
    })
}

/// Takes a step off those that are left.
fn spend(left: &mut u64) -> bool {
    let there = *left > 0;
    *left = left.saturating_sub(1);
    there
}
