//! Measures what the project promises in figures, and says where it falls short: `target/bench/report.json`.
//!
//! Every figure that is a ratio has its other side measured in the same run, alternating, on the same bytes. It must not
//! know how to make a figure look better: no target is here but the one in the row, and a row that cannot be measured
//! is not ok.

mod burst;
mod chart;
mod cost;
mod edit;
mod first;
mod flush;
mod grant;
mod home;
mod idle;
mod import;
mod line;
mod open;
mod pull;
mod report;
mod rest;
mod revoke;
mod text;
mod trace;
mod unlock;
mod wasm;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use report::Report;
use zeroizing_alloc::ZeroAlloc;

/// The app's own allocator, which wipes what it frees: what is measured is what is shipped.
#[global_allocator]
static MEMORY: ZeroAlloc<std::alloc::System> = ZeroAlloc(std::alloc::System);

/// What stops a measurement.
type Failed = Box<dyn Error + Send + Sync>;

/// The entries of the chart that most rows are about (the figure).
const ENTRIES: usize = 10_000;

/// Of these, the last ones are written one by one after the snapshots: the tail.
const TAIL: usize = 100;

const USAGE: &str = "usage: mecum-bench --report FILE [--ui DIR] [--data DIR] [--only ID,ID]

  --report FILE  where the rows are written, as JSON; work folders are made beside it
  --ui DIR       the web part as built for shipping: mecum_ui_bg.wasm and what lies beside it
  --data DIR     example files, for the import
  --only ID,ID   only these rows";

/// What the command line asks for.
struct Asked {
    report: PathBuf,
    ui: PathBuf,
    data: PathBuf,
    only: Option<Vec<String>>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.split_first() {
        Some((first, rest)) if first == import::CHILD => import::child(rest),
        Some((first, rest)) if first == trace::CHILD => trace::child(rest),
        Some((first, rest)) if first == revoke::CHILD => revoke::child(rest),
        _ => parse(&arguments).and_then(|asked| measure(&asked)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mecum-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse(arguments: &[String]) -> Result<Asked, Failed> {
    let (mut report, mut ui, mut data, mut only) = (None, None, None, None);
    for pair in arguments.chunks(2) {
        let [flag, value] = pair else { return Err(USAGE.into()) };
        match flag.as_str() {
            "--report" => report = Some(PathBuf::from(value)),
            "--ui" => ui = Some(PathBuf::from(value)),
            "--data" => data = Some(PathBuf::from(value)),
            "--only" => only = Some(value.split(',').map(str::to_owned).collect()),
            _ => return Err(USAGE.into()),
        }
    }
    Ok(Asked {
        report: report.ok_or(USAGE)?,
        ui: ui.unwrap_or_else(|| "ui/dist".into()),
        data: data.unwrap_or_else(|| "../shared/data".into()),
        only,
    })
}

#[tokio::main]
async fn measure(asked: &Asked) -> Result<(), Failed> {
    let beside =
        asked.report.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(beside)?;
    // On the disk of the project, not in a temporary folder that may be memory: commits must reach a real disk.
    let work = tempfile::Builder::new().prefix("work-").tempdir_in(beside)?;
    let wanted = |id: &str| asked.only.as_ref().is_none_or(|only| only.iter().any(|one| one == id));
    let mut report = Report::default();
    if wanted("import") {
        report.take("import", import::measure(&asked.data, work.path()));
    }
    if wanted("wasm") {
        report.take("wasm", wasm::measure(&asked.ui));
    }
    of_a_text(beside, work.path(), &wanted, &mut report);
    if wanted("pull") {
        report.take("pull", pull::measure(work.path()).await);
    }
    if wanted("rest") {
        report.take("rest", rest::measure(work.path()));
    }
    if wanted("revoke") {
        report.take("revoke", revoke::measure(work.path()).await);
    }
    if OF_THE_CHART.into_iter().any(wanted) {
        eprintln!("bench: building a chart of {ENTRIES} mixed entries by three authors");
        let built = chart::build(work.path(), ENTRIES, TAIL).await?;
        eprintln!("bench: {}", built.said);
        of_the_chart(&built, &wanted, &mut report).await;
    }
    report.write(&asked.report)
}

/// The rows that a chart is built for.
const OF_THE_CHART: [&str; 10] =
    ["open", "home", "edit", "idle", "first", "unlock", "one", "hundred", "grant", "burst"];

async fn of_the_chart(built: &chart::Built, wanted: &impl Fn(&str) -> bool, report: &mut Report) {
    if wanted("open") {
        report.take("open", open::measure(built));
    }
    if wanted("home") {
        report.take("home", home::measure(built).await);
    }
    if wanted("edit") {
        report.take("edit", edit::measure(built));
    }
    if wanted("idle") {
        report.take("idle", idle::measure(built).await);
    }
    if wanted("first") {
        report.take("first", first::measure(built).await);
    }
    if wanted("unlock") {
        report.take("unlock", unlock::measure(built).await);
    }
    if wanted("one") {
        report.take("one", flush::one(built, &built.folder).await);
    }
    if wanted("hundred") {
        report.take("hundred", flush::hundred(built).await);
    }
    if wanted("grant") {
        report.take("grant", grant::measure(built).await);
    }
    // The last one: from here on every database of this process goes through what counts its calls.
    if wanted("burst") {
        report.take("burst", burst::measure(built).await);
    }
}

/// The rows of a text with a long history.
fn of_a_text(beside: &Path, work: &Path, wanted: &impl Fn(&str) -> bool, report: &mut Report) {
    let rows: Vec<&'static str> =
        ["trace", "trace-memory", "text-first"].into_iter().filter(|id| wanted(id)).collect();
    if rows.is_empty() {
        return;
    }
    match text::text(beside).and_then(|text| trace::measure(work, &text, wanted)) {
        Ok(measured) => {
            for row in measured {
                report.take(row.id, Ok(row));
            }
        }
        Err(error) => {
            for id in rows {
                report.take(id, Err(error.to_string().into()));
            }
        }
    }
}

/// Copies the files of a folder, without folders in it.
fn copy_files(from: &Path, to: &Path) -> Result<(), Failed> {
    std::fs::create_dir_all(to)?;
    for file in std::fs::read_dir(from)? {
        let file = file?;
        if file.file_type()?.is_file() {
            std::fs::copy(file.path(), to.join(file.file_name()))?;
        }
    }
    Ok(())
}
