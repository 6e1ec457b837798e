//! Who is let in is introduced at once: nobody holds a page that names a member without their log, wherever it ends.

use mecum_sync::{Role, SyncRequest};

use crate::device::Device;
use crate::server::{Server, roomy};

#[tokio::test]
async fn a_grant_and_the_log_of_whom_it_lets_in_come_on_one_page_wherever_it_ends() {
    let server = Server::start(roomy()).await;
    let mut mother = Device::enrolled(&server, 1).await;
    let mut daughter = Device::enrolled(&server, 2).await;
    let mut son = Device::enrolled(&server, 3).await;
    son.pair(&server, 4).await;
    son.pair(&server, 5).await;
    let mut spaces = Vec::new();
    for _ in 0..3 {
        let space = mother.space(&server).await;
        mother.let_in(&server, &mut daughter, space, Role::Manager).await;
        spaces.push(space);
    }
    let mut request = mother.request();
    for space in &spaces {
        let log = mother.space_log(*space);
        request.space_entries.push(mother.actor.grant(&log, son.as_member(), Role::Writer));
    }
    let response = mother.sync(&server, &request).await.expect("it is answered");
    assert!(
        response.space_outcomes.iter().all(|outcome| outcome.refusal().is_none()),
        "all three are stored"
    );

    let before = daughter.follower.clone();
    let (mut pages, mut most) = (0, 0);
    for bytes in (1..3_000).step_by(97) {
        daughter.follower = before.clone();
        let mut here = 0;
        loop {
            let request = SyncRequest::pull(daughter.follower.cursor(), bytes);
            let response = daughter.sync(&server, &request).await.expect("a page");
            assert!(
                !response.items.is_empty(),
                "each page has something, also where {bytes} bytes are asked for"
            );
            for space in &spaces {
                for member in daughter.space_log(*space).members() {
                    let log = daughter.follower.log_of(member.account);
                    assert!(log.is_some(), "of whom she hears she knows the keys, at {bytes} bytes a page");
                }
            }
            here += 1;
            if !response.more {
                break;
            }
        }
        let known = daughter.follower.log_of(son.actor.account).expect("his log came");
        assert_eq!(known.devices().len(), 3, "and all of it");
        pages += here;
        most = most.max(here);
    }
    assert!(most >= 3, "several pages were needed where they are small: {most}, {pages} in all");
}
