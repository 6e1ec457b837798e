//! The tour through a record: first run, writing, files, a second device, and a clash.

use serde_json::{Value, json};

use super::actor::Actor;
use super::canary::Planted;
use super::people::erase;
use super::world::{base64, send};

/// First run, and what a person writes.
pub(crate) async fn write(phone: &Actor<'_>, planted: &mut Planted) -> (String, String) {
    assert_eq!(phone.call("vault_status", Value::Null).await["phase"], "missing", "first run");
    let six = phone.call("passphrase_suggest", Value::Null).await;
    let six: Vec<&str> = six["words"].as_array().expect("words").iter().filter_map(Value::as_str).collect();
    planted.text("suggested passphrase", &six.join(" "));
    let passphrase = planted.text("passphrase", "kenanga-41 dermaga lampion rotan kelapa");
    phone.call("passphrase_check", json!({ "passphrase": passphrase })).await;
    let weak = planted.text("weak passphrase", "rahasia123");
    phone.call("passphrase_check", json!({ "passphrase": weak })).await;
    let (name, device) =
        (planted.text("own name", "Laras Kirana Dewi"), planted.text("device name", "Ponsel merah Laras"));
    phone
        .call(
            "vault_create",
            json!({ "passphrase": passphrase, "name": name, "born": "1988-02-11", "device_name": device }),
        )
        .await;
    let mut settings = phone.call("settings_get", Value::Null).await;
    settings["display"]["language"] = "id".into();
    settings["auto_lock_min"] = 0.into();
    phone.call("settings_set", settings).await;
    phone.call("vault_touch", Value::Null).await;
    for (what, name) in [("mother", "Ratna Wulandari Suharto"), ("son", "Bima Pratama Yudha")] {
        let name = planted.text(what, name);
        phone
            .call(
                "chart_create",
                json!({ "name": name, "born": "1958-03-04", "relation": "mother", "colour": null }),
            )
            .await;
    }
    let charts = phone.call("chart_list", Value::Null).await;
    let chart = charts[0]["chart"].as_str().expect("the own chart").to_owned();
    let renamed = planted.text("a name that was changed", "Kirana Pertiwi Suharto");
    let colour = &charts[1]["colour"];
    phone
        .call(
            "chart_edit",
            json!({ "chart": charts[1]["chart"], "name": renamed, "born": null, "relation": "mother", "colour": colour }),
        )
        .await;
    let medicine = planted.text("medicine", "Amlodipina besilat cap Merpati");
    let frequency = planted.text("frequency", "pukul delapan sesudah mandi");
    let reason = planted.text("why taken", "tekanan darah sesudah gempa");
    let fields = json!([
        ["name", medicine],
        ["dose", "5"],
        ["dose-unit", "mg"],
        ["frequency", frequency],
        ["reason", reason]
    ]);
    let medicine = phone.add(&chart, "medication-statement", fields).await;
    let note = planted.text("note", "Tidak bisa tidur sejak Selasa, jantung berdebar");
    let title = planted.text("title of a note", "Catatan rahasia nomor tujuh");
    let note = phone.add(&chart, "note", json!([["name", title], ["text", note]])).await;
    let substance = planted.text("substance", "Penisilin V kalium sirup");
    let reaction = planted.text("reaction", "bengkak di bibir dan kelopak mata");
    phone
        .add(
            &chart,
            "allergy-intolerance",
            json!([["substance", substance], ["reaction", reaction], ["severity", "severe"]]),
        )
        .await;
    let remark = planted.text("remark on a measurement", "diukur di teras rumah Bu Sari");
    let vital = json!([
        ["code", "85354-9"],
        ["value", "138"],
        ["value2", "82"],
        ["unit", "mm[Hg]"],
        ["effective", "2026-03-04"],
        ["text", remark]
    ]);
    phone.add(&chart, "vital-sign", vital).await;
    let changed = planted.text("note as changed", "Sudah bisa tidur berkat teh serai");
    phone.call("entry_edit", json!({ "chart": chart, "entry": note, "set": [["text", changed]] })).await;
    let gone = planted.text("why deleted", "salah ketik waktu mengantuk");
    phone.call("entry_delete", json!({ "chart": chart, "entry": note, "reason": gone })).await;
    phone.call("entry_restore", json!({ "chart": chart, "entry": note })).await;
    erase(phone, planted, &chart).await;
    let typed = planted.text("typed where it does not belong", "Jalan Cendrawasih 14 Semarang");
    let refused = phone.try_call("entry_get", json!({ "chart": chart, "entry": typed })).await;
    assert!(refused.is_err(), "no such entry");
    (chart, medicine)
}

/// A bundle whose every text is planted.
pub(crate) fn bundle(planted: &mut Planted, number: &str) -> Vec<u8> {
    let mut plant =
        |what: &str, text: &str| planted.text(&format!("{what} {number}"), &format!("{text} {number}"));
    let attached = plant("attached", "Surat rujukan kepada dokter Hartono");
    json!({
        "resourceType": "Bundle", "type": "collection", "identifier": { "system": "urn:test", "value": plant("source", "rumah-sakit-merapi") },
        "entry": [
            { "resource": { "resourceType": "Patient", "id": "p", "name": [{ "text": plant("patient", "Nyonya Kartika Anggraini") }], "birthDate": "1971-05-06",
                "address": [{ "text": plant("address", "Gang Kamboja Lima belas") }], "telecom": [{ "system": "phone", "value": plant("telephone", "+62 812 5550 123") }],
                "identifier": [{ "system": "urn:nik", "value": plant("identity number", "3374-0502-7788") }] } },
            { "resource": { "resourceType": "Condition", "id": "c", "subject": { "reference": "Patient/p" }, "clinicalStatus": { "coding": [{ "code": "active" }] },
                "code": { "text": plant("diagnosis", "Diabetes melitus tipe dua") }, "onsetDateTime": "2011-03-04", "note": [{ "text": plant("note of a diagnosis", "keluarga belum diberi tahu") }] } },
            { "resource": { "resourceType": "Observation", "id": "o", "status": "final", "subject": { "reference": "Patient/p" }, "category": [{ "coding": [{ "code": "laboratory" }] }],
                "code": { "coding": [{ "system": "http://loinc.org", "code": "4548-4" }], "text": plant("result", "Hemoglobin terglikasi puasa") },
                "effectiveDateTime": "2025-01-02", "valueQuantity": { "value": 7.8, "unit": "%" }, "performer": [{ "display": plant("laboratory", "Laboratorium Sumber Sehat") }] } },
            { "resource": { "resourceType": "DocumentReference", "id": "d", "status": "current", "subject": { "reference": "Patient/p" }, "date": "2025-02-03T04:05:06Z",
                "description": plant("description", "Hasil biopsi payudara kiri"), "content": [{ "attachment": { "contentType": "text/plain", "data": base64(attached.as_bytes()) } }] } },
            { "resource": { "resourceType": "Practitioner", "id": "dr", "name": [{ "text": plant("practitioner", "dr. Hartono Wibisono Sp.PD") }] } },
            { "resource": { "resourceType": "Basic", "id": "b", "code": { "text": plant("something else", "Perihal yang tidak dikenal") } } }
        ]
    })
    .to_string()
    .into_bytes()
}

/// Files: one kept, one stopped, one broken. And every screen that reads.
pub(crate) async fn bring_in_and_read(phone: &Actor<'_>, planted: &mut Planted, chart: &str) {
    phone
        .call(
            "import_begin",
            json!({ "name": planted.text("name of a file", "biopsi-kartika-2025.json"), "bytes": 10 }),
        )
        .await;
    let stopped = send(&phone.app, &bundle(planted, "alpha")).await.expect("taken");
    phone.call("import_look", json!({ "import": stopped })).await;
    phone.call("import_stop", json!({ "import": stopped })).await;
    let mut broken = bundle(planted, "bravo");
    broken.truncate(broken.len() - 9);
    let broken = send(&phone.app, &broken).await.expect("taken");
    assert!(phone.try_call("import_look", json!({ "import": broken })).await.is_err(), "refused");
    let bytes = bundle(planted, "charlie");
    let begun = phone.call("import_begin", json!({ "name": "f", "bytes": bytes.len() })).await;
    let import = begun["import"].clone();
    phone.call("import_chunk", json!({ "import": import, "offset": 0, "base64": base64(&bytes) })).await;
    phone.call("import_look", json!({ "import": import })).await;
    phone.call("import_run", json!({ "import": import, "into": "chart", "chart": chart })).await;
    phone.until("import_status", json!({ "import": import }), |view| view["phase"] == "done").await;
    phone.call("home", Value::Null).await;
    let timeline = phone.call("timeline", json!({ "chart": chart, "limit": 200 })).await;
    let rows = timeline["rows"].as_array().expect("rows").clone();
    assert!(rows.len() >= 10, "there is something to read: {}", rows.len());
    for row in &rows {
        phone.call("entry_get", json!({ "chart": chart, "entry": row["entry"] })).await;
        if row["source"]["origin"] == "import" {
            phone.call("entry_original", json!({ "chart": chart, "entry": row["entry"] })).await;
        }
        if row["trend"].is_string() {
            phone.call("trend", json!({ "chart": chart, "trend": row["trend"] })).await;
        }
    }
    for name in ["results", "medicines", "changes", "changes_seen"] {
        phone.call(name, json!({ "chart": chart })).await;
    }
}

pub(crate) async fn pair(phone: &Actor<'_>, laptop: &Actor<'_>, planted: &mut Planted) {
    phone.call("pair_offer", Value::Null).await;
    phone.call("pair_stop", Value::Null).await;
    let offer = phone.call("pair_offer", Value::Null).await;
    let words: Vec<&str> =
        offer["words"].as_array().expect("words").iter().filter_map(Value::as_str).collect();
    let code = planted.text("pairing words", &words.join(" "));
    let passphrase = planted.text("passphrase of the other", "jambu-77 selokan wayang kompor terasi");
    let name = planted.text("name of the other device", "Laptop biru di kamar");
    let args =
        json!({ "code": code, "server": offer["server"], "passphrase": passphrase, "device_name": name });
    laptop.call("pair_join", args).await;
    phone.until("pair_status", Value::Null, |view| view["phase"] == "asking").await;
    phone.call("pair_approve", Value::Null).await;
    laptop.until("pair_status", Value::Null, |view| view["phase"] == "done").await;
    phone.call("device_list", Value::Null).await;
}

/// Both change the dose and the reason while the server is away.
pub(crate) async fn clash(
    phone: &Actor<'_>,
    laptop: &Actor<'_>,
    planted: &mut Planted,
    chart: &str,
    medicine: &str,
) {
    let both = [(phone, "2.5", "kata tetangga sebelah"), (laptop, "10", "kata dokter jaga malam")];
    for (n, (actor, dose, reason)) in both.into_iter().enumerate() {
        let reason = planted.text(&format!("reason in a clash {n}"), reason);
        let frequency = planted.text(
            &format!("frequency in a clash {n}"),
            ["tiga kali sehari sebelum makan", "sekali saja waktu subuh"][n],
        );
        let set = json!([["dose", dose], ["reason", reason], ["frequency", frequency]]);
        actor.call("entry_edit", json!({ "chart": chart, "entry": medicine, "set": set })).await;
    }
}
