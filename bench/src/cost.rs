//! What this process and its children have cost: CPU time, peak memory, bytes written.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::Failed;

/// CPU time that this thread has used.
pub(crate) fn cpu_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// CPU time of the children that have ended and were waited for, to a hundredth of a second.
pub(crate) fn children_cpu_time() -> Result<Duration, Failed> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The name of the program may hold anything; what follows it is numbers. proc(5): cutime is field 16, cstime 17.
    let (_, numbers) = stat.rsplit_once(')').ok_or("the system does not say CPU times")?;
    let mut ticks = 0;
    for field in numbers.split_whitespace().skip(13).take(2) {
        ticks += field.parse::<u64>()?;
    }
    Ok(Duration::from_millis(ticks * 10))
}

/// Most memory that this process has had, in MB.
pub(crate) fn peak_mb() -> Result<f64, Failed> {
    status_mb("VmHWM:")
}

/// Memory that this process has now, in MB.
pub(crate) fn present_mb() -> Result<f64, Failed> {
    status_mb("VmRSS:")
}

fn status_mb(name: &str) -> Result<f64, Failed> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let said = status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .and_then(|rest| rest.split_whitespace().next());
    let kib: f64 = said.ok_or("the system does not say what memory is used")?.parse()?;
    Ok(kib * 1_024.0 / 1e6)
}

/// Bytes that this process has handed to write calls.
pub(crate) fn written() -> Result<u64, Failed> {
    let io = std::fs::read_to_string("/proc/self/io")?;
    let written = io.lines().find_map(|line| line.strip_prefix("wchar:")).map(str::trim);
    Ok(written.ok_or("the system does not say what was written")?.parse()?)
}
