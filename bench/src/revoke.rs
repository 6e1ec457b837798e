//! Row `revoke`: one of five members is removed from two hundred spaces, and the app is killed in the middle of it.
//!
//! The removing is done in processes of their own. The first one is killed after half of the charts, the second does the rest.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use mecum_api::MemberRemoveArgs;
use mecum_client::testing::{first_device, surroundings};
use mecum_client::{Session, SessionError};
use mecum_domain::{ChartId, Field, Kind, Relation, Section};
use mecum_sync::Role;
use mecum_vault::Location;

use crate::Failed;
use crate::chart::{SEED, location, unlock};
use crate::cost::{children_cpu_time, cpu_time};
use crate::line::{Server, exchange, sign_in};
use crate::report::{Numbers, Row};

/// The word with which the bench starts itself.
pub(crate) const CHILD: &str = "revoke-child";

const SPACES: usize = 200;
const OTHERS: u64 = 4;
const TIMES: usize = 10;

const MOST_MS: f64 = 5_000.0;

pub(crate) async fn measure(work: &Path) -> Result<Row, Failed> {
    let folder = work.join("revoke");
    let removed = build(&folder).await?;
    let (mut ours, mut killed_at) = (Numbers::default(), Vec::new());
    for time in 0..TIMES {
        let (took, charts) = once(&folder, &removed, time).await?;
        ours.time(took);
        killed_at.push(charts);
    }
    let what = format!(
        "member_remove of one of {} members from {SPACES} spaces of {} charts, and the exchange until the server has taken all of it: a cut, a new epoch and its wraps for those who stay in each space. CPU time of the device: the process that is killed while it removes from chart {} or the one after, the one that unlocks the vault again and does the rest, and the exchange",
        OTHERS + 1,
        SPACES.div_ceil(Section::RECORD.len()),
        killed_at.first().copied().unwrap_or(0),
    );
    Ok(Row::of("revoke", what, "≤ 5 s of work", "ms", &ours, |ms| ms <= MOST_MS))
}

/// The owner's vault and the relay, with five members in every space. Answers the account that will be removed.
async fn build(folder: &Path) -> Result<String, Failed> {
    let server = Server::start(&folder.join("relay")).await?;
    let remote = server.remote()?;
    let mut owner = first_device(&location(&folder.join("owner")), surroundings(SEED));
    owner.pin_for_tests(server.relay.key());
    remote.enrol(&server.relay.make_enrolment_code()?, owner.genesis_for_tests()?).await?;
    let signed_in = sign_in(&owner, &remote).await?;
    let mut charts: Vec<(ChartId, Vec<Section>)> = Vec::new();
    let mut left = SPACES;
    while left > 0 {
        let chart = owner.create_chart("Somebody", Some("1960-01-01"), Relation::Other, None)?;
        let sections: Vec<Section> = Section::RECORD.iter().copied().take(left).collect();
        left -= sections.len();
        charts.push((chart, sections));
    }
    let mut others = Vec::new();
    for number in 0..OTHERS {
        let mut other = first_device(&Location::Memory, surroundings(SEED + 700 + number));
        other.pin_for_tests(server.relay.key());
        remote.enrol(&server.relay.make_enrolment_code()?, other.genesis_for_tests()?).await?;
        for (chart, sections) in &charts {
            owner.let_into_for_tests(*chart, sections.clone(), Role::Writer, &mut other);
        }
        exchange(&mut owner, &remote, &signed_in).await?;
        others.push(other);
    }
    // Who is removed has written in each chart: there is something to cut.
    let mut other = others.pop().ok_or("there are others")?;
    let as_other = sign_in(&other, &remote).await?;
    exchange(&mut other, &remote, &as_other).await?;
    for (chart, sections) in &charts {
        if sections.contains(&Section::Diary) {
            other.add(*chart, Kind::Note, vec![(Field::Text, "Seen today.".to_owned())])?;
        }
    }
    exchange(&mut other, &remote, &as_other).await?;
    exchange(&mut owner, &remote, &signed_in).await?;
    let account = other.account_for_tests();
    owner.lock()?;
    server.stop().await;
    Ok(account)
}

/// CPU time of one removal, and after how many charts it was interrupted.
async fn once(folder: &Path, account: &str, time: usize) -> Result<(Duration, usize), Failed> {
    let (profile, relay) = (folder.join(format!("owner-{time}")), folder.join(format!("relay-{time}")));
    crate::copy_files(&folder.join("owner"), &profile)?;
    crate::copy_files(&folder.join("relay"), &relay)?;
    let before = children_cpu_time()?;
    let half = SPACES.div_ceil(Section::RECORD.len()) / 2;
    let done = remove_in_child(&profile, account, Some(half))?;
    remove_in_child(&profile, account, None)?;
    let mut took = children_cpu_time()?.saturating_sub(before);

    let server = Server::start(&relay).await?;
    let remote = server.remote()?;
    let mut owner = unlock(&profile)?;
    let signed_in = sign_in(&owner, &remote).await?;
    loop {
        let began = cpu_time();
        let request = owner.request()?;
        let said = owner.said(&request, signed_in.forms);
        took += cpu_time().saturating_sub(began);
        let response = remote.sync_as_said(&signed_in, &said).await?;
        let began = cpu_time();
        let more = owner.accept(&request, &response)?.more;
        took += cpu_time().saturating_sub(began);
        if !more {
            break;
        }
    }
    let left = owner.charts().into_iter().filter(|chart| has(&owner, *chart, account)).count();
    if left > 0 || owner.has_something_to_say() {
        return Err(format!("still a member in {left} charts").into());
    }
    server.stop().await;
    drop(owner);
    std::fs::remove_dir_all(profile)?;
    std::fs::remove_dir_all(relay)?;
    Ok((took, done))
}

fn has(owner: &Session, chart: ChartId, account: &str) -> bool {
    let members = owner.members(chart).map(|view| view.members).unwrap_or_default();
    let theirs = members.into_iter().find(|member| member.account == account);
    theirs.is_some_and(|member| {
        member.sections.iter().any(|section| section.state == mecum_api::MemberState::Member)
    })
}

/// Removes in a process of its own. It says a line for each chart that is done; after `kill` of them it is killed.
fn remove_in_child(profile: &Path, account: &str, kill: Option<usize>) -> Result<usize, Failed> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(CHILD).arg(profile).arg(account).stdout(Stdio::piped());
    let mut child = command.spawn()?;
    let said = child.stdout.take().ok_or("its output was asked for")?;
    let mut done = 0;
    for line in BufReader::new(said).lines() {
        line?;
        done += 1;
        if Some(done) == kill {
            child.kill()?;
        }
    }
    let ended = child.wait()?;
    if ended.success() == kill.is_some() {
        return Err("the removing process did not end as it should".into());
    }
    Ok(done)
}

/// The removing process: profile folder, account.
pub(crate) fn child(arguments: &[String]) -> Result<(), Failed> {
    let [profile, account] = arguments else { return Err("usage: revoke-child PROFILE ACCOUNT".into()) };
    let mut owner = unlock(Path::new(profile))?;
    for chart in owner.charts() {
        let args = MemberRemoveArgs { chart, account: account.clone(), ..MemberRemoveArgs::default() };
        match owner.member_remove(&args) {
            // Nowhere in this chart any more: done before the kill.
            Ok(_) | Err(SessionError::Call(_)) => println!("{chart}"),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
