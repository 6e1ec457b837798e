//! The tour through what is rarer: the kit, erasing, sharing, the check, and recovery helpers.

use serde_json::{Value, json};

use super::actor::Actor;
use super::canary::Planted;
use super::world::Server;

/// A kit is made and given up, another counts; it opens a vault whose passphrase is forgotten, and restores on an empty device. One
/// device gets another name, and one is removed.
pub(crate) async fn recover(
    phone: &Actor<'_>,
    laptop: &Actor<'_>,
    empty: &Actor<'_>,
    planted: &mut Planted,
    server: &Server,
) {
    let passphrase = planted.texts.get("passphrase").cloned().expect("planted");
    let mut kits = Vec::new();
    for which in ["first", "second"] {
        let kit = phone.call("kit_make", json!({ "passphrase": passphrase })).await;
        let words: Vec<&str> =
            kit["words"].as_array().expect("words").iter().filter_map(Value::as_str).collect();
        kits.push(planted.text(&format!("words of the {which} kit"), &words.join(" ")));
        if which == "first" {
            phone.call("kit_drop", Value::Null).await;
            continue;
        }
        let places = kit["asked"].as_array().expect("numbers").iter().filter_map(Value::as_u64);
        let asked: Vec<&str> = places.map(|at| words[usize::try_from(at).expect("small") - 1]).collect();
        phone.call("kit_confirm", json!({ "words": asked })).await;
    }
    phone.until("kit_status", Value::Null, |kit| kit["stored"] == true).await;
    phone.call("sync_now", Value::Null).await;
    let new = planted.text("passphrase after the kit", "mangga-93 kelereng sawah lentera pasir");
    phone.call("vault_lock", Value::Null).await;
    phone.call("vault_recover", json!({ "words": kits[1], "passphrase": new })).await;
    let args = json!({ "server": server.url, "words": kits[1], "passphrase": new, "device_name": planted.text("name of a restored device", "Tablet pinjaman Bu Sari"), "alone": false });
    empty.call("account_restore", args).await;
    empty.until("pair_status", Value::Null, |view| view["phase"] == "done").await;
    phone.call("sync_now", Value::Null).await;
    let devices = phone.call("device_list", Value::Null).await;
    let of = |name: &str| {
        let found = devices.as_array().into_iter().flatten().find(|device| device["name"] == name);
        found.map_or_else(|| panic!("no {name} in {devices}"), |device| device["device"].clone())
    };
    let name = planted.text("another name of a device", "Laptop hijau di dapur");
    let laptops = of("Laptop biru di kamar");
    phone.call("device_rename", json!({ "device": laptops, "name": name })).await;
    phone.call("device_remove", json!({ "device": of("Tablet pinjaman Bu Sari") })).await;
    phone.call("sync_now", Value::Null).await;
    laptop.call("sync_now", Value::Null).await;
    empty.call("vault_lock", Value::Null).await;
}

/// An entry moves to *sensitive*, and is erased from there; another erasure is stopped.
pub(crate) async fn erase(phone: &Actor<'_>, planted: &mut Planted, chart: &str) {
    let text = planted.text("note that is erased", "kata yang tidak boleh tinggal di sini");
    let note = phone.add(chart, "note", json!([["text", text]])).await;
    phone.call("erasure_look", json!({ "chart": chart, "entry": note })).await;
    let why = planted.text("why moved", "tidak untuk dibaca sepupu");
    phone
        .call("entry_move", json!({ "chart": chart, "entry": note, "sensitive": true, "reason": why }))
        .await;
    let why = planted.text("why erased", "catatan ini tentang orang lain");
    phone.call("entry_erase", json!({ "chart": chart, "entry": note, "reason": why })).await;
    let list = phone.call("erasure_list", json!({ "chart": chart })).await;
    let done = list[0]["erasure"].clone();
    let stopped = phone.try_call("erasure_stop", json!({ "erasure": done })).await;
    assert!(stopped.is_err(), "what is done cannot be stopped: {list}");
}

/// Somebody with an account of their own is let into a section, removed, let in again, and leaves.
pub(crate) async fn share(
    phone: &Actor<'_>,
    sister: &Actor<'_>,
    planted: &mut Planted,
    server: &Server,
    chart: &str,
) {
    let passphrase = planted.text("passphrase of the sister", "cemara-51 gerobak senja lumpia pagar");
    let name = planted.text("name of the sister", "Endang Wulandari Kusuma");
    let args = json!({ "passphrase": passphrase, "name": name, "born": "1990-01-01", "device_name": "Sabak Endang" });
    sister.call("vault_create", args).await;
    let code = server.relay.make_enrolment_code().expect("a code");
    sister.call("server_connect", json!({ "url": server.url, "code": code })).await;
    let reason = planted.text("reason of a share", "supaya dosis ibu selalu benar");
    let invite = json!({ "chart": chart, "sections": ["medications"], "role": "writer", "until": null, "reason": reason });
    phone.call("member_invite", invite.clone()).await;
    phone.call("member_stop", Value::Null).await;
    for last in [false, true] {
        let shown = phone.call("member_invite", invite.clone()).await;
        sister.call("invitation_open", json!({ "code": shown["qr"] })).await;
        sister.call("invitation_answer", json!({ "accept": true, "name": name })).await;
        phone.until("member_status", Value::Null, |view| view["phase"] == "asking").await;
        phone.call("member_approve", Value::Null).await;
        phone.until("member_status", Value::Null, |view| view["phase"] == "done").await;
        sister.until("invitation_status", Value::Null, |view| view["phase"] == "done").await;
        sister.call("sync_now", Value::Null).await;
        sister.call("timeline", json!({ "chart": chart, "limit": 9 })).await;
        if last {
            sister.call("chart_leave", json!({ "chart": chart })).await;
            continue;
        }
        let members = phone.call("member_list", json!({ "chart": chart })).await;
        let account = members["members"][1]["account"].clone();
        let why = planted.text("reason of a removal", "kunci pinjaman sudah kembali");
        phone.call("member_remove", json!({ "chart": chart, "account": account, "reason": why })).await;
        sister.call("sync_now", Value::Null).await;
    }
    converse(phone, sister, planted, chart).await;
    sister.call("vault_lock", Value::Null).await;
}

/// A question and an appointment are asked of a hospital, which answers and says what it has seen.
async fn converse(phone: &Actor<'_>, hospital: &Actor<'_>, planted: &mut Planted, chart: &str) {
    let of_chart = json!({ "chart": chart });
    let code = hospital.call("desk_code", json!({ "letter": false })).await;
    phone.call("hospital_open", json!({ "code": code["offer"]["qr"] })).await;
    phone.call("hospital_connect", of_chart.clone()).await;
    hospital.until("desk_list", Value::Null, |list| list[0]["phase"] == "asking").await;
    hospital.call("desk_answer", json!({ "code": code["code"], "yes": true })).await;
    phone.until("hospital_status", Value::Null, |view| view["phase"] == "done").await;
    let care = phone.call("care_list", of_chart.clone()).await;
    let space = care["spaces"][0]["space"].clone();
    let happened = planted.text("what happened", "perban diganti tanpa sepatah kata pun");
    let help = planted.text("what would help", "penjelasan dari kepala bangsal malam");
    let open = json!({ "case": { "open": { "kind": "complaint", "about": "", "happened": happened, "help": help, "ward_blind": false } } });
    let opened = phone.call("care_act", json!({ "chart": chart, "space": space, "what": open })).await;
    let reason = planted.text("reason of an appointment", "lutut kiri berbunyi saat menuruni tangga");
    let words = planted.text("what would suit", "sesudah pasar Kliwon selesai");
    let ask = json!({ "appointment": { "ask": { "service": "knee", "wish": { "slots": [], "words": words }, "reason": reason } } });
    phone.call("care_act", json!({ "chart": chart, "space": space, "what": ask })).await;
    let both = |list: &Value| list["threads"].as_array().is_some_and(|threads| threads.len() == 2);
    hospital.until("care_list", of_chart.clone(), both).await;
    let thread = json!({ "chart": chart, "space": space, "thread": opened["thread"] });
    let shown = hospital.call("care_get", thread.clone()).await["shown"].clone();
    let by = planted.text("who speaks for a hospital", "Ners Wulan Prabandari Ningsih");
    let text = planted.text("what a hospital says", "kami bicarakan dengan jaga malam besok");
    let said = json!({ "case": { "say": { "text": text } } });
    let mut args =
        json!({ "chart": chart, "space": space, "thread": opened["thread"], "shown": shown, "by": by });
    hospital.call("care_seen", args.clone()).await;
    args["what"] = said;
    hospital.call("care_act", args).await;
    let answered = |view: &Value| view["acts"].as_array().is_some_and(|acts| acts.len() == 2);
    phone.until("care_get", thread, answered).await;
    let name = planted.text("who sits at a desk", "Ners Ambarwati Kusumaningrum");
    hospital.call("desk_sign_in", json!({ "name": name })).await;
    assert!(
        hospital.call("desk_get", Value::Null).await["serves"].as_bool() == Some(true),
        "it answers for one"
    );
    let queue = hospital.call("desk_queue", json!({ "part": "waiting" })).await;
    assert!(queue["total"].as_u64() > Some(0), "something waits: {queue}");
    // It publishes nothing: there is no notice to be read, here or at its link.
    let hospital_id = care["spaces"][0]["hospital"].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        phone.call("hospital_list", Value::Null).await.as_array().map(Vec::len),
        Some(0),
        "none is kept"
    );
    let server =
        phone.call("sync_status", Value::Null).await["server"].as_str().unwrap_or_default().to_owned();
    let link = format!("mecum:hospital?s={server}&h={hospital_id}");
    for (name, args) in
        [("hospital_find", json!({ "link": link })), ("hospital_get", json!({ "hospital": hospital_id }))]
    {
        let refused = phone.try_call(name, args).await.expect_err("there is none");
        assert_eq!(refused.message_id, "error-no-notice", "{name}");
    }
    let why = planted.text("why a hospital was left", "pindah ke kota di seberang selat");
    phone.call("hospital_leave", json!({ "chart": chart, "space": space, "reason": why })).await;
}

/// Checks, backs up, mends what is sound, and puts a vault aside and back.
pub(crate) async fn integrity(phone: &Actor<'_>, planted: &Planted) {
    let passphrase = json!({ "passphrase": planted.texts.get("passphrase after the kit").expect("planted") });
    for name in ["check_begin", "check_status", "check_stop"] {
        phone.call(name, Value::Null).await;
    }
    phone.call("backup_make", passphrase.clone()).await;
    phone.until("backup_list", Value::Null, |view| view["phase"] != "running").await;
    phone.call("backup_stop", Value::Null).await;
    phone.call("vault_lock", Value::Null).await;
    phone.call("vault_examine", passphrase.clone()).await;
    phone.call("vault_mend", passphrase.clone()).await;
    phone.until("mend_status", Value::Null, |view| view["phase"] != "running").await;
    phone.call("vault_lock", Value::Null).await;
    phone.call("vault_set_aside", Value::Null).await;
    let list = phone.call("backup_list", Value::Null).await;
    let aside = list["backups"].as_array().expect("a list").iter().find(|one| one["aside"] == true);
    let backup = aside.expect("it is kept")["backup"].clone();
    phone.call("backup_restore", json!({ "backup": backup, "passphrase": passphrase["passphrase"] })).await;
}

/// Helpers are chosen, one takes a part and gives it to who asks, who is stopped; then the part is destroyed and the helpers end.
pub(crate) async fn help(
    phone: &Actor<'_>,
    sister: &Actor<'_>,
    borrowed: &Actor<'_>,
    planted: &mut Planted,
    server: &Server,
) {
    let of = |planted: &Planted, what: &str| planted.texts.get(what).cloned().expect("planted");
    sister.call("vault_unlock", json!({ "passphrase": of(planted, "passphrase of the sister") })).await;
    let mut helpers = Vec::new();
    for name in ["Endang adik bungsu", "Pak Wiryo tetangga depan", "Bu Lestari teman arisan"] {
        helpers.push(json!({ "name": planted.text(&format!("a helper, {name}"), name) }));
    }
    let passphrase = of(planted, "passphrase");
    let chosen = phone.call("helpers_set", json!({ "passphrase": passphrase, "helpers": helpers })).await;
    let account = chosen["account"].clone();
    let code = phone.call("helpers_code", json!({ "number": 1 })).await;
    sister.call("part_open", json!({ "code": code["qr"] })).await;
    sister.call("part_answer", json!({ "accept": true })).await;
    phone.call("sync_now", Value::Null).await;
    phone.call("helpers_answer", json!({ "number": 1, "yes": true })).await;
    sister.call("sync_now", Value::Null).await;
    let parts = sister.call("part_list", Value::Null).await;
    assert_eq!(parts[0]["state"], "kept", "the part is there: {parts}");
    phone.call("sync_now", Value::Null).await;
    phone.call("helpers_get", Value::Null).await;
    let new = planted.text("passphrase of a borrowed device", "rambutan-17 gapura kecapi lontar sumur");
    let name = planted.text("name of a borrowed device", "Gawai pinjaman dari Wiryo");
    let args = json!({ "server": server.url, "account": account, "passphrase": new, "device_name": name });
    borrowed.call("restore_ask", args).await;
    borrowed.call("restore_open", json!({ "passphrase": new })).await;
    let code = borrowed.call("restore_code", Value::Null).await;
    sister.call("part_asked", json!({ "account": account, "code": code["qr"] })).await;
    sister.call("part_give", json!({ "account": account })).await;
    let view = borrowed.call("restore_get", Value::Null).await;
    assert_eq!(view["parts"][0]["number"], 1, "the part has come: {view}");
    let finish = json!({ "passphrase": new, "alone": false });
    assert!(borrowed.try_call("restore_finish", finish).await.is_err(), "it is too early");
    phone.call("sync_now", Value::Null).await;
    let home = phone.call("home", Value::Null).await;
    assert_eq!(home["helpers_notice"]["words"], view["words"], "who is there is told");
    phone.call("helpers_stop", Value::Null).await;
    sister.call("part_withdraw", json!({ "account": account })).await;
    phone.call("helpers_end", json!({ "passphrase": passphrase })).await;
    sister.call("vault_lock", Value::Null).await;
}
