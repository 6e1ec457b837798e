//! The part of the list that needs a scene: who is signed in rightly and does what is another's, or is what they are no
//! more. The typed refusals are those of `docs/protocol.md` sections 4, 5 and 7: inside a sync response a refusal has no
//! status of its own.

mod codes;
mod identities;
mod objects;
mod roles;

use std::fmt::Debug;

use mecum_sync::{Outcome, RefusalCode, Signed, SpaceEntry, SyncRequest, SyncResponse, encode};

use crate::device::Device;
use crate::server::Server;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// What was tried, and what went otherwise than it must.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) cases: u64,
    pub(super) failures: Vec<String>,
}

impl Tally {
    pub(super) fn expect<T: PartialEq + Debug>(&mut self, what: &str, got: &T, wanted: &T) {
        self.cases += 1;
        if got != wanted {
            self.failures.push(format!("{what}: {got:?} where {wanted:?} must be"));
        }
    }
}

/// All of them, in a server of their own.
pub(super) async fn run() -> Tally {
    let mut tally = Tally::default();
    objects::objects(&mut tally).await;
    roles::roles(&mut tally).await;
    identities::identities(&mut tally).await;
    identities::recoveries(&mut tally).await;
    super::helpers::act(&mut tally).await;
    codes::invitations_and_codes(&mut tally).await;
    tally
}

fn code(outcome: &Outcome) -> Option<RefusalCode> {
    outcome.refusal().map(|refusal| refusal.code)
}

/// The status and the refusal of a whole request.
async fn refused(server: &Server, device: &Device, request: &SyncRequest) -> (u16, Option<RefusalCode>) {
    let answer = server.ask("POST", "/v1/sync", Some(&device.token), &encode(request)).await;
    (answer.status, (answer.status != 200).then(|| answer.refusal().code))
}

/// What the relay says to this device about one request, without the device's follower taking anything in.
async fn said(server: &Server, device: &Device, request: &SyncRequest) -> SyncResponse {
    server.ask("POST", "/v1/sync", Some(&device.token), &encode(request)).await.frame()
}

async fn to_space(server: &Server, device: &Device, entry: Signed<SpaceEntry>) -> Option<RefusalCode> {
    let mut request = device.request();
    request.space_entries.push(entry);
    code(&said(server, device, &request).await.space_outcomes[0])
}

async fn to_account(
    server: &Server,
    device: &Device,
    entry: Signed<mecum_sync::AccountEntry>,
) -> Option<RefusalCode> {
    let mut request = device.request();
    request.account_entries.push(entry);
    code(&said(server, device, &request).await.account_outcomes[0])
}

async fn to_pushes(server: &Server, device: &Device, push: &mecum_sync::Push) -> Option<RefusalCode> {
    let mut request = device.request();
    request.pushes.push(push.clone());
    code(&said(server, device, &request).await.push_outcomes[0])
}
