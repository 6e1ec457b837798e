//! Steps that fail half-way, are begun twice, or are overtaken by another: each ends as one that the person can rely on.

use mecum_api::{Code, command};
use serde_json::{Value, json};

use super::world::{WORDS, call, create, device};
use super::{backed_up, note, passphrase, titles};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_after_a_restore_that_failed_half_way_outlives_the_next_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let phone = device(folder.path());
    let chart = create(&phone, "Laras", "phone").await;
    note(&phone, &chart, "in the backup").await;
    let list = backed_up(&phone).await;
    let backup = list["backups"][0]["backup"].clone();
    note(&phone, &chart, "after the backup").await;
    call::<command::VaultLock>(&phone, Value::Null).await;
    // What lies beside the vault cannot be removed for a while: the exchange stops in its middle.
    let in_the_way = folder.path().join("vault.sqlite-shm");
    let _ = std::fs::remove_file(&in_the_way);
    std::fs::create_dir(&in_the_way).expect("made");
    let args = json!({ "backup": backup, "passphrase": WORDS });
    let refused = phone.call("backup_restore", args).await.expect_err("it cannot be ended");
    assert_eq!(refused.code, Code::NotSaved, "and that is said: {refused:?}");
    let refused = phone.call("vault_unlock", passphrase()).await.expect_err("it still stands in the way");
    assert_eq!(refused.code, Code::NotSaved, "nothing is opened between two vaults: {refused:?}");
    std::fs::remove_dir(&in_the_way).expect("removed");
    call::<command::VaultUnlock>(&phone, passphrase()).await;
    note(&phone, &chart, "written since").await;
    let before = titles(&phone, &chart).await;
    call::<command::VaultLock>(&phone, Value::Null).await;
    drop(phone);
    let phone = device(folder.path());
    call::<command::VaultUnlock>(&phone, passphrase()).await;
    assert_eq!(titles(&phone, &chart).await, before, "nothing took its place behind the person's back");
    assert!(before.contains(&"written since".to_owned()), "{before:?}");
}
