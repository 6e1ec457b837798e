//! Rows `one` and `hundred`: what an edit, and a flush of a hundred, says to the server: sealed, signed and padded.

use std::path::Path;

use mecum_client::remote::{Remote, Session as SignedIn};
use mecum_client::testing::{first_device, surroundings};
use mecum_client::{ItemKey, Session};
use mecum_domain::{ChartId, Edit, EntryId, Field, Kind, Relation};
use mecum_sync::{FORMS, encode};

use crate::Failed;
use crate::chart::{Built, SEED, location, unlock};
use crate::line::{Server, exchange, sign_in};
use crate::report::{Numbers, Row};

const TIMES: u32 = 20;

const MOST_ONE_BYTES: f64 = 700.0;
const MOST_OVER_RAW: f64 = 1.3;

const MANY: u32 = 100;

pub(crate) async fn one(built: &Built, work: &Path) -> Result<Row, Failed> {
    let server = Server::start(&built.relay("one-relay")?).await?;
    let mut session = unlock(&built.device("one")?)?;
    let remote = server.remote()?;
    let signed_in = sign_in(&session, &remote).await?;
    exchange(&mut session, &remote, &signed_in).await?;
    let (shared, envelope) = edits(&mut session, (built.chart, built.entry), &remote, &signed_in).await?;
    server.stop().await;

    let server = Server::start(&work.join("alone-relay")).await?;
    let mut session = first_device(&location(&work.join("alone")), surroundings(SEED));
    session.pin_for_tests(server.relay.key());
    let chart = session.create_chart("Laras", Some("1988-02-11"), Relation::Own, None)?;
    let fields = vec![(Field::Code, "29463-7".to_owned()), (Field::Value, "60".to_owned())];
    let entry = session.add(chart, Kind::VitalSign, fields)?;
    let remote = server.remote()?;
    remote.enrol(&server.relay.make_enrolment_code()?, session.genesis_for_tests()?).await?;
    let signed_in = sign_in(&session, &remote).await?;
    exchange(&mut session, &remote, &signed_in).await?;
    let (alone, _) = edits(&mut session, (chart, entry), &remote, &signed_in).await?;
    server.stop().await;

    let part = |what: String, ours: &Numbers| {
        Row::of("one", what, "≤ 700 B", "B", ours, |bytes| bytes <= MOST_ONE_BYTES)
    };
    let parts = vec![
        part("where this device alone has written in the section".to_owned(), &alone),
        part(
            format!(
                "where three devices have: the statement says of each of the other two how far it is held here; {}",
                built.said
            ),
            &shared,
        ),
    ];
    let what = format!(
        "one field of an entry changed: the whole body of the exchange that brings it to the server, its envelope ({envelope} B) and the signed statement with it; without HTTP headers"
    );
    Ok(Row::joined("one", what, "≤ 700 B", parts))
}

/// What each of some edits says to the server, and the size of the last one's envelope.
async fn edits(
    session: &mut Session,
    (chart, entry): (ChartId, ItemKey),
    remote: &Remote,
    signed_in: &SignedIn,
) -> Result<(Numbers, usize), Failed> {
    let (mut ours, mut envelope) = (Numbers::default(), 0);
    for value in 0..TIMES {
        session.set(chart, entry, vec![(Field::Value, Some((3_000 + value).to_string()))])?;
        envelope = session.last_envelope_for_tests(chart, entry)?;
        ours.0.push(said_of(session)?);
        exchange(session, remote, signed_in).await?;
    }
    Ok((ours, envelope))
}

pub(crate) async fn hundred(built: &Built) -> Result<Row, Failed> {
    let server = Server::start(&built.relay("hundred-relay")?).await?;
    let mut session = unlock(&built.device("hundred")?)?;
    let remote = server.remote()?;
    let signed_in = sign_in(&session, &remote).await?;
    exchange(&mut session, &remote, &signed_in).await?;
    let (mut ours, mut raw) = (Numbers::default(), Numbers::default());
    for time in 0..TIMES {
        let edits: Vec<Edit> = (0..MANY).map(|number| reading(time, number)).collect();
        session.flush_for_tests(built.chart, built.entry, edits)?;
        raw.0.push(f64::from(u32::try_from(session.last_body_for_tests(built.chart, built.entry)?)?));
        ours.0.push(said_of(&mut session)?);
        exchange(&mut session, &remote, &signed_in).await?;
    }
    server.stop().await;
    let what = format!(
        "{MANY} new readings in one flush (as an import or a command that writes several makes it: one change, one envelope): the whole body of the exchange, without HTTP headers, against the raw change with its typed edits, neither deflated nor sealed. Edits that are commands of their own are envelopes of their own also when they are committed together (row burst); {}",
        built.said
    );
    let row = Row::of("hundred", what, "≤ 1.3× the raw changes and edits", "B", &ours, |_| false);
    Ok(row.against(&raw, &ours, |ours, raw| ours <= MOST_OVER_RAW * raw))
}

/// The n-th blood pressure of a batch: all different, as readings are.
fn reading(time: u32, number: u32) -> Edit {
    let mut id = [0x68; 16];
    // Ids are random: made by a multiplier, so that they do not deflate.
    let spread = u128::from(time * MANY + number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    id.copy_from_slice(&spread.to_be_bytes());
    let fields = vec![
        (Field::Code, "85354-9".to_owned()),
        (Field::Effective, format!("2026-08-{:02}T{:02}:{:02}", 1 + number % 28, number % 24, number % 60)),
        (Field::Unit, "mm[Hg]".to_owned()),
        (Field::Value, (100 + (number * 7 + time) % 60).to_string()),
        (Field::Value2, (60 + (number * 5 + time) % 35).to_string()),
    ];
    Edit::Add { entry: EntryId::from_bytes(id), kind: Kind::VitalSign, fields }
}

/// Bytes of the request that a device makes now.
fn said_of(session: &mut Session) -> Result<f64, Failed> {
    let request = session.request()?;
    if request.pushes.len() != 1 || !request.snapshots.is_empty() {
        return Err("something else is said with it".into());
    }
    Ok(f64::from(u32::try_from(encode(&session.said(&request, FORMS)).len())?))
}
