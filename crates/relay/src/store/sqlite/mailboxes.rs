//! Mailboxes of pairings and invitations: three sealed messages, each put once, gone after a quarter of an hour, or after the
//! days that an invitation asked for.

use mecum_sync::limits::{MAILBOX_LIFE_MS, MAX_MAILBOX_BYTES};
use mecum_sync::{Refusal, RefusalCode};
use rusqlite::{Connection, OptionalExtension, params};

use crate::store::{Opening, Slot, StoreError};

/// Most mailboxes at a time.
struct Room {
    /// That live for days.
    long: i64,
    /// That signed-in devices opened for a quarter of an hour: no stranger takes these places.
    signed_in: i64,
    /// Of everybody else.
    open: i64,
}

/// At most some 480 MB in all, if each holds its three messages.
const ROOM: Room = Room { long: 5_000, signed_in: 1_000, open: 4_000 };

/// In the place of a site: a signed-in device opened it.
const SIGNED_IN: i64 = 0;

pub(super) fn put(
    c: &Connection,
    mailbox: [u8; 16],
    slot: Slot,
    body: &[u8],
    now_ms: i64,
    opening: Option<Opening>,
) -> Result<Result<(), Refusal>, StoreError> {
    put_within(c, &ROOM, mailbox, slot, body, now_ms, opening)
}

fn put_within(
    c: &Connection,
    room: &Room,
    mailbox: [u8; 16],
    slot: Slot,
    body: &[u8],
    now_ms: i64,
    opening: Option<Opening>,
) -> Result<Result<(), Refusal>, StoreError> {
    if body.is_empty() || body.len() > MAX_MAILBOX_BYTES {
        return Ok(Err(RefusalCode::TooLarge.into()));
    }
    sweep(c, now_ms)?;
    let there = c
        .prepare_cached("SELECT 1 FROM mailbox WHERE mailbox = ?1")?
        .query_row([mailbox], |_| Ok(()))
        .optional()?
        .is_some();
    if !there {
        let Some(opening) = opening.filter(|_| slot == Slot::Offer) else {
            return Ok(Err(RefusalCode::NotFound.into()));
        };
        if !open(c, room, mailbox, now_ms, opening)? {
            return Ok(Err(RefusalCode::Unavailable.into()));
        }
    }
    if let Some(there) = get(c, mailbox, slot, now_ms)? {
        let same = there == body;
        return Ok(if same { Ok(()) } else { Err(RefusalCode::AlreadyExists.into()) });
    }
    let sql = match slot {
        Slot::Offer => "UPDATE mailbox SET offer = ?2 WHERE mailbox = ?1",
        Slot::Join => "UPDATE mailbox SET joining = ?2 WHERE mailbox = ?1",
        Slot::Welcome => "UPDATE mailbox SET welcome = ?2 WHERE mailbox = ?1",
    };
    c.prepare_cached(sql)?.execute(params![mailbox, body])?;
    Ok(Ok(()))
}

/// Opens a mailbox. False if there is no room for it; among those that nobody signed in for there always is.
fn open(
    c: &Connection,
    room: &Room,
    mailbox: [u8; 16],
    now_ms: i64,
    opening: Opening,
) -> Result<bool, StoreError> {
    let count = |sql: &str| -> Result<i64, StoreError> {
        let soon = now_ms.saturating_add(MAILBOX_LIFE_MS);
        Ok(c.prepare_cached(sql)?.query_row(params![SIGNED_IN, soon], |row| row.get(0))?)
    };
    let (site, life_ms) = match opening {
        Opening::Long { life_ms } => {
            if count("SELECT count(*) FROM mailbox WHERE site = ?1 AND expires_at_ms > ?2")? >= room.long {
                return Ok(false);
            }
            (SIGNED_IN, life_ms)
        }
        Opening::Short { site, signed_in } => {
            let of_devices = "SELECT count(*) FROM mailbox WHERE site = ?1 AND expires_at_ms <= ?2";
            let of_others = "SELECT count(*) FROM mailbox WHERE site > ?1 AND ?2 IS NOT NULL";
            if signed_in && count(of_devices)? < room.signed_in {
                (SIGNED_IN, MAILBOX_LIFE_MS)
            } else {
                if count(of_others)? >= room.open {
                    make_room(c, site)?;
                }
                (site, MAILBOX_LIFE_MS)
            }
        }
    };
    c.prepare_cached("INSERT INTO mailbox (mailbox, expires_at_ms, site) VALUES (?1, ?2, ?3)")?
        .execute(params![mailbox, now_ms.saturating_add(life_ms), site])?;
    Ok(true)
}

/// The site that has the most, with the one that `coming` is about to get, gives one up: its oldest that nobody has answered, or
/// else its oldest. So whoever has fewer than others keeps what they have: to push one of theirs out takes as many networks as
/// there are places.
fn make_room(c: &Connection, coming: i64) -> Result<(), StoreError> {
    c.prepare_cached(
        "DELETE FROM mailbox WHERE mailbox = (
            SELECT mailbox FROM mailbox
            WHERE site = (
                SELECT site FROM mailbox WHERE site > ?1
                GROUP BY site ORDER BY count(*) + (site = ?2) DESC, min(expires_at_ms), site LIMIT 1
            )
            ORDER BY joining IS NOT NULL, expires_at_ms, mailbox LIMIT 1
        )",
    )?
    .execute([SIGNED_IN, coming])?;
    Ok(())
}

pub(super) fn get(
    c: &Connection,
    mailbox: [u8; 16],
    slot: Slot,
    now_ms: i64,
) -> Result<Option<Vec<u8>>, StoreError> {
    let sql = match slot {
        Slot::Offer => "SELECT offer FROM mailbox WHERE mailbox = ?1 AND expires_at_ms > ?2",
        Slot::Join => "SELECT joining FROM mailbox WHERE mailbox = ?1 AND expires_at_ms > ?2",
        Slot::Welcome => "SELECT welcome FROM mailbox WHERE mailbox = ?1 AND expires_at_ms > ?2",
    };
    let body: Option<Option<Vec<u8>>> =
        c.prepare_cached(sql)?.query_row(params![mailbox, now_ms], |row| row.get(0)).optional()?;
    Ok(body.flatten())
}

pub(super) fn sweep(c: &Connection, now_ms: i64) -> Result<(), StoreError> {
    c.prepare_cached("DELETE FROM mailbox WHERE expires_at_ms <= ?1")?.execute([now_ms])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the real one, but filled sooner.
    const SMALL: Room = Room { long: 20, signed_in: 5, open: 40 };

    fn empty() -> Connection {
        let c = Connection::open_in_memory().expect("memory");
        for sql in super::super::MIGRATIONS {
            c.execute_batch(sql).expect("tables");
        }
        c
    }

    fn name(site: i64, n: i64) -> [u8; 16] {
        let mut name = [0; 16];
        name[..8].copy_from_slice(&site.to_be_bytes());
        name[8..].copy_from_slice(&n.to_be_bytes());
        name
    }

    /// Somebody without a sign-in opens one.
    fn open_short(c: &Connection, site: i64, n: i64, now_ms: i64) -> Result<(), Refusal> {
        let opening = Opening::Short { site, signed_in: false };
        put_within(c, &SMALL, name(site, n), Slot::Offer, b"offer", now_ms, Some(opening))
            .expect("memory holds it")
    }

    fn is_there(c: &Connection, site: i64, n: i64, now_ms: i64) -> bool {
        get(c, name(site, n), Slot::Offer, now_ms).expect("memory reads").is_some()
    }

    #[test]
    fn fewer_networks_than_there_are_places_push_nobody_else_out() {
        let c = empty();
        assert_eq!(open_short(&c, 1, 0, 0), Ok(()), "somebody's own");
        let networks = SMALL.open - 2;
        for n in 0..20 * SMALL.open {
            assert_eq!(open_short(&c, 2 + n % networks, n, 1), Ok(()), "a flood finds room in its own");
        }
        assert!(is_there(&c, 1, 0, 2), "the oldest of all, but its site has one alone");
        let count = |sql: &str| c.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("a number");
        assert_eq!(count("SELECT count(*) FROM mailbox"), SMALL.open, "and no more than there is room for");
        // One who comes now is let in as well.
        assert_eq!(open_short(&c, 9_999_999, 0, 2), Ok(()), "another one");
        assert!(is_there(&c, 1, 0, 2) && is_there(&c, 9_999_999, 0, 2), "both stay");
    }

    #[test]
    fn a_site_gives_up_its_oldest_that_nobody_has_answered() {
        let c = empty();
        for n in 0..SMALL.open {
            assert_eq!(open_short(&c, 7, n, n), Ok(()), "room");
        }
        put_within(&c, &SMALL, name(7, 0), Slot::Join, b"join", SMALL.open, None)
            .expect("memory")
            .expect("it is there");
        assert_eq!(open_short(&c, 8, 0, SMALL.open), Ok(()), "another site");
        assert!(is_there(&c, 7, 0, SMALL.open), "what is answered is in use");
        assert!(!is_there(&c, 7, 1, SMALL.open), "the oldest that is not goes");
        assert!(is_there(&c, 7, 2, SMALL.open), "and no other");
    }

    #[test]
    fn strangers_take_no_place_of_signed_in_devices_nor_these_of_what_waits_for_days() {
        let c = empty();
        for n in 0..SMALL.open + 10 {
            open_short(&c, 100 + n, n, 0).expect("room is made");
        }
        let short = Opening::Short { site: 5, signed_in: true };
        for n in 0..SMALL.signed_in + 2 {
            put_within(&c, &SMALL, name(0, n), Slot::Offer, b"offer", 1, Some(short))
                .expect("memory")
                .expect("always room");
        }
        let of = |site: i64| {
            let sql = "SELECT count(*) FROM mailbox WHERE site = ?1";
            c.query_row(sql, [site], |row| row.get::<_, i64>(0)).expect("a number")
        };
        assert_eq!((of(0), of(5)), (SMALL.signed_in, 1), "their own places, and then as everybody, by site");
        let long = Opening::Long { life_ms: 2 * MAILBOX_LIFE_MS };
        let open_long = |n: i64| {
            put_within(&c, &SMALL, name(-1, n), Slot::Offer, b"offer", 1, Some(long)).expect("memory")
        };
        for n in 0..SMALL.long {
            assert_eq!(open_long(n), Ok(()), "for days");
        }
        assert_eq!(
            open_long(SMALL.long),
            Err(RefusalCode::Unavailable.into()),
            "these do not push each other out"
        );
        open_short(&c, 6, 0, 1).expect("and take no place of a pairing");
    }
}
