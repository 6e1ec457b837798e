//! The check of a whole database: a sound one is found sound, and each single defect is found and named by its table.

use std::path::Path;

use mecum_relay::folder;
use mecum_relay::store::sqlite::check::Checked;
use mecum_seal::Hash32;
use mecum_sync::testing::Actor;
use mecum_sync::{HelpersAsk, PROTOCOL_VERSION, encode};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::device::Device;
use crate::server::{Server, roomy};

/// A folder with something in every table, and the ids that no finding may repeat.
async fn full_folder() -> (TempDir, Vec<String>) {
    let server = Server::start(roomy()).await;
    let mut laptop = Device::enrolled(&server, 1).await;
    let mut stranger = Device::enrolled(&server, 2).await;
    let space = laptop.space(&server).await;
    laptop.space(&server).await;
    let other = stranger.space(&server).await;
    laptop.write(&server, space, &["one", "two", "three"]).await;
    let mut phone = laptop.pair(&server, 3).await;
    phone.catch_up(&server).await;
    phone.write(&server, space, &["four"]).await;
    laptop.catch_up(&server).await;
    laptop.write(&server, space, &[]).await;
    laptop.write(&server, space, &["five"]).await;
    stranger.write(&server, other, &["elsewhere"]).await;
    let mut chains = vec![laptop.actor.folded(space), phone.actor.folded(space)];
    chains.sort_by_key(|chain| (chain.device, chain.incarnation));
    let mut request = laptop.request();
    request.snapshots.push(laptop.actor.snapshot(space, 5, chains, &["keys", "document"]));
    let response = laptop.sync(&server, &request).await.unwrap();
    assert_eq!(response.snapshot_outcomes[0].refusal(), None, "the snapshot is stored");
    // A second version of a link: evidence.
    let kept = stranger.actor.writing.clone();
    let writing = stranger.actor.writing.get_mut(&other).unwrap();
    (writing.envelope_seq, writing.last) = (0, Hash32::ZERO);
    let fork = stranger.actor.push(other, &["another version"], vec![]);
    stranger.push(&server, &fork).await.unwrap_err();
    stranger.actor.writing = kept;
    server.relay.make_enrolment_code().unwrap();
    let mailbox = "/v1/mailbox/00112233445566778899aabbccddeeff/offer";
    assert_eq!(server.ask("PUT", mailbox, None, b"sealed").await.status, 204, "the mailbox is opened");
    // Somebody asks for an account by its helpers, and somebody else for another.
    for (seed, account) in [(4, laptop.actor.account), (5, stranger.actor.account)] {
        let mut asking = Actor::new(seed);
        asking.account = account;
        let ask = HelpersAsk { version: PROTOCOL_VERSION, request: asking.helpers_request(server.pin()) };
        let answer = server.ask("POST", "/v1/helpers/ask", None, &encode(&ask)).await;
        assert_eq!(answer.status, 200, "it is kept");
    }
    let ids = vec![
        laptop.actor.account.to_string(),
        stranger.actor.account.to_string(),
        laptop.actor.device.to_string(),
        phone.actor.device.to_string(),
        space.to_string(),
        other.to_string(),
    ];
    let dir = tempfile::tempdir().unwrap();
    let made = folder::backup(server.dir.path(), &dir.path().join("full"), 0).unwrap();
    std::fs::remove_file(made.dir.join("backup.txt")).unwrap();
    (dir, ids)
}

/// The findings after `damage` has been done to a copy.
fn after(dir: &Path, damage: &dyn Fn(&Connection)) -> Checked {
    let copy = tempfile::tempdir().unwrap();
    for name in ["relay.sqlite", "relay.key"] {
        std::fs::copy(dir.join("full").join(name), copy.path().join(name)).unwrap();
    }
    let c = Connection::open(copy.path().join("relay.sqlite")).unwrap();
    damage(&c);
    drop(c);
    folder::check(copy.path()).unwrap()
}

/// Changes one bit in the middle of a blob of the row with this rank.
fn flip(c: &Connection, table: &str, column: &str, key: &str, rank: usize) {
    let read = format!("SELECT {column} FROM {table} ORDER BY {key} LIMIT 1 OFFSET {rank}");
    let old: Vec<u8> = c.query_row(&read, [], |row| row.get(0)).unwrap();
    let mut new = old.clone();
    let middle = new.len() / 2;
    new[middle] ^= 1;
    let changed = c.execute(&format!("UPDATE {table} SET {column} = ?1 WHERE {column} = ?2"), (&new, &old));
    assert!(changed.unwrap() >= 1, "{table}.{column} was changed");
}

fn run(sql: &'static str) -> Box<dyn Fn(&Connection)> {
    Box::new(move |c| {
        let before = c.total_changes();
        c.execute_batch(sql).unwrap();
        assert!(c.total_changes() > before, "it changed something: {sql}");
    })
}

type Damage = (&'static str, Box<dyn Fn(&Connection)>);

fn flips() -> Vec<Damage> {
    let blobs: [(&'static str, &'static str, &'static str, usize); 19] = [
        ("account", "state", "account", 0),
        ("account_entry", "body", "account, seq", 1),
        ("account_entry", "hash", "account, seq", 0),
        ("space", "state", "space", 0),
        ("space_entry", "body", "space, seq", 0),
        ("space_entry", "hash", "space, seq", 1),
        ("push", "statement", "push", 0),
        ("push", "device", "push", 1),
        ("envelope", "body", "space, space_seq", 0),
        ("envelope", "body", "space, space_seq", 3),
        ("envelope", "content_id", "space, space_seq", 2),
        ("chain", "last", "space, device, incarnation", 0),
        ("chain", "statement", "space, device, incarnation", 1),
        ("snapshot", "body", "space", 0),
        ("snapshot", "statements", "space", 0),
        ("equivocation", "body", "space, device", 0),
        ("equivocation", "content_id", "space, device", 0),
        ("helper_request", "body", "account", 0),
        ("helper_request", "request", "account", 1),
    ];
    let damage = |(table, column, key, rank): (&'static str, &'static str, &'static str, usize)| -> Damage {
        (table, Box::new(move |c: &Connection| flip(c, table, column, key, rank)))
    };
    blobs.into_iter().map(damage).collect()
}

fn edits() -> Vec<Damage> {
    let lines: [(&'static str, &'static str); 39] = [
        ("account", "UPDATE account SET inbox_head = inbox_head + 1"),
        ("account", "UPDATE account SET spaces = spaces + 1"),
        ("account", "UPDATE account SET stored_bytes = -1"),
        ("account", "UPDATE account SET state = (SELECT max(state) FROM account)"),
        ("account", "DELETE FROM account_entry WHERE seq = 2"),
        ("account_entry", "UPDATE account_entry SET seq = 3 WHERE seq = 2"),
        ("account_entry", "DELETE FROM account WHERE account = (SELECT min(account) FROM account)"),
        ("space", "UPDATE space SET space_seq = space_seq + 1"),
        ("space", "UPDATE space SET state = (SELECT max(state) FROM space)"),
        ("space_entry", "DELETE FROM space_entry WHERE space = (SELECT min(space) FROM space)"),
        ("space_entry", "DELETE FROM space WHERE space = (SELECT min(space) FROM space)"),
        ("space_entry", "UPDATE space_entry SET space_seq = 99"),
        ("push", "UPDATE push SET first_space_seq = first_space_seq + 1 WHERE push = 3"),
        ("push", "UPDATE push SET statement = (SELECT statement FROM push WHERE push = 1) WHERE push = 2"),
        ("push", "UPDATE push SET envelopes = envelopes - 1 WHERE push = 1"),
        ("envelope", "DELETE FROM push WHERE push = 2"),
        ("envelope", "UPDATE push SET envelopes = envelopes + 1 WHERE push = 4"),
        ("envelope", "DELETE FROM envelope WHERE envelope_seq = 2"),
        ("envelope", "UPDATE envelope SET push = 4 WHERE push = 2"),
        (
            "envelope",
            "UPDATE envelope SET (body, content_id) = (SELECT body, content_id FROM envelope WHERE envelope_seq = 3)
             WHERE envelope_seq = 2",
        ),
        (
            "envelope",
            "INSERT INTO envelope SELECT space, space_seq + 50, push, device, incarnation, envelope_seq + 50,
             content_id, body FROM envelope WHERE envelope_seq = 3",
        ),
        ("chain", "UPDATE chain SET envelope_seq = envelope_seq - 1"),
        ("chain", "UPDATE chain SET membership_seq = membership_seq + 1"),
        ("chain", "UPDATE chain SET statement = (SELECT statement FROM push WHERE push = 1)"),
        ("chain", "DELETE FROM chain WHERE envelope_seq = 4"),
        ("snapshot", "UPDATE snapshot SET space_seq = space_seq - 1"),
        ("inbox", "UPDATE inbox SET number = 99 WHERE kind = 4"),
        ("inbox", "DELETE FROM inbox WHERE position = 2"),
        ("inbox", "UPDATE inbox SET number = 77 WHERE kind = 3 AND number = 3"),
        ("inbox", "UPDATE inbox SET kind = 9 WHERE kind = 2"),
        ("inbox", "UPDATE inbox SET number = 1 WHERE kind = 3 AND number = 2"),
        ("enrolment_code", "UPDATE enrolment_code SET code = x'00' WHERE used_by IS NULL"),
        ("member", "DELETE FROM member WHERE space = (SELECT min(space) FROM member)"),
        ("member", "UPDATE OR REPLACE member SET account = (SELECT max(account) FROM account)"),
        ("member", "INSERT INTO member SELECT account, x'00' FROM account LIMIT 1"),
        ("device", "DELETE FROM device WHERE device = (SELECT min(device) FROM device)"),
        ("device", "UPDATE device SET account = (SELECT max(account) FROM account)"),
        ("helper_request", "UPDATE OR REPLACE helper_request SET account = (SELECT max(account) FROM account)"),
        ("recovery", "INSERT INTO recovery SELECT randomblob(32), account FROM account LIMIT 1"),
    ];
    lines.into_iter().map(|(table, sql)| (table, run(sql))).collect()
}

#[tokio::test]
async fn a_sound_database_is_sound_and_each_single_defect_is_named() {
    let (dir, ids) = full_folder().await;
    let sound = after(dir.path(), &|_| {});
    assert_eq!(sound.findings, [], "nothing is wrong with what an honest relay wrote");
    let held = sound.held;
    assert_eq!((held.accounts, held.devices, held.spaces), (2, 3, 3), "everything was read");
    assert_eq!((held.pushes, held.envelopes), (5, 6), "every push and envelope");
    let damages: Vec<_> = flips().into_iter().chain(edits()).collect();
    println!("{} single defects", damages.len());
    for (n, (table, damage)) in damages.iter().enumerate() {
        let checked = after(dir.path(), damage);
        let tables: Vec<_> = checked.findings.iter().map(|finding| finding.table).collect();
        assert!(tables.contains(table), "defect {n} is named in {table}, not {:?}", checked.findings);
        for finding in &checked.findings {
            let text = finding.to_string();
            assert!(!ids.iter().any(|id| text.contains(id)), "defect {n}: no id is repeated: {text}");
        }
    }
}

#[tokio::test]
async fn tables_that_are_new_do_not_disturb_and_missing_ones_are_named() {
    let (dir, _) = full_folder().await;
    let more = after(dir.path(), &|c| c.execute_batch("CREATE TABLE later (a INTEGER) STRICT").unwrap());
    assert_eq!(more.findings, [], "a table of a later day is none of its concern");
    let fewer = after(dir.path(), &|c| c.execute_batch("DROP INDEX envelope_of_chain").unwrap());
    let named: Vec<_> = fewer.findings.iter().map(ToString::to_string).collect();
    assert_eq!(named, ["database: index envelope_of_chain: is not there"], "what is missing is named");
    let gone = after(dir.path(), &|c| c.execute_batch("DROP TABLE mailbox").unwrap());
    assert!(!gone.is_sound(), "a missing table is found");
}

#[tokio::test]
async fn damaged_pages_are_found_and_end_nothing() {
    let (dir, _) = full_folder().await;
    let sound = std::fs::read(dir.path().join("full/relay.sqlite")).unwrap();
    let copy = tempfile::tempdir().unwrap();
    std::fs::copy(dir.path().join("full/relay.key"), copy.path().join("relay.key")).unwrap();
    let page = 4_096;
    let mut unnoticed = Vec::new();
    for number in 0..sound.len() / page {
        let mut bytes = sound.clone();
        bytes[number * page..(number + 1) * page].fill(0);
        std::fs::write(copy.path().join("relay.sqlite"), bytes).unwrap();
        let noticed = folder::check(copy.path()).map_or(true, |checked| !checked.is_sound());
        if !noticed {
            unnoticed.push(number);
        }
    }
    assert_eq!(unnoticed, [0usize; 0], "every page that was zeroed is noticed");
}

#[tokio::test]
async fn a_key_that_is_missing_strange_or_open_to_others_is_named() {
    let (dir, _) = full_folder().await;
    let full = dir.path().join("full");
    let findings = || folder::check(&full).unwrap().findings;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let key = full.join("relay.key");
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(findings()[0].table, "relay.key", "open to others");
    }
    std::fs::write(full.join("relay.key"), [7; 32]).unwrap();
    let tables: Vec<_> = findings().iter().map(|finding| finding.table).collect();
    assert!(tables.contains(&"space"), "spaces whose home is another key: {tables:?}");
    std::fs::remove_file(full.join("relay.key")).unwrap();
    assert_eq!(findings()[0].to_string(), "relay.key: file: is not there", "no key");
}
