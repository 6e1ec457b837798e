//! Bringing a file in: it arrives in pieces, is looked at, and is then kept in one durable step.
//!
//! Until the person says whose it is, nothing of it touches the vault; it lies in memory alone and goes when the vault is
//! locked. What FHIR is, `mecum_interop` knows.

use std::sync::Arc;

use mecum_api::{
    CallError, Code, ImportArgs, ImportBeginArgs, ImportChunkArgs, ImportInto, ImportPhase, ImportPreview,
    ImportRunArgs, ImportView, SubjectView, Topic, TypeCount,
};
use mecum_domain::{ChartId, PartialDate, Relation};
use mecum_interop::{FILE_SOURCE, MAX_BUNDLE_BYTES, ReadBundle, ReadBundleError, Subject, read_bundle};
use mecum_seal::sha256_parts;

use crate::app::{App, held};
use crate::base64;
use crate::edits::birth_date;
use crate::error::SessionError;
use crate::session::Session;
use crate::views::count;

/// Largest piece. Source: the contract's `import_chunk`.
const MAX_CHUNK_BYTES: usize = 1 << 20;

/// Room that is set aside at once; a file that says it is larger gets more as its bytes come.
const FIRST_ROOM_BYTES: u64 = 4 << 20;

/// The one import that is open. A second file begins a new one.
#[derive(Default)]
pub(crate) struct Imports {
    last: u32,
    open: Option<Import>,
}

struct Import {
    size: u64,
    bytes: Vec<u8>,
    bundle: Option<Arc<ReadBundle>>,
    view: ImportView,
    stop: bool,
}

impl Imports {
    fn begin(&mut self, bytes: u64) -> Result<ImportArgs, CallError> {
        if bytes > MAX_BUNDLE_BYTES as u64 {
            return Err(too_large());
        }
        if bytes == 0 {
            return Err(bad_file("error-file-empty"));
        }
        if self.open.as_ref().is_some_and(|import| import.view.phase == ImportPhase::Keeping) {
            return Err(CallError::new(Code::BadCall, "error-import-busy"));
        }
        self.last = self.last.wrapping_add(1);
        let room = usize::try_from(bytes.min(FIRST_ROOM_BYTES)).unwrap_or_default();
        self.open = Some(Import {
            size: bytes,
            bytes: Vec::with_capacity(room),
            bundle: None,
            view: ImportView { import: self.last, ..ImportView::default() },
            stop: false,
        });
        Ok(ImportArgs { import: self.last })
    }

    fn get(&mut self, import: u32) -> Result<&mut Import, CallError> {
        let open = self.open.as_mut().filter(|open| open.view.import == import);
        open.ok_or_else(|| CallError::new(Code::NotFound, "error-import-gone"))
    }

    fn take(&mut self, args: &ImportChunkArgs) -> Result<ImportView, CallError> {
        let import = self.get(args.import)?;
        let refused = || CallError::new(Code::BadCall, "error-import-piece");
        let piece = base64::decode(&args.base64)
            .filter(|piece| piece.len() <= MAX_CHUNK_BYTES)
            .ok_or_else(refused)?;
        let next = import.bytes.len() as u64;
        let fits = args.offset == next && next + piece.len() as u64 <= import.size;
        if import.view.phase != ImportPhase::Receiving || !fits {
            return Err(refused());
        }
        import.bytes.extend_from_slice(&piece);
        Ok(import.view.clone())
    }

    /// The bytes, once all are there; none if they were read already.
    fn whole(&mut self, import: u32) -> Result<Option<Vec<u8>>, CallError> {
        let import = self.get(import)?;
        if import.bundle.is_some() {
            return Ok(None);
        }
        if import.view.phase != ImportPhase::Receiving || import.bytes.len() as u64 != import.size {
            return Err(CallError::new(Code::BadCall, "error-import-piece"));
        }
        Ok(Some(std::mem::take(&mut import.bytes)))
    }

    fn start(&mut self, import: u32) -> Result<(Arc<ReadBundle>, ImportView), CallError> {
        let import = self.get(import)?;
        let bundle =
            import.bundle.take().ok_or_else(|| CallError::new(Code::BadCall, "error-import-order"))?;
        import.view.phase = ImportPhase::Keeping;
        Ok((bundle, import.view.clone()))
    }

    /// Notes how far it is; says whether to go on.
    fn go_on(&mut self, import: u32, done: u32) -> bool {
        self.get(import).is_ok_and(|import| {
            import.view.done = done;
            !import.stop
        })
    }
}

/// Begins. A file over the limit is refused before a byte of it is read.
pub(crate) fn begin(app: &App, args: &ImportBeginArgs) -> Result<ImportArgs, CallError> {
    held(&app.inner.imports).begin(args.bytes)
}

/// Takes a piece.
pub(crate) fn chunk(app: &App, args: &ImportChunkArgs) -> Result<ImportView, CallError> {
    held(&app.inner.imports).take(args)
}

/// How far it is.
pub(crate) fn status(app: &App, args: &ImportArgs) -> Result<ImportView, CallError> {
    Ok(held(&app.inner.imports).get(args.import)?.view.clone())
}

/// Stops it. What is being kept stops at the next step and leaves the record as it was.
pub(crate) fn stop(app: &App, args: &ImportArgs) -> Result<ImportView, CallError> {
    let mut imports = held(&app.inner.imports);
    let import = imports.get(args.import)?;
    import.stop = true;
    if matches!(import.view.phase, ImportPhase::Receiving | ImportPhase::Waiting) {
        import.view.phase = ImportPhase::Stopped;
        import.bytes = Vec::new();
        import.bundle = None;
    }
    Ok(import.view.clone())
}

/// Looks at the file.
pub(crate) async fn look(app: &App, args: ImportArgs) -> Result<ImportPreview, CallError> {
    let import = args.import;
    let whole = held(&app.inner.imports).whole(import)?;
    if let Some(bytes) = whole {
        let read = tokio::task::spawn_blocking(move || read_bundle(&bytes));
        let read = read.await.map_err(|_| CallError::new(Code::Internal, "error-internal"))?;
        let mut imports = held(&app.inner.imports);
        let open = imports.get(import)?;
        match read {
            Ok(bundle) => {
                open.view.total = count(bundle.resources.len());
                open.view.phase = ImportPhase::Waiting;
                open.bundle = Some(Arc::new(bundle));
            }
            Err(error) => {
                open.view.phase = ImportPhase::Failed;
                return Err(file_error(&error));
            }
        }
    }
    let bundle = held(&app.inner.imports).get(import)?.bundle.clone();
    let bundle = bundle.ok_or_else(|| CallError::new(Code::BadCall, "error-import-order"))?;
    app.with(move |session| preview(session, import, &bundle)).await
}

/// The person that a file is about, before there is a vault: for a shell that makes one for them.
///
/// # Errors
/// [`Code::BadFile`] with the place, as `import_look` says it.
pub fn person_of_file(bytes: &[u8]) -> Result<Option<SubjectView>, CallError> {
    let bundle = read_bundle(bytes).map_err(|error| file_error(&error))?;
    Ok(bundle.subject.as_ref().map(subject_view))
}

fn subject_view(subject: &Subject) -> SubjectView {
    SubjectView {
        name: subject.name.clone(),
        born: subject.born.as_ref().map(|born| born.as_str().to_owned()),
        gender: subject.gender.clone(),
    }
}

fn preview(session: &Session, import: u32, bundle: &ReadBundle) -> Result<ImportPreview, SessionError> {
    let subject = bundle.subject.as_ref().map(subject_view);
    let types = bundle.counts.iter();
    Ok(ImportPreview {
        import,
        subject,
        types: types
            .map(|(name, number)| TypeCount { resource_type: name.clone(), count: count(*number) })
            .collect(),
        total: count(bundle.resources.len()),
        fits: fits(session, bundle)?,
    })
}

/// The chart that a file belongs to beyond doubt. A file about several people, or about nobody, fits none.
fn fits(session: &Session, bundle: &ReadBundle) -> Result<Option<ChartId>, SessionError> {
    let Some(subject) = bundle.subject.as_ref().filter(|_| bundle.people <= 1) else { return Ok(None) };
    let charts = session.charts();
    if let Some(name) = remembered_name(bundle)
        && let Some(chart) = session.setting(&name)?
        && let Some(chart) = <[u8; 16]>::try_from(chart).ok().map(ChartId::from_bytes)
        && charts.contains(&chart)
    {
        return Ok(Some(chart));
    }
    let (Some(name), Some(born)) = (&subject.name, subject.born.as_ref().and_then(PartialDate::day)) else {
        return Ok(None);
    };
    let same = |chart: &ChartId| {
        session.summary(*chart).is_ok_and(|summary| {
            let day = summary.born.as_deref().and_then(PartialDate::parse).and_then(|date| date.day());
            same_name(&summary.name, name) && day == Some(born)
        })
    };
    let mut fit = charts.into_iter().filter(same);
    let first = fit.next();
    Ok(first.filter(|_| fit.next().is_none()))
}

fn same_name(a: &str, b: &str) -> bool {
    let words = |name: &str| name.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>();
    words(a) == words(b)
}

/// The setting that says into which chart files of this source about this person go. A source alone is not enough: one
/// hospital writes about many people.
fn remembered_name(bundle: &ReadBundle) -> Option<String> {
    let subject = bundle.subject.as_ref()?;
    let name = subject.name.as_deref().filter(|_| bundle.source != FILE_SOURCE)?;
    let born = subject.born.as_ref().map_or("", PartialDate::as_str);
    let parts = [bundle.source.as_str(), name, born];
    let lengths = parts.map(|part| (part.len() as u64).to_be_bytes());
    let bound: Vec<&[u8]> =
        parts.iter().zip(&lengths).flat_map(|(part, len)| [len.as_slice(), part.as_bytes()]).collect();
    Some(format!("source-{}", sha256_parts(&bound)))
}

/// Keeps the file; goes on in the background.
pub(crate) fn run(app: &App, args: ImportRunArgs) -> Result<ImportView, CallError> {
    let import = args.import;
    let (bundle, view) = held(&app.inner.imports).start(import)?;
    let task = app.clone();
    tokio::spawn(async move {
        let worker = task.clone();
        let kept = task.with(move |session| keep(&worker, session, import, &args.into, &bundle)).await;
        if let Ok(import) = held(&task.inner.imports).get(import) {
            match kept {
                Ok(done) => import.view = done,
                Err(error) => {
                    import.view.phase = ImportPhase::Failed;
                    import.view.message_id = Some(error.message_id);
                }
            }
        }
        task.inner.news.tell(Topic::Import);
    });
    Ok(view)
}

fn keep(
    app: &App,
    session: &mut Session,
    import: u32,
    into: &ImportInto,
    bundle: &ReadBundle,
) -> Result<ImportView, SessionError> {
    let mut go_on = |done: u32| {
        let on = held(&app.inner.imports).go_on(import, done);
        app.inner.news.tell(Topic::Import);
        on
    };
    let total = count(bundle.resources.len());
    if !go_on(0) {
        return Ok(ImportView { import, phase: ImportPhase::Stopped, total, ..ImportView::default() });
    }
    let (chart, kept) = match into {
        ImportInto::Chart { chart } => (*chart, session.keep(*chart, bundle.resources.clone(), &mut go_on)?),
        ImportInto::NewChart => {
            let subject = bundle.subject.as_ref();
            let name = subject
                .and_then(|subject| subject.name.as_deref())
                .ok_or_else(|| bad_file("error-file-nobody"))?;
            let born = birth_date(subject.and_then(|subject| subject.born.as_ref()).map(PartialDate::as_str));
            session.keep_in_new_chart(
                name,
                born.as_deref(),
                Relation::Other,
                bundle.resources.clone(),
                &mut go_on,
            )?
        }
    };
    if kept.stopped {
        return Ok(ImportView { import, phase: ImportPhase::Stopped, total, ..ImportView::default() });
    }
    if let Some(name) = remembered_name(bundle) {
        session.set_setting(&name, chart.as_bytes())?;
    }
    session.tell(Topic::Charts);
    session.tell(Topic::Record { chart });
    Ok(ImportView {
        import,
        phase: ImportPhase::Done,
        done: total,
        total,
        added: kept.added,
        already: kept.already,
        erased: kept.erased,
        chart: Some(chart),
        message_id: None,
    })
}

fn bad_file(message_id: &str) -> CallError {
    CallError::new(Code::BadFile, message_id)
}

fn too_large() -> CallError {
    bad_file("error-file-large").with("limit", MAX_BUNDLE_BYTES >> 20)
}

/// How a screen says what is wrong with a file, and where.
fn file_error(error: &ReadBundleError) -> CallError {
    match error {
        ReadBundleError::Empty => bad_file("error-file-empty"),
        ReadBundleError::TooLarge { .. } => too_large(),
        ReadBundleError::NotUtf8 { byte } => bad_file("error-file-text").with("byte", byte),
        ReadBundleError::Truncated { line, column } => {
            bad_file("error-file-truncated").with("line", line).with("column", column)
        }
        ReadBundleError::Syntax { line, column } => {
            bad_file("error-file-json").with("line", line).with("column", column)
        }
        ReadBundleError::NotABundle { found } => bad_file("error-file-not-fhir").with("found", found),
        ReadBundleError::WrongResource { place, line, problem } => {
            bad_file("error-file-resource").with("path", place).with("line", line).with("problem", problem)
        }
        ReadBundleError::TooManyEntries { limit } => bad_file("error-file-many").with("limit", limit),
        _ => bad_file("error-file-not-fhir"),
    }
}

#[cfg(test)]
mod tests;
