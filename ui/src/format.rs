//! Dates, times, numbers and units as a person reads them, by own small tables so that the page needs no `Intl` and a test sees the same words.
//!
//! Knows languages and texts of the record, no screens. Values are shown as they were printed; only the decimal sign follows the language.

use jiff::civil::{Date, Weekday};
use mecum_domain::PartialDate;

const MONTHS_EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const MONTHS_ID: [&str; 12] = [
    "Januari",
    "Februari",
    "Maret",
    "April",
    "Mei",
    "Juni",
    "Juli",
    "Agustus",
    "September",
    "Oktober",
    "November",
    "Desember",
];
const DAYS_EN: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const DAYS_ID: [&str; 7] = ["Sen", "Sel", "Rab", "Kam", "Jum", "Sab", "Min"];
const MS_PER_MINUTE: i64 = 60_000;

fn indonesian(language: &str) -> bool {
    language.starts_with("id")
}

/// The name of a month, 1 to 12; empty outside.
pub fn month(language: &str, month: i8) -> &'static str {
    let names = if indonesian(language) { &MONTHS_ID } else { &MONTHS_EN };
    usize::try_from(month - 1).ok().and_then(|at| names.get(at)).copied().unwrap_or_default()
}

/// The first three letters of a month's name, as in "8 Sep 2026".
pub fn month_short(language: &str, number: i8) -> &'static str {
    let name = month(language, number);
    // August is "Agu" in Indonesian dates and "Aug" in English: three letters do for every month of both.
    name.get(..3).unwrap_or(name)
}

/// The short name of a day of the week.
pub fn weekday(language: &str, day: Weekday) -> &'static str {
    let names = if indonesian(language) { &DAYS_ID } else { &DAYS_EN };
    usize::try_from(day.to_monday_zero_offset()).ok().and_then(|at| names.get(at)).copied().unwrap_or("")
}

/// A FHIR date or dateTime as far as it is known: "Tue 8 Sep 2026", "Sep 2026", "2026". A text that is no date is given back.
pub fn day(language: &str, date: &str) -> String {
    written(language, date, true, true)
}

/// The same without the day of the week: "8 Sep 2026".
pub fn day_plain(language: &str, date: &str) -> String {
    written(language, date, false, true)
}

/// The same without the year where it is that of `today`: "Tue 8 Sep".
pub fn day_near(language: &str, date: &str, today: Date) -> String {
    let same = PartialDate::parse(date).is_some_and(|d| d.year() == today.year());
    written(language, date, true, !same)
}

/// With the time of day where one was written: "Tue 8 Sep 2026, 08:05".
pub fn day_time(language: &str, date: &str) -> String {
    let time = PartialDate::parse(date).and_then(|d| d.time().map(str::to_owned));
    let day = day(language, date);
    time.map_or_else(|| day.clone(), |time| format!("{day}, {time}"))
}

/// For readers: "1 September 2026".
pub fn day_spoken(language: &str, date: &str) -> String {
    let Some(known) = PartialDate::parse(date) else { return date.to_owned() };
    match (known.month(), known.day()) {
        (Some(m), Some(d)) => format!("{} {} {}", d.day(), month(language, m), known.year()),
        (Some(m), None) => format!("{} {}", month(language, m), known.year()),
        _ => known.year().to_string(),
    }
}

fn written(language: &str, date: &str, with_weekday: bool, with_year: bool) -> String {
    let Some(known) = PartialDate::parse(date) else { return date.to_owned() };
    let year = known.year();
    match (known.month(), known.day()) {
        (Some(m), Some(d)) => {
            let mut text = String::new();
            if with_weekday {
                text = format!("{} ", weekday(language, d.weekday()));
            }
            text.push_str(&d.day().to_string());
            text.push(' ');
            text.push_str(month_short(language, m));
            if with_year { format!("{text} {year}") } else { text }
        }
        (Some(m), None) => format!("{} {year}", month_short(language, m)),
        _ => year.to_string(),
    }
}

/// The civil day of an instant on this device's clock.
pub fn local_day(at_ms: i64) -> Date {
    local(at_ms).date()
}

/// An instant on this device's clock: "Tue 8 Sep 2026, 08:05"; empty when it is not known (0).
pub fn instant(language: &str, at_ms: i64) -> String {
    if at_ms <= 0 {
        return String::new();
    }
    let at = local(at_ms);
    format!("{}, {:02}:{:02}", day(language, &at.date().to_string()), at.hour(), at.minute())
}

/// The same without a year: "Tue 8 Sep, 08:05", where the year is this one.
pub fn instant_near(language: &str, at_ms: i64, today: Date) -> String {
    if at_ms <= 0 {
        return String::new();
    }
    let at = local(at_ms);
    format!("{}, {:02}:{:02}", day_near(language, &at.date().to_string(), today), at.hour(), at.minute())
}

/// The time of day of an instant: "08:05".
pub fn clock(at_ms: i64) -> String {
    let at = local(at_ms);
    format!("{:02}:{:02}", at.hour(), at.minute())
}

fn local(at_ms: i64) -> jiff::civil::DateTime {
    let ms = at_ms.saturating_sub(zone_offset_minutes(at_ms) * MS_PER_MINUTE);
    let utc = jiff::Timestamp::from_millisecond(ms).unwrap_or_default();
    jiff::tz::Offset::UTC.to_datetime(utc)
}

/// Minutes that the device's clock is behind UTC at an instant (negative in the east).
#[cfg(target_arch = "wasm32")]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "milliseconds of a date fit"
)]
fn zone_offset_minutes(at_ms: i64) -> i64 {
    js_sys::Date::new(&wasm_bindgen::JsValue::from_f64(at_ms as f64)).get_timezone_offset() as i64
}

/// Outside a page there is no device clock to follow.
#[cfg(not(target_arch = "wasm32"))]
fn zone_offset_minutes(_at_ms: i64) -> i64 {
    0
}

/// Now on the device's clock, ms since the epoch. For prefilled forms and countdowns only; the record's times come from the client.
#[cfg(target_arch = "wasm32")]
#[expect(clippy::cast_possible_truncation, reason = "milliseconds of a date fit")]
pub fn now_ms() -> i64 {
    js_sys::Date::now() as i64
}

/// A fixed instant outside a page, so that tests see the same words.
#[cfg(not(target_arch = "wasm32"))]
pub fn now_ms() -> i64 {
    1_788_840_000_000
}

/// This moment as a form's date and time: "2026-09-08T08:05", local.
pub fn now_local() -> String {
    let at = local(now_ms());
    format!("{}T{:02}:{:02}", at.date(), at.hour(), at.minute())
}

/// A local form value ("2026-09-08T08:05") with the device's offset, as FHIR wants an instant. A bare date stays as it is.
pub fn with_offset(local_text: &str) -> String {
    let Ok(at) = local_text.parse::<jiff::civil::DateTime>() else { return local_text.to_owned() };
    if !local_text.contains('T') {
        return local_text.to_owned();
    }
    let rough = jiff::tz::Offset::UTC.to_timestamp(at).map_or(0, jiff::Timestamp::as_millisecond);
    let minutes = -zone_offset_minutes(rough);
    let sign = if minutes < 0 { '-' } else { '+' };
    let (hours, rest) = (minutes.abs() / 60, minutes.abs() % 60);
    format!("{}T{:02}:{:02}:00{sign}{hours:02}:{rest:02}", at.date(), at.hour(), at.minute())
}

/// A number as printed, with the decimal sign of the language: "7.8" reads "7,8" in Indonesian. Texts keep their points.
pub fn number(language: &str, text: &str) -> String {
    if !indonesian(language) {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    text.char_indices()
        .map(|(at, c)| if c == '.' && digit(at.checked_sub(1)) && digit(Some(at + 1)) { ',' } else { c })
        .collect()
}

/// What a person typed as a number, in stored form: a decimal comma becomes a point.
pub fn typed_number(text: &str) -> String {
    text.trim().replace(',', ".")
}

/// A count with its thousands parted: "1,204" or "1.204".
pub fn count(language: &str, n: u64) -> String {
    let digits = n.to_string();
    let mark = if indonesian(language) { '.' } else { ',' };
    let mut out = String::new();
    for (at, c) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(mark);
        }
        out.push(c);
    }
    out
}

/// A file's size: "1.9 MB", "402 KB".
#[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
pub fn size(language: &str, bytes: u64) -> String {
    if bytes < 1_000_000 {
        return format!("{} KB", count(language, bytes.div_ceil(1000)));
    }
    number(language, &format!("{:.1} MB", bytes as f64 / 1e6))
}

/// A UCUM unit as people write it: "mm[Hg]" reads "mmHg". A unit that is not known stays as printed.
pub fn unit(printed: &str) -> String {
    match printed {
        "mm[Hg]" => return "mmHg".into(),
        "Cel" | "degC" => return "°C".into(),
        "[degF]" => return "°F".into(),
        "kg/m2" => return "kg/m²".into(),
        "1" => return String::new(),
        _ => {}
    }
    let mut text = printed.replace("10*3", "10³").replace("10*6", "10⁶").replace("10*9", "10⁹");
    if text.starts_with('{') && text.ends_with('}') {
        text = text.trim_matches(['{', '}']).to_owned();
    }
    text.replace("{1.73_m2}", "1.73 m²").replace("1.73m2", "1.73 m²").replace(['µ', 'μ'], "mc")
}

/// A value with its unit: "7.8 %", "138/82 mmHg".
pub fn value(language: &str, value: &str, printed_unit: &str) -> String {
    let unit = unit(printed_unit);
    let value = number(language, value);
    if unit.is_empty() { value } else { format!("{value}\u{a0}{unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_say_no_more_than_is_known() {
        assert_eq!(day("en", "2026-09-08"), "Tue 8 Sep 2026", "a day with its weekday");
        assert_eq!(day("id", "2026-09-08"), "Sel 8 Sep 2026", "the Indonesian weekday");
        assert_eq!(day("id", "2026-08-20"), "Kam 20 Agu 2026", "the Indonesian month");
        assert_eq!(day("en", "2011-05"), "May 2011", "no day is made up");
        assert_eq!(day("en", "2011"), "2011", "no month is made up");
        assert_eq!(
            day_time("en", "2026-09-08T08:05:00+07:00"),
            "Tue 8 Sep 2026, 08:05",
            "the time as written"
        );
        assert_eq!(day("en", "last spring"), "last spring", "a text that is no date is shown as it is");
        assert_eq!(day_spoken("en", "2026-09-01"), "1 September 2026", "readers hear the whole month");
    }

    #[test]
    fn a_decimal_comma_is_for_indonesian_eyes_only() {
        assert_eq!(number("id", "7.8"), "7,8", "a comma");
        assert_eq!(number("id", "HbA1c 7.80. Baik."), "HbA1c 7,80. Baik.", "only between digits");
        assert_eq!(number("en", "7.8"), "7.8", "as printed");
        assert_eq!(typed_number(" 7,8 "), "7.8", "a typed comma is stored as a point");
    }

    #[test]
    fn counts_and_units_read_as_written() {
        assert_eq!(count("en", 1_204), "1,204", "parted in threes");
        assert_eq!(count("id", 1_234_567), "1.234.567", "with points in Indonesian");
        assert_eq!(count("en", 214), "214", "small numbers stay");
        assert_eq!(unit("mm[Hg]"), "mmHg", "the UCUM brackets go");
        assert_eq!(unit("{score}"), "score", "an annotation reads as a word");
        assert_eq!(unit("mg/dL"), "mg/dL", "a plain unit stays");
        assert_eq!(size("id", 1_865_000), "1,9 MB", "one decimal");
    }
}
