//! Ways to damage a closed vault, by SQL and by the bytes of its pages.

use std::path::Path;

use mecum_faults::Dice;
use rusqlite::{Connection, params};

use super::vault_of;

/// Ways by SQL to damage rows, times the tables that have rows; envelopes and heads; pages.
const OF_ROWS: u64 = 5;
const OF_ENVELOPES: u64 = 6;
const OF_HEADS: u64 = 3;
const OF_PAGES: u64 = 2;

/// How many kinds of damage there are besides which table is hit.
pub(crate) const KINDS: u64 = OF_ROWS + OF_ENVELOPES + OF_HEADS + OF_PAGES;

/// Damages the vault of a profile; says how. `None` where it came out as it was.
pub(crate) fn damage(profile: &Path, dice: &mut Dice) -> Option<String> {
    let kind = dice.below(KINDS);
    let path = vault_of(profile);
    if kind >= KINDS - OF_PAGES {
        return damage_page(&path, kind, dice);
    }
    let sql = Connection::open(&path).expect("a closed vault is one file");
    let (changed, how) = if kind < OF_ROWS {
        of_rows(&sql, kind, dice)
    } else if kind < OF_ROWS + OF_ENVELOPES {
        (of_envelopes(&sql, kind - OF_ROWS, dice), format!("envelopes, way {}", kind - OF_ROWS))
    } else {
        (
            of_heads(&sql, kind - OF_ROWS - OF_ENVELOPES),
            format!("heads, way {}", kind - OF_ROWS - OF_ENVELOPES),
        )
    };
    (changed > 0).then_some(how)
}

fn of_rows(sql: &Connection, kind: u64, dice: &mut Dice) -> (usize, String) {
    let tables: Vec<i64> = sql
        .prepare("SELECT DISTINCT kind FROM row ORDER BY kind")
        .and_then(|mut all| all.query_map([], |row| row.get(0))?.collect())
        .expect("rows have kinds");
    let table = tables[dice.index(tables.len())];
    let count: u32 =
        sql.query_row("SELECT count(*) FROM row WHERE kind = ?1", [table], |row| row.get(0)).expect("counts");
    let skip = dice.below(count.into()).cast_signed();
    let at: i64 = sql
        .query_row("SELECT at FROM row WHERE kind = ?1 ORDER BY at LIMIT 1 OFFSET ?2", [table, skip], |row| {
            row.get(0)
        })
        .expect("there is such a row");
    let statement = match kind {
        0 => "DELETE FROM row WHERE at = ?1",
        1 => "UPDATE row SET body = zeroblob(length(body)) WHERE at = ?1",
        2 => "INSERT INTO row (kind, id, gen, body) SELECT kind, id, gen, body FROM row WHERE at = ?1",
        3 => "UPDATE row SET gen = gen + 1 WHERE at = ?1",
        _ => "DELETE FROM row WHERE kind = (SELECT kind FROM row WHERE at = ?1)",
    };
    (sql.execute(statement, [at]).expect("plain SQL"), format!("rows of table {table}, way {kind}"))
}

fn of_envelopes(sql: &Connection, kind: u64, dice: &mut Dice) -> usize {
    let count: u32 = sql.query_row("SELECT count(*) FROM envelope", [], |row| row.get(0)).expect("counts");
    let mut some = || -> (Vec<u8>, i64) {
        let skip = dice.below(count.into()).cast_signed();
        sql.query_row(
            "SELECT document, n FROM envelope ORDER BY document, n LIMIT 1 OFFSET ?1",
            [skip],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .expect("there is such an envelope")
    };
    let (document, n) = some();
    let at = |statement: &str| sql.execute(statement, params![document, n]).expect("plain SQL");
    match kind {
        0 => at("DELETE FROM envelope WHERE document = ?1 AND n = ?2"),
        1 => at("UPDATE envelope SET body = zeroblob(length(body)) WHERE document = ?1 AND n = ?2"),
        2 => at("DELETE FROM envelope WHERE document = ?1 AND n >= ?2"),
        3 => at("UPDATE envelope SET chain = randomblob(32) WHERE document = ?1 AND n = ?2"),
        4 => at("INSERT INTO envelope (document, n, chain, body)
                 SELECT document, max(n) + ?2, chain, body FROM envelope WHERE document = ?1"),
        _ => at("DELETE FROM envelope WHERE document = ?1 AND ?2 = ?2"),
    }
}

fn of_heads(sql: &Connection, kind: u64) -> usize {
    let statement = match kind {
        0 => "UPDATE head SET body = zeroblob(length(body))",
        1 => "DELETE FROM head",
        _ => "DELETE FROM row WHERE kind = 0",
    };
    sql.execute(statement, []).expect("plain SQL")
}

const PAGE: usize = 1_024;

fn damage_page(path: &Path, kind: u64, dice: &mut Dice) -> Option<String> {
    let before = std::fs::read(path).expect("readable");
    let mut bytes = before.clone();
    let pages = bytes.len() / PAGE;
    let (a, b) = (dice.index(pages), dice.index(pages));
    let range = |page: usize| page * PAGE..(page + 1) * PAGE;
    if kind == KINDS - 1 {
        bytes[range(a)].fill(0);
    } else {
        let (of_a, of_b) = (bytes[range(a)].to_vec(), bytes[range(b)].to_vec());
        bytes[range(a)].copy_from_slice(&of_b);
        bytes[range(b)].copy_from_slice(&of_a);
    }
    std::fs::write(path, &bytes).expect("writes");
    (bytes != before).then(|| format!("page {a} ({b}), way {kind}"))
}
