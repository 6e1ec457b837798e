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
const MINUTES_PER_DAY: i64 = 24 * 60;

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
    local(at_ms).0
}

/// An instant on this device's clock: "Tue 8 Sep 2026, 08:05"; empty when it is not known (0).
pub fn instant(language: &str, at_ms: i64) -> String {
    if at_ms <= 0 {
        return String::new();
    }
    let (date, hour, minute) = local(at_ms);
    format!("{}, {hour:02}:{minute:02}", day(language, &iso(date)))
}

/// The same without a year: "Tue 8 Sep, 08:05", where the year is this one.
pub fn instant_near(language: &str, at_ms: i64, today: Date) -> String {
    if at_ms <= 0 {
        return String::new();
    }
    let (date, hour, minute) = local(at_ms);
    format!("{}, {hour:02}:{minute:02}", day_near(language, &iso(date), today))
}

/// The time of day of an instant: "08:05".
pub fn clock(at_ms: i64) -> String {
    let (_, hour, minute) = local(at_ms);
    format!("{hour:02}:{minute:02}")
}

/// The civil day, the hour and the minute of an instant on this device's clock.
fn local(at_ms: i64) -> (Date, i64, i64) {
    let minutes = at_ms.div_euclid(MS_PER_MINUTE).saturating_sub(zone_offset_minutes(at_ms));
    let (days, minute) = (minutes.div_euclid(MINUTES_PER_DAY), minutes.rem_euclid(MINUTES_PER_DAY));
    (date_of(days), minute / 60, minute % 60)
}

/// The civil day that is so many days after 1 January 1970; 1970 itself for a day that no calendar has.
/// Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
pub fn date_of(days: i64) -> Date {
    let days = days.saturating_add(719_468);
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    let date = i16::try_from(year).ok().zip(i8::try_from(month).ok()).zip(i8::try_from(day).ok());
    date.and_then(|((year, month), day)| Date::new(year, month, day).ok())
        .unwrap_or(Date::constant(1970, 1, 1))
}

/// Days of a civil day since 1 January 1970. Source: the same, `days_from_civil`.
pub fn days_of(date: Date) -> i64 {
    let (month, day) = (i64::from(date.month()), i64::from(date.day()));
    let year = i64::from(date.year()) - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// A civil day as it is stored and as forms take it: "2026-09-08".
pub fn iso(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
}

/// In small letters, by the browser's own tables.
pub fn lower(text: &str) -> String {
    #[cfg(target_arch = "wasm32")]
    return js_sys::JsString::from(text).to_lower_case().into();
    #[cfg(not(target_arch = "wasm32"))]
    return text.to_lowercase();
}

/// In capitals, by the browser's own tables.
pub fn upper(text: &str) -> String {
    #[cfg(target_arch = "wasm32")]
    return js_sys::JsString::from(text).to_upper_case().into();
    #[cfg(not(target_arch = "wasm32"))]
    return text.to_uppercase();
}

/// The two letters of a person's tile.
pub fn initials(name: &str) -> String {
    let mut letters = mecum_domain::tile_letters(name).map(String::from);
    let head = letters.next().map_or_else(|| "?".into(), |letter| upper(&letter));
    head + &letters.next().map(|letter| lower(&letter)).unwrap_or_default()
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
    let (date, hour, minute) = local(now_ms());
    format!("{}T{hour:02}:{minute:02}", iso(date))
}

/// A local form value ("2026-09-08T08:05") with the device's offset, as FHIR wants an instant. A bare date stays as it is.
pub fn with_offset(local_text: &str) -> String {
    let known = PartialDate::parse(local_text);
    let day = known.as_ref().and_then(PartialDate::day);
    let time = known.as_ref().and_then(PartialDate::time).and_then(|time| {
        let (hour, minute) = time.split_once(':')?;
        let (hour, minute): (i64, i64) = (hour.parse().ok()?, minute.parse().ok()?);
        ((0..24).contains(&hour) && (0..60).contains(&minute)).then_some((hour, minute))
    });
    let Some((day, (hour, minute))) = day.zip(time) else { return local_text.to_owned() };
    let rough = (days_of(day) * MINUTES_PER_DAY + hour * 60 + minute) * MS_PER_MINUTE;
    let minutes = -zone_offset_minutes(rough);
    let sign = if minutes < 0 { '-' } else { '+' };
    let (hours, rest) = (minutes.abs() / 60, minutes.abs() % 60);
    format!("{}T{hour:02}:{minute:02}:00{sign}{hours:02}:{rest:02}", iso(day))
}

/// The last millisecond of a civil day on this device's clock; none for a text that is no day.
pub fn end_of_day_ms(date: &str) -> Option<i64> {
    let next = (days_of(PartialDate::parse(date)?.day()?) + 1) * MINUTES_PER_DAY;
    Some((next + zone_offset_minutes(next * MS_PER_MINUTE)) * MS_PER_MINUTE - 1)
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
    fn every_day_of_eight_hundred_years_is_the_day_that_the_calendar_has() {
        let mut date = jiff::civil::date(1600, 1, 1);
        let mut days = (date - jiff::civil::date(1970, 1, 1)).get_days().into();
        for _ in 0..800 * 365 {
            assert_eq!((days_of(date), date_of(days)), (days, date), "day {days}");
            assert_eq!(iso(date), date.to_string(), "as it is stored");
            (date, days) = (date.tomorrow().expect("not the last day"), days + 1);
        }
        assert_eq!(date_of(i64::MAX), jiff::civil::date(1970, 1, 1), "a day beyond every calendar");
        assert_eq!(clock(-MS_PER_MINUTE), "23:59", "a minute before 1970");
    }

    #[test]
    fn a_form_s_moment_is_stored_with_its_offset_and_anything_else_as_it_is() {
        assert_eq!(with_offset("2026-09-08T08:05"), "2026-09-08T08:05:00+00:00", "a moment");
        for other in ["2026-09-08", "2026-09-08T25:00", "2026-09", "soon", ""] {
            assert_eq!(with_offset(other), other, "not a moment");
        }
    }

    #[test]
    fn a_day_ends_with_its_last_moment() {
        let end = end_of_day_ms("2026-09-08").expect("a day");
        assert_eq!(
            (local_day(end), local_day(end + 1).day()),
            (jiff::civil::date(2026, 9, 8), 9),
            "not a moment later"
        );
        assert_eq!(end_of_day_ms(""), None, "nothing was chosen");
    }

    #[test]
    fn the_letters_of_a_tile_are_those_that_the_record_has() {
        for name in ["Ibu Ratna", "Laras", "", "dr. hendra", "Ölmez Çelik", "IBU"] {
            assert_eq!(initials(name), mecum_domain::initials(name), "{name}");
        }
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
