//! Pages: who may publish one, what replaces it, and that whoever reads it says nothing about themselves.

use mecum_relay::{Limits, Rate};
use mecum_sync::limits::{MAX_PUBLISHED_BYTES, MAX_PUBLISHED_PAGES};
use mecum_sync::{RefusalCode, notice_name};

use crate::device::Device;
use crate::server::{Answer, Server, roomy};

fn at(n: u8, number: u64) -> String {
    format!("/v1/page/{}/{number}", format!("{n:02x}").repeat(16))
}

async fn put(server: &Server, device: &Device, n: u8, number: u64, body: &[u8]) -> Answer {
    server.ask("PUT", &at(n, number), Some(&device.token), body).await
}

async fn get(server: &Server, n: u8, number: u64) -> (u16, Vec<u8>) {
    let answer = server.ask("GET", &at(n, number), None, &[]).await;
    (answer.status, answer.body)
}

#[tokio::test]
async fn a_page_is_published_by_a_host_and_read_by_anybody_who_knows_its_name() {
    let server = Server::start(roomy()).await;
    let (hospital, patient) = (Device::host(&server, 1).await, Device::enrolled(&server, 2).await);
    assert_eq!(get(&server, 1, 0).await.0, 404, "nothing is there yet");
    let refused = put(&server, &patient, 1, 1, b"a page").await;
    assert_eq!(refused.refusal().code, RefusalCode::NotYours, "an account of no hospital publishes nothing");
    assert_eq!(server.ask("PUT", &at(1, 1), None, b"a page").await.status, 401, "nor does nobody");
    assert_eq!(get(&server, 1, 0).await.0, 404, "and nothing of it stayed");
    assert_eq!(put(&server, &hospital, 1, 5, b"a page").await.status, 204, "a hospital's does");
    assert_eq!(get(&server, 1, 0).await, (200, b"a page".to_vec()), "without an account");
    assert_eq!(get(&server, 1, 4).await, (200, b"a page".to_vec()), "whoever has an older one");
    assert_eq!(get(&server, 1, 5).await, (204, Vec::new()), "whoever has it is sent nothing");
    assert_eq!(get(&server, 1, 6).await, (204, Vec::new()), "nor is who has a newer one");
    for wrong in ["/v1/page/0011/0", "/v1/page/00112233445566778899aabbccddeeff/x"] {
        assert!(matches!(server.ask("GET", wrong, None, &[]).await.status, 400 | 404), "{wrong}");
    }
}

#[tokio::test]
async fn only_a_higher_number_of_the_same_account_takes_the_place_of_a_page() {
    let mut server = Server::start(roomy()).await;
    let (hospital, other) = (Device::host(&server, 1).await, Device::host(&server, 2).await);
    assert_eq!(put(&server, &hospital, 1, 5, b"five").await.status, 204);
    assert_eq!(put(&server, &hospital, 1, 5, b"five").await.status, 204, "again the same: a retry");
    for (number, body) in [(5, &b"another"[..]), (4, b"four"), (1, b"one")] {
        let answer = put(&server, &hospital, 1, number, body).await;
        assert_eq!(answer.refusal().code, RefusalCode::AlreadyExists, "{number} is not higher");
    }
    let answer = put(&server, &other, 1, 9, b"nine").await;
    assert_eq!(answer.refusal().code, RefusalCode::NotYours, "another hospital's name is not to be had");
    assert_eq!(get(&server, 1, 0).await.1, b"five", "it stands");
    assert_eq!(put(&server, &hospital, 1, 6, b"six").await.status, 204);
    for number in [0, u64::MAX] {
        let answer = put(&server, &hospital, 2, number, b"no number").await;
        assert_eq!(answer.refusal().code, RefusalCode::Malformed, "{number}");
    }
    server.restart_after(|_| {}).await;
    assert_eq!(get(&server, 1, 5).await, (200, b"six".to_vec()), "after a restart too");
}

#[tokio::test]
async fn a_host_has_so_many_pages_of_a_size_and_not_all_at_once() {
    let few = Rate { burst: 40.0, per_second: 0.0 };
    let server = Server::start(Limits { pages_per_account: few, ..roomy() }).await;
    let (hospital, other) = (Device::host(&server, 1).await, Device::host(&server, 2).await);
    let large = vec![7; MAX_PUBLISHED_BYTES + 1];
    assert_eq!(put(&server, &hospital, 1, 1, &large).await.status, 413, "too large");
    assert_eq!(put(&server, &hospital, 1, 1, &large[1..]).await.status, 204, "as large as it may be");
    let most = u8::try_from(MAX_PUBLISHED_PAGES).expect("a few");
    for n in 2..=most {
        assert_eq!(put(&server, &hospital, n, 1, b"a page").await.status, 204, "page {n}");
    }
    let answer = put(&server, &hospital, most + 1, 1, b"one more").await;
    assert_eq!(answer.refusal().code, RefusalCode::Quota, "and no more");
    assert_eq!(put(&server, &hospital, 1, 2, b"anew").await.status, 204, "those there are go on");
    assert_eq!(put(&server, &other, most + 1, 1, b"a page").await.status, 204, "another has its own");
    let mut refused = 0;
    for number in 3..60 {
        refused += u32::from(put(&server, &hospital, 1, number, b"again").await.status == 429);
    }
    assert!(refused > 10, "who publishes without an end waits: {refused}");
}

#[tokio::test]
async fn no_name_tells_whose_page_it_is() {
    let server = Server::start(roomy()).await;
    let hospital = Device::host(&server, 1).await;
    let account = hospital.actor.account;
    let name = notice_name(account);
    assert_ne!(&name, account.as_bytes(), "it is not the account's id");
    let shared = |at: usize| name.windows(4).any(|four| account.as_bytes().get(at..at + 4) == Some(four));
    assert!(!(0..12).any(shared), "nor any part of it");
    assert_ne!(name, notice_name(Device::host(&server, 2).await.actor.account), "each has its own");
}
