//! Row `edit`: one saved change of a field in a document that is loaded, against a bare row in SQLite.

use std::path::Path;
use std::time::Instant;

use mecum_domain::Field;
use rusqlite::Connection;

use crate::Failed;
use crate::chart::{Built, unlock};
use crate::cost::cpu_time;
use crate::report::{Numbers, Row};

const TIMES: usize = 200;
const WARM_UP: usize = 20;

const MOST_CPU_MS: f64 = 1.0;
const MOST_OVER_BARE_MS: f64 = 1.0;

pub(crate) fn measure(built: &Built) -> Result<Row, Failed> {
    let profile = built.device("edit")?;
    let mut session = unlock(&profile)?;
    for value in 0..WARM_UP {
        session.set(built.chart, built.entry, vec![(Field::Value, Some((1_000 + value).to_string()))])?;
    }
    let envelope = session.last_envelope_for_tests(built.chart, built.entry)?;
    let bare = Bare::make(&profile.join("bare.sqlite"), envelope)?;
    let (mut wall, mut cpu, mut floor) = (Numbers::default(), Numbers::default(), Numbers::default());
    for value in 0..TIMES {
        let (began, cpu_began) = (Instant::now(), cpu_time());
        session.set(built.chart, built.entry, vec![(Field::Value, Some((2_000 + value).to_string()))])?;
        wall.time(began.elapsed());
        cpu.time(cpu_time().saturating_sub(cpu_began));
        let began = Instant::now();
        bare.commit()?;
        floor.time(began.elapsed());
    }
    let what = format!(
        "a field of an entry set and committed, in a loaded document of the chart; the envelope has {envelope} B; {}",
        built.said
    );
    let cpu_row = Row::of(
        "edit",
        "CPU time of the thread for the whole call, the commit's included",
        "CPU ≤ 1 ms",
        "ms",
        &cpu,
        |ms| ms <= MOST_CPU_MS,
    );
    let wall_row = Row::of(
        "edit",
        "wall time, against one row of the envelope's size in a bare SQLite database (WAL, synchronous=FULL) on the same disk",
        "wall ≤ bare + 1 ms",
        "ms",
        &wall,
        |_| false,
    );
    let wall_row = wall_row.against(&floor, &wall, |ours, bare| ours <= bare + MOST_OVER_BARE_MS);
    Ok(Row::joined("edit", what, "CPU ≤ 1 ms; wall ≤ bare + 1 ms", vec![wall_row, cpu_row]))
}

/// A database of one table, and nothing else that costs.
struct Bare {
    connection: Connection,
    body: Vec<u8>,
}

impl Bare {
    fn make(path: &Path, bytes: usize) -> Result<Self, Failed> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        connection
            .execute_batch("CREATE TABLE envelope (n INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT")?;
        let bare = Self { connection, body: vec![0x5a; bytes] };
        (0..WARM_UP).try_for_each(|_| bare.commit())?;
        Ok(bare)
    }

    fn commit(&self) -> Result<(), Failed> {
        self.connection.prepare_cached("INSERT INTO envelope (body) VALUES (?1)")?.execute([&self.body])?;
        Ok(())
    }
}
