//! The table of `docs/proof.md`: made of the rows and the ledger, so that it cannot say more than there is.

use std::fmt::Write as _;

use super::ledger;
use super::protocol::Changes;
use super::rows::{ALL, rows};
use crate::workspace::Workspace;

const PAGE: &str = "docs/proof.md";
const BEGIN: &str = "<!-- rows: written by `cargo xtask proof --nightly` -->\n";
const END: &str = "<!-- end of rows -->";

/// Writes the table into the page.
pub(super) fn write(workspace: &Workspace) -> Result<(), String> {
    let path = workspace.path(PAGE);
    let page = std::fs::read_to_string(&path).map_err(|error| format!("{PAGE}: {error}"))?;
    let page = with_table(&page, &table(workspace)?)?;
    std::fs::write(&path, page).map_err(|error| format!("{PAGE}: {error}"))
}

/// Whether the page's table is what rows and ledger make.
pub(super) fn is_current(workspace: &Workspace) -> Result<(), String> {
    let page = std::fs::read_to_string(workspace.path(PAGE)).map_err(|error| format!("{PAGE}: {error}"))?;
    if with_table(&page, &table(workspace)?)? == page {
        return Ok(());
    }
    Err(format!("the table in {PAGE} is not that of rows and ledger: run `cargo xtask proof --table`"))
}

fn with_table(page: &str, table: &str) -> Result<String, String> {
    let marks = || format!("{PAGE} has no place for the table");
    let (before, rest) = page.split_once(BEGIN).ok_or_else(marks)?;
    let (_, after) = rest.split_once(END).ok_or_else(marks)?;
    Ok(format!("{before}{BEGIN}{table}{END}{after}"))
}

fn table(workspace: &Workspace) -> Result<String, String> {
    let changes = Changes::read(workspace)?;
    let mut text = String::from(
        "| test | what | where | per change | nightly | reached | since | before that | shards of a night |\n|---|---|---|---|---|---|---|---|---|\n",
    );
    for row in rows() {
        let place = match row.binary {
            "" => format!("`{}` units", row.package),
            binary => format!("`{}` `{binary}`", row.package),
        };
        let since = changes.last(row.package);
        let reached = ledger::reached(workspace, row, since)?;
        let since = since.map_or_else(
            || "the first".to_owned(),
            |commit| format!("`{}`", commit.get(..7).unwrap_or(commit)),
        );
        let _ = writeln!(
            text,
            "| {} | {} | {place} | {} | {} | {} | {since} | {} | {} |",
            row.test,
            row.what,
            figure(row.per_change),
            figure(row.nightly),
            spaced(reached.now),
            spaced(reached.before),
            row.shards
        );
    }
    Ok(text)
}

/// A figure, or that there is an end to the cases and it is reached each time.
fn figure(number: u64) -> String {
    if number == ALL { "all".to_owned() } else { spaced(number) }
}

/// `12,345`.
fn spaced(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_replaces_what_was_between_the_marks_and_nothing_else() {
        let page = format!("above\n{BEGIN}old\n{END}\nbelow\n");
        let new = with_table(&page, "new\n").expect("the marks are there");
        assert_eq!(new, format!("above\n{BEGIN}new\n{END}\nbelow\n"), "above and below stay");
        assert!(with_table("no marks", "new").is_err(), "a page without a place is an error");
    }

    #[test]
    fn figures_are_written_in_groups() {
        assert_eq!([5, 1_000, 1_000_000].map(spaced), ["5", "1,000", "1,000,000"], "groups of three");
    }
}
