//! What happened before any attack: something was erased, words were sealed again, helpers were chosen.

use std::path::Path;

use mecum_api::EntryEraseArgs;
use mecum_client::{ItemKey, Session};
use mecum_domain::{ChartId, Field, Kind};
use mecum_seal::testing::SeededEntropy;
use mecum_seal::{Envelope, Hash32, Place, SpaceId, seal_envelope};
use mecum_sync::testing::Actor;
use mecum_sync::{Push, Signed, Statement, SyncRequest};

use crate::world::{Device, HELPED, Server};

pub(crate) fn copy_files(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for file in std::fs::read_dir(from).expect("a folder").flatten() {
        if file.path().is_file() {
            std::fs::copy(file.path(), to.join(file.file_name())).expect("copied");
        }
    }
}

/// The phone names helpers, at a server of its own, and the tablet hears of it.
pub(crate) async fn choose_helpers(folder: &Path, mut phone: Device, mut tablet: Device) {
    let at = folder.join(HELPED);
    copy_files(&folder.join("server"), &at);
    let server = Server::start(&at).await;
    phone.session.choose_helpers_for_tests(Actor::new(7).helpers(7).1);
    for device in [&mut phone, &mut tablet] {
        device.move_to(&server);
        device.settle().await;
    }
    tablet.session.copy_for_tests(&folder.join("helped"));
    server.stop().await;
}

/// A section of two years, from one of which something was erased: what stays there, in a document in which nobody wrote since.
pub(crate) async fn erased(phone: &mut Device, tablet: &mut Device, chart: ChartId) -> ItemKey {
    let mut add = |value: &str, day: Option<&str>| {
        let mut fields = vec![(Field::Value, value.to_owned())];
        fields.extend(day.map(|day| (Field::Effective, day.to_owned())));
        phone.session.add(chart, Kind::VitalSign, fields).expect("a measurement is written")
    };
    add("61", Some("2016-05-04"));
    let (stays, goes) = (add("62", None), add("63", None));
    phone.settle().await;
    let args = EntryEraseArgs { chart, entry: goes.name(), reason: String::new() };
    phone.session.entry_erase(&args).expect("it is decided");
    for _ in 0..3 {
        phone.settle().await;
        tablet.settle().await;
    }
    stays
}

pub(crate) fn push_in(request: &SyncRequest, space: SpaceId) -> Push {
    let there = |push: &&Push| push.space() == space && !push.envelopes.is_empty();
    request.pushes.iter().find(there).expect("something was written there").clone()
}

/// The same words, sealed again by their writer under another head of the membership log, with the keys that he has.
pub(crate) fn sealed_again(writer: &Session, push: &Push, head: Hash32) -> Push {
    let [bytes] = push.envelopes.as_slice() else { panic!("one envelope") };
    let envelope = Envelope::parse(bytes).expect("his own envelope");
    let keys = writer.document_keys_for_tests();
    let (key, plain) =
        keys.iter().find_map(|key| Some((key, envelope.open(key).ok()?))).expect("his own key");
    let place = Place { membership_head: head, ..envelope.place().clone() };
    let sealed = seal_envelope(key, &place, &plain, &SeededEntropy::new(5)).expect("short");
    let statement = Statement { last: sealed.content_id, ..push.statement.unverified().clone() };
    let (signing, ..) = writer.sign_in_for_tests();
    Push { envelopes: vec![sealed.bytes], statement: Signed::sign(statement, &signing) }
}
