//! An appointment as a file that calendars read. Source: RFC 5545 (iCalendar): one VEVENT, with times in UTC, so that no
//! zone has to be described.

use jiff::Timestamp;

/// Most octets of a line before it is folded, without its end. Source: RFC 5545, section 3.1.
const LINE_OCTETS: usize = 75;

const MINUTE_MS: i64 = 60_000;

/// An appointment, as a calendar shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarEvent<'a> {
    /// What stays when it is moved or called off: a calendar puts the later file in place of the earlier one.
    pub uid: &'a str,
    /// How often it was changed, from 0: a calendar takes nothing that is older than what it has.
    pub sequence: u32,
    /// What it is.
    pub title: &'a str,
    /// With whom.
    pub with: &'a str,
    /// Where.
    pub location: &'a str,
    /// When it begins, ms since the epoch.
    pub starts_ms: i64,
    /// How long it is, minutes.
    pub minutes: u16,
    /// When the file was made, ms since the epoch.
    pub made_ms: i64,
    /// It does not take place any more.
    pub cancelled: bool,
}

impl CalendarEvent<'_> {
    /// The file, in UTF-8. `None` for a time that no calendar has: before year -9999 or after 9999.
    pub fn file(&self) -> Option<String> {
        let ends_ms = self.starts_ms.checked_add(i64::from(self.minutes) * MINUTE_MS)?;
        let mut file = String::new();
        let mut line = |name: &str, value: &str| fold(&format!("{name}:{value}"), &mut file);
        line("BEGIN", "VCALENDAR");
        line("VERSION", "2.0");
        line("PRODID", "-//Mecum//Mecum//EN");
        line("METHOD", "PUBLISH");
        line("BEGIN", "VEVENT");
        line("UID", &text(self.uid));
        line("SEQUENCE", &self.sequence.to_string());
        line("DTSTAMP", &utc(self.made_ms)?);
        line("DTSTART", &utc(self.starts_ms)?);
        line("DTEND", &utc(ends_ms)?);
        line("SUMMARY", &text(self.title));
        for (name, value) in [("LOCATION", self.location), ("DESCRIPTION", self.with)] {
            if !value.trim().is_empty() {
                line(name, &text(value));
            }
        }
        line("STATUS", if self.cancelled { "CANCELLED" } else { "CONFIRMED" });
        // What is about somebody's health is shown to nobody who may look into their calendar.
        line("CLASS", "PRIVATE");
        line("END", "VEVENT");
        line("END", "VCALENDAR");
        Some(file)
    }
}

fn utc(ms: i64) -> Option<String> {
    Some(Timestamp::from_millisecond(ms).ok()?.strftime("%Y%m%dT%H%M%SZ").to_string())
}

/// A text as a value: what would end or part it is written otherwise, and what no calendar may have is left out.
fn text(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for character in value.replace("\r\n", "\n").chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            ';' => out.push_str("\\;"),
            ',' => out.push_str("\\,"),
            '\n' | '\r' | '\u{2028}' | '\u{2029}' | '\u{85}' => out.push_str("\\n"),
            other if other.is_control() && other != '\t' => {}
            other => out.push(other),
        }
    }
    out
}

/// Writes a line, folded: no piece is longer than it may be, and none begins in the middle of a character.
fn fold(line: &str, file: &mut String) {
    let mut left = LINE_OCTETS;
    for character in line.chars() {
        if character.len_utf8() > left {
            file.push_str("\r\n ");
            // The space that says that it goes on is an octet of the line.
            left = LINE_OCTETS - 1;
        }
        left -= character.len_utf8();
        file.push(character);
    }
    file.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn event() -> CalendarEvent<'static> {
        CalendarEvent {
            uid: "00112233445566778899aabbccddeeff@mecum",
            sequence: 1,
            title: "Internal medicine, RS Tirta Asih",
            with: "dr. Maya Anggraini, Sp.PD",
            location: "Poli Dalam; 2nd floor",
            starts_ms: 1_789_442_400_000,
            minutes: 20,
            made_ms: 1_788_854_400_000,
            cancelled: false,
        }
    }

    #[test]
    fn an_appointment_is_these_bytes() {
        let file = event().file().expect("a time of this century");
        let lines = [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//Mecum//Mecum//EN",
            "METHOD:PUBLISH",
            "BEGIN:VEVENT",
            "UID:00112233445566778899aabbccddeeff@mecum",
            "SEQUENCE:1",
            "DTSTAMP:20260908T080000Z",
            "DTSTART:20260915T032000Z",
            "DTEND:20260915T034000Z",
            "SUMMARY:Internal medicine\\, RS Tirta Asih",
            "LOCATION:Poli Dalam\\; 2nd floor",
            "DESCRIPTION:dr. Maya Anggraini\\, Sp.PD",
            "STATUS:CONFIRMED",
            "CLASS:PRIVATE",
            "END:VEVENT",
            "END:VCALENDAR",
        ];
        assert_eq!(file, lines.map(|line| format!("{line}\r\n")).concat());
    }

    #[test]
    fn one_that_was_called_off_says_so_and_what_is_not_known_is_left_out() {
        let event = CalendarEvent { cancelled: true, with: "", location: " ", ..event() };
        let file = event.file().expect("a time of this century");
        assert!(file.contains("\r\nSTATUS:CANCELLED\r\n") && !file.contains("CONFIRMED"));
        assert!(!file.contains("LOCATION") && !file.contains("DESCRIPTION"));
        let never = CalendarEvent { starts_ms: i64::MAX, ..event };
        assert_eq!(never.file(), None, "a time that no calendar has");
    }

    /// What a reader makes of the file: lines put together, values as they were.
    fn read(file: &str) -> Vec<(String, String)> {
        let whole = file.replace("\r\n ", "");
        let value = |escaped: &str| {
            let mut out = String::new();
            let mut rest = escaped.chars();
            while let Some(character) = rest.next() {
                match (character, character == '\\') {
                    (_, true) => match rest.next() {
                        Some('n') => out.push('\n'),
                        Some(other) => out.push(other),
                        None => {}
                    },
                    (other, false) => out.push(other),
                }
            }
            out
        };
        let lines = whole.split_terminator("\r\n");
        lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, text)| (name.to_owned(), value(text)))
            .collect()
    }

    proptest! {
        #[test]
        fn a_name_with_line_breaks_and_marks_adds_no_line_and_comes_back(title in "(?s).{0,200}") {
            let file = CalendarEvent { title: &title, ..event() }.file().expect("a time of this century");
            for line in file.split_terminator("\r\n") {
                prop_assert!(line.len() <= LINE_OCTETS, "{} octets", line.len());
                prop_assert!(!line.contains(['\r', '\n']), "no other line end");
            }
            let names: Vec<String> = read(&file).into_iter().map(|(name, _)| name).collect();
            let plain: Vec<String> = read(&event().file().expect("a time")).into_iter().map(|(name, _)| name).collect();
            prop_assert_eq!(names, plain, "nothing was added");
            let meant: String = title.replace("\r\n", "\n").chars()
                .map(|c| if matches!(c, '\r' | '\u{2028}' | '\u{2029}' | '\u{85}') { '\n' } else { c })
                .filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
            let read = read(&file).into_iter().find(|(name, _)| name == "SUMMARY").map(|(_, title)| title);
            prop_assert_eq!(read, Some(meant), "as it was");
        }
    }
}
