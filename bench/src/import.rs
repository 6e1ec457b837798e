//! Row `import`: a Synthea bundle by the commands that the screen uses, each time in a process of its own, so that its
//! peak memory is its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use mecum_api::command::{
    ChartList, ImportBegin, ImportChunk, ImportLook, ImportRun, ImportStatus, VaultCreate,
};
use mecum_api::{ImportInto, ImportRunArgs};
use mecum_client::{App, AppOptions};
use serde_json::{Value, json};

use crate::Failed;
use crate::home::call;
use crate::report::{Numbers, Row};

/// The word with which the bench starts itself.
pub(crate) const CHILD: &str = "import-child";

const FILE: &str = "synthea-r4-ervin-cummings-1865k.json";

const TIMES: usize = 10;

const MOST_MS: f64 = 400.0;
const MOST_MB: f64 = 150.0;

/// A piece. Source: the contract's limit of 1 MiB.
const PIECE_BYTES: usize = 1 << 20;

pub(crate) fn measure(data: &Path, work: &Path) -> Result<Row, Failed> {
    let file = data.join(FILE);
    if !file.exists() {
        eprintln!("bench: import is skipped: {} is not there", file.display());
        return Ok(Row::absent("import", "skipped, the example file is not there"));
    }
    let (mut time, mut memory, mut added) = (Numbers::default(), Numbers::default(), 0);
    for number in 0..TIMES {
        let profile = work.join(format!("import-{number}"));
        let mut child = Command::new(std::env::current_exe()?);
        child.arg(CHILD).arg(&file).arg(&profile).stderr(Stdio::inherit());
        let output = child.output()?;
        if !output.status.success() {
            return Err("the importing process failed".into());
        }
        let said: Value = serde_json::from_slice(&output.stdout)?;
        let number_of =
            |name: &str| said.get(name).and_then(Value::as_f64).ok_or("the importing process said nothing");
        time.0.push(number_of("ms")?);
        memory.0.push(number_of("peak_mb")?);
        added = said.get("added").and_then(Value::as_u64).unwrap_or(0);
    }
    let what = format!(
        "{FILE} ({} KB, {added} resources) by import_begin, import_chunk, import_look and import_run into a vault on disk, until done and committed; a process of its own with everything else of the app's core in it",
        fs::metadata(&file)?.len() / 1_000
    );
    let time_row = Row::of("import", "time", "≤ 400 ms", "ms", &time, |ms| ms <= MOST_MS);
    let memory_row = Row::of(
        "import",
        "peak memory of the process (VmHWM), with the passphrase's 64 MiB before it",
        "≤ 150 MB",
        "MB",
        &memory,
        |mb| mb <= MOST_MB,
    );
    Ok(Row::joined("import", what, "≤ 400 ms; ≤ 150 MB", vec![time_row, memory_row]))
}

/// The importing process: the file, a profile folder. Prints one line of JSON.
pub(crate) fn child(arguments: &[String]) -> Result<(), Failed> {
    let [file, profile] = arguments else { return Err("usage: import-child FILE PROFILE".into()) };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (took, added) = runtime.block_on(bring_in(Path::new(file), PathBuf::from(profile)))?;
    let said =
        json!({ "ms": took.as_secs_f64() * 1_000.0, "peak_mb": crate::cost::peak_mb()?, "added": added });
    println!("{said}");
    Ok(())
}

async fn bring_in(file: &Path, profile: PathBuf) -> Result<(Duration, u64), Failed> {
    let app = App::open(AppOptions::new(profile));
    let args = json!({
        "passphrase": "becak melati jembatan payung sirsak gitar",
        "name": "Ervin", "born": null, "device_name": "laptop"
    });
    call::<VaultCreate>(&app, args).await?;
    let charts = call::<ChartList>(&app, Value::Null).await?;
    let chart = charts.pointer("/0/chart").cloned().ok_or("a new vault has a chart")?;
    let began = Instant::now();
    let bytes = fs::read(file)?;
    let begun = call::<ImportBegin>(&app, json!({ "name": "file", "bytes": bytes.len() })).await?;
    let import = begun.get("import").cloned().ok_or("an import has a number")?;
    let mut offset = 0;
    for piece in bytes.chunks(PIECE_BYTES) {
        let args = json!({ "import": import, "offset": offset, "base64": base64(piece) });
        call::<ImportChunk>(&app, args).await?;
        offset += piece.len();
    }
    drop(bytes);
    call::<ImportLook>(&app, json!({ "import": import })).await?;
    let args = ImportRunArgs {
        import: serde_json::from_value(import.clone())?,
        into: ImportInto::Chart { chart: serde_json::from_value(chart)? },
    };
    call::<ImportRun>(&app, serde_json::to_value(args)?).await?;
    loop {
        let view = call::<ImportStatus>(&app, json!({ "import": import })).await?;
        match view.get("phase").and_then(Value::as_str) {
            Some("done") => {
                return Ok((began.elapsed(), view.get("added").and_then(Value::as_u64).unwrap_or(0)));
            }
            Some("keeping") => tokio::time::sleep(Duration::from_millis(1)).await,
            _ => return Err("the file was not kept".into()),
        }
    }
}

/// RFC 4648, section 4, as the web part sends a piece.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or(0));
        let joined = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let digit = usize::try_from(joined >> (18 - 6 * at) & 63).unwrap_or(0);
            let there = at <= three.len();
            text.push(DIGITS.get(digit).filter(|_| there).map_or('=', |digit| char::from(*digit)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (bytes, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(bytes.as_bytes()), text, "RFC 4648, section 10");
        }
    }
}
