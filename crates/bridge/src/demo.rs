//! The demo vault: an invented family's ten years, brought in by the commands that a screen uses, so that nothing about it
//! is special.
//!
//! The last weeks come after the person "looked", so that home has news to show.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::ToSpan as _;
use jiff::civil::Date;
use mecum_api::command::{ChangesSeen, ChartCreate, ChartList, EntryAdd, PassphraseSuggest, VaultCreate};
use mecum_api::domain::{ChartId, Field, Relation};
use mecum_api::{ChartCreateArgs, EntryAddArgs, SeenArgs, VaultCreateArgs};
use mecum_client::{App, AppOptions};
use mecum_testkit::{GeneratedPerson, OwnEntry, generate_family};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::{BridgeError, call, import};

/// What came in this many days before today has not been looked at.
const NEWS_DAYS: i64 = 21;

/// Makes the vault; with a server, gives it the account too.
pub(crate) async fn make(
    app: &App,
    options: &AppOptions,
    seed: u64,
    server: Option<(String, String)>,
) -> Result<(), BridgeError> {
    let today = options.clock.today();
    let family = generate_family(seed, today);
    let passphrase = call::<PassphraseSuggest>(app, ()).await?.words.join(" ");
    for person in &family {
        let chart = chart_of(app, person, &passphrase).await?;
        fill(app, person, chart, today.saturating_sub(NEWS_DAYS.days())).await?;
    }
    if let Some((url, code)) = server {
        import::connect(app, url, code).await?;
    }
    app.vault_lock(()).await.map_err(|error| BridgeError::Refused("vault_lock", error))?;
    println!("{}", serde_json::json!({ "passphrase": passphrase }));
    Ok(())
}

async fn chart_of(app: &App, person: &GeneratedPerson, passphrase: &str) -> Result<ChartId, BridgeError> {
    if person.relation != Relation::Own {
        let args = ChartCreateArgs {
            name: person.name.clone(),
            born: Some(person.born.clone()),
            relation: person.relation,
            colour: Some(person.colour),
        };
        return Ok(call::<ChartCreate>(app, args).await?.chart);
    }
    let args = VaultCreateArgs {
        passphrase: passphrase.to_owned(),
        name: person.name.clone(),
        born: Some(person.born.clone()),
        device_name: import::DEVICE.into(),
    };
    call::<VaultCreate>(app, args).await?;
    Ok(call::<ChartList>(app, ()).await?.into_iter().next().map(|chart| chart.chart).unwrap_or_default())
}

async fn fill(
    app: &App,
    person: &GeneratedPerson,
    chart: ChartId,
    news_from: Date,
) -> Result<(), BridgeError> {
    let news_from = news_from.to_string();
    let is_news = |own: &&OwnEntry| {
        own.fields.iter().any(|(field, date)| *field == Field::Effective && *date >= news_from)
    };
    if let Some(older) = before(&person.bundle, &news_from) {
        import::keep(app, older.as_bytes(), chart).await?;
    }
    for own in person.own.iter().filter(|own| !is_news(own)) {
        write(app, chart, own).await?;
    }
    call::<ChangesSeen>(app, SeenArgs { chart }).await?;
    // What is new must arrive after the look, and the clock counts in milliseconds.
    tokio::time::sleep(Duration::from_millis(2)).await;
    import::keep(app, person.bundle.as_bytes(), chart).await?;
    for own in person.own.iter().filter(is_news) {
        write(app, chart, own).await?;
    }
    Ok(())
}

async fn write(app: &App, chart: ChartId, own: &OwnEntry) -> Result<(), BridgeError> {
    call::<EntryAdd>(app, EntryAddArgs { chart, kind: own.kind, fields: own.fields.clone() })
        .await
        .map(|_| ())
}

/// The bundle without what happened from a day on; every entry stays byte for byte, so that the whole bundle brings in only
/// the rest. `None` if nothing is older.
fn before(bundle: &str, day: &str) -> Option<String> {
    let mut members: BTreeMap<&str, &RawValue> = serde_json::from_str(bundle).ok()?;
    let entries: Vec<&RawValue> = serde_json::from_str(members.remove("entry")?.get()).ok()?;
    let older: Vec<&RawValue> = entries.into_iter().filter(|entry| !is_since(entry, day)).collect();
    let mut parts: Vec<String> =
        members.iter().map(|(name, value)| format!("\"{name}\":{}", value.get())).collect();
    let older: Vec<&str> = older.into_iter().map(RawValue::get).collect();
    (!older.is_empty()).then(|| {
        parts.push(format!("\"entry\":[{}]", older.join(",")));
        format!("{{{}}}", parts.join(","))
    })
}

/// Whether a resource has a date of its own from a day on. Dates are compared as written: the day stands first.
fn is_since(entry: &RawValue, day: &str) -> bool {
    const DATES: &[&str] = &[
        "effectiveDateTime",
        "issued",
        "authoredOn",
        "occurrenceDateTime",
        "performedDateTime",
        "recordedDate",
        "date",
        "dateAsserted",
        "startDate",
        "onsetDateTime",
        "started",
    ];
    let entry: Value = serde_json::from_str(entry.get()).unwrap_or_default();
    let resource = entry.get("resource").unwrap_or(&Value::Null);
    let period = resource.get("period").and_then(|period| period.get("start"));
    let dates = DATES.iter().filter_map(|name| resource.get(name)).chain(period);
    dates.filter_map(Value::as_str).any(|date| date >= day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_stays_byte_for_byte() {
        let bundle = r#"{"resourceType": "Bundle", "identifier": {"value": "b"}, "entry": [
            {"resource": {"resourceType": "Observation",  "effectiveDateTime": "2026-01-01"}},
            {"resource": {"resourceType": "Observation", "effectiveDateTime": "2026-03-01T08:00:00+07:00"}},
            {"resource": {"resourceType": "Patient"}}]}"#;
        let older = before(bundle, "2026-02-01").expect("two entries are older");
        assert!(
            older.contains(r#"{"resourceType": "Observation",  "effectiveDateTime": "2026-01-01"}"#),
            "as written"
        );
        assert!(!older.contains("2026-03-01"), "news come later");
        assert!(
            older.contains("\"Patient\"") && older.contains(r#""identifier":{"value": "b"}"#),
            "the rest stays"
        );
        assert!(serde_json::from_str::<Value>(&older).is_ok(), "still a file");
    }
}
