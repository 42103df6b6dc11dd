//! What happens by the clock: work that is due and the news of it, partners' servers that are polled, folders, overdue
//! acknowledgments, mail. Each in a task of its own, so that one's trouble is never another's.

use std::collections::HashMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::arrivals::Arrivals;
use super::outbox::Outbox;
use crate::config::profile::connection::{Folder, RemoteServer};
use crate::notify::mail::Mailer;
use crate::notify::outbox::{Patience, work_off};
use crate::storage::partners::ConnectionRow;
use crate::storage::work::Duty;
use crate::storage::{Class, Failure};
use crate::transport::folder::{AfterCommit, WatchedFolder};
use crate::transport::sftp_client::{FetchOrder, PartnerServer};
use crate::transport::spool::SpoolFolder;
use crate::workflow::seal::{self, Sealing};
use crate::workflow::{Gateway, jump, outage, receipts, run, shipments, watch as overdue};

/// Says when to stop.
pub type Stop = watch::Receiver<bool>;

/// Waits for `pause`, or until it is time to stop; true to go on.
async fn pause(stop: &mut Stop, pause: Duration) -> bool {
    tokio::select! {
        () = tokio::time::sleep(pause) => !*stop.borrow(),
        _ = stop.changed() => false,
    }
}

/// Runs a task until it ends by itself, which it does when it is time to stop. One that breaks off by a fault of the
/// program is told of and begun anew a second later: a gateway never goes on with a part of it missing.
pub fn keep<F>(
    task: &'static str,
    stop: &Stop,
    begin: impl Fn() -> F + Send + 'static,
) -> tokio::task::JoinHandle<()>
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut stop = stop.clone();
    tokio::spawn(async move {
        while tokio::spawn(begin()).await.is_err() {
            tracing::error!(
                task,
                "a task broke off by a fault of the program; it is begun anew"
            );
            if !pause(&mut stop, Duration::from_secs(1)).await {
                return;
            }
        }
    })
}

/// Works whatever is due of a duty: at once when something was received, else at every look.
pub async fn work(gateway: Gateway, duty: Duty, mut stop: Stop) {
    let look = Duration::from_millis(gateway.settings.work.poll_milliseconds.max(10).into());
    while !*stop.borrow() {
        match run::work_until(&gateway, duty, &|| *stop.borrow()).await {
            Ok(0) => {
                tokio::select! {
                    () = gateway.woken(duty) => {}
                    () = tokio::time::sleep(look) => {}
                    _ = stop.changed() => {}
                }
            }
            Ok(_) => {}
            Err(failure) => {
                gateway.outage.note(gateway.now(), &failure);
                tracing::error!(%failure, "a round of work failed; it is tried again");
                if !pause(&mut stop, Duration::from_secs(1)).await {
                    return;
                }
            }
        }
    }
}

/// At most one announcement in so long: under load the others work already, and need not be told of every file.
const BETWEEN_ANNOUNCEMENTS: Duration = Duration::from_millis(20);

/// Tells the workers of other nodes what this one has for them: at once, and under load once for several.
pub async fn announce(gateway: Gateway, mut stop: Stop) {
    loop {
        tokio::select! {
            () = gateway.has_news() => {}
            _ = stop.changed() => return,
        }
        if let Err(failure) = gateway.store.announce_work().await {
            // They find it at their next look.
            tracing::debug!(%failure, "work could not be announced to other nodes");
        }
        if !pause(&mut stop, BETWEEN_ANNOUNCEMENTS).await {
            return;
        }
    }
}

/// Wakes the workers of this node when another announces work. Where the database announces nothing, they find it at
/// their next look.
pub async fn hear(gateway: Gateway, mut stop: Stop) {
    let mut told = false;
    let wake = || gateway.wake_workers();
    loop {
        let ended = tokio::select! {
            ended = gateway.store.hear_of_work(&wake) => ended,
            _ = stop.changed() => return,
        };
        if let Err(failure) = ended
            && !std::mem::replace(&mut told, true)
        {
            tracing::warn!(
                %failure,
                "work of other nodes is not announced; it is looked for every {} ms",
                gateway.settings.work.poll_milliseconds
            );
        }
        if !pause(&mut stop, Duration::from_secs(1)).await {
            return;
        }
    }
}

fn clocks(gateway: &Gateway) -> Duration {
    Duration::from_secs(gateway.settings.work.clocks_seconds.clamp(1, 3_600).into())
}

/// Tells what could not be told when it happened. Each node does, for it alone knows.
pub async fn outages(gateway: Gateway, stop: Stop) {
    repeat(clocks(&gateway), stop, || async {
        if let Err(failure) = outage::tell(&gateway).await {
            tracing::error!(%failure, "an outage of the database could not be told yet");
        }
    })
    .await;
}

/// Raises alerts for what is overdue.
pub async fn overdue(gateway: Gateway, stop: Stop) {
    repeat(clocks(&gateway), stop, || async {
        if let Err(failure) = jump::mend(&gateway).await {
            tracing::error!(%failure, "it could not be seen whether the clock went back");
        }
        if let Err(failure) = overdue::overdue_acknowledgments(&gateway).await {
            tracing::error!(%failure, "overdue acknowledgments could not be looked for");
        }
        if let Err(failure) = overdue::overdue_pickups(&gateway).await {
            tracing::error!(%failure, "files that nobody fetched could not be looked for");
        }
        if let Err(failure) = receipts::overdue(&gateway).await {
            tracing::error!(%failure, "overdue receipts could not be looked for");
        }
    })
    .await;
}

/// Seals what was written for ever.
pub async fn seals(gateway: Gateway, stop: Stop) {
    repeat(clocks(&gateway), stop, || async {
        match seal::seal(&gateway).await {
            Ok(Sealing::Done(rows)) if rows > 0 => tracing::debug!(rows, "sealed"),
            Ok(Sealing::Done(_) | Sealing::Elsewhere) => {}
            Ok(Sealing::Waiting) => tracing::warn!(
                "nothing is sealed yet: a transaction that began before still writes; it is tried again"
            ),
            Err(failure) => tracing::error!(%failure, "nothing could be sealed; it is tried again"),
        }
    })
    .await;
}

async fn repeat<F: Future<Output = ()>>(
    every: Duration,
    mut stop: Stop,
    mut act: impl FnMut() -> F,
) {
    loop {
        act().await;
        if !pause(&mut stop, every).await {
            return;
        }
    }
}

/// Polls every partner's own server on its own schedule. Each has its task; a new partner gets one within seconds.
pub async fn polls(gateway: Gateway, spool: PathBuf, mut stop: Stop) {
    let mut tasks: HashMap<i64, tokio::task::JoinHandle<()>> = HashMap::new();
    loop {
        match connections(&gateway, "sftp").await {
            Ok(rows) => {
                for row in rows {
                    tasks.entry(row.id).or_insert_with(|| {
                        tokio::spawn(poll_one(
                            gateway.clone(),
                            row.id,
                            spool.clone(),
                            stop.clone(),
                        ))
                    });
                }
            }
            Err(failure) => tracing::error!(%failure, "partners' servers could not be looked up"),
        }
        tasks.retain(|_, task| !task.is_finished());
        if !pause(&mut stop, Duration::from_secs(2)).await {
            break;
        }
    }
    for task in tasks.into_values() {
        task.abort();
    }
}

async fn connections(gateway: &Gateway, kind: &str) -> Result<Vec<ConnectionRow>, Failure> {
    gateway.store.read().await?.connections(kind).await
}

async fn poll_one(gateway: Gateway, id: i64, spool: PathBuf, mut stop: Stop) {
    let mut failures = 0;
    loop {
        let Ok(Some(row)) = row_of(&gateway, id).await else {
            return;
        };
        let server: RemoteServer = serde_json::from_str(&row.body).unwrap_or_default();
        let problem = fetch(&gateway, &row, &server, &spool).await.err();
        if let Err(failure) = note(&gateway, id, problem.clone()).await {
            tracing::error!(%failure, "a poll could not be noted");
        }
        let wait = match problem {
            None => {
                failures = 0;
                Duration::from_secs(server.interval_seconds.max(1).into())
            }
            Some(problem) => {
                failures += 1;
                tracing::warn!(connection = row.name, %problem, "poll failed");
                crate::transport::sftp_client::backoff(&server).after(failures)
            }
        };
        if !pause(&mut stop, wait).await {
            return;
        }
    }
}

async fn row_of(gateway: &Gateway, id: i64) -> Result<Option<ConnectionRow>, Failure> {
    gateway.store.read().await?.connection(id).await
}

async fn fetch(
    gateway: &Gateway,
    row: &ConnectionRow,
    server: &RemoteServer,
    spool: &Path,
) -> Result<(), String> {
    let Some(order) =
        FetchOrder::from_profile(server, row.id, gateway.settings.limits.file_bytes_max)
    else {
        return Ok(());
    };
    let partner = PartnerServer::from_profile(server, &gateway.settings.key_folder())
        .map_err(|refusal| refusal.to_string())?;
    let folder = SpoolFolder::open(spool).map_err(|error| error.to_string())?;
    let port = Arc::new(Arrivals::new(gateway.clone()));
    let report = partner
        .fetch(order, Arc::new(folder), port)
        .await
        .map_err(|error| error.to_string())?;
    match report.left.first() {
        None => Ok(()),
        Some(left) => Err(format!("{} stays there: {}", left.name, left.reason)),
    }
}

async fn note(gateway: &Gateway, id: i64, problem: Option<String>) -> Result<(), Failure> {
    let now = gateway.now();
    gateway
        .store
        .write(Class::Ordinary, move |connection| {
            let problem = problem.clone();
            Box::pin(async move { connection.note_poll(id, now, problem.as_deref()).await })
        })
        .await
}

/// Sends mail that waits, and says so in the outbox where none can be sent.
pub async fn mail(gateway: Gateway, stop: Stop) {
    const BATCH: usize = 20;
    let outbox = Outbox::new(gateway.clone());
    let mailer = match Mailer::from_settings(&gateway.settings.mail, &gateway.settings.key_folder())
    {
        Ok(mailer) => mailer,
        Err(error) => {
            tracing::error!(%error, "mail can not be sent; it stays in the outbox");
            None
        }
    };
    repeat(Duration::from_secs(1), stop, || async {
        // By the machine's pace, at the house's time.
        if let Err(error) = work_off(
            &outbox,
            mailer.as_ref(),
            Patience::default(),
            gateway.now(),
            BATCH,
        )
        .await
        {
            tracing::error!(%error, "the outbox could not be worked off");
        }
    })
    .await;
}

/// Looks into watched folders: partners' files, and confirmations of shipments from warehouses.
pub async fn folders(gateway: Gateway, spool: PathBuf, stop: Stop) {
    let every = Duration::from_secs(gateway.settings.work.folder_seconds.max(1).into());
    repeat(every, stop, || async {
        if let Err(problem) = partner_folders(&gateway, &spool).await {
            tracing::warn!(%problem, "watched folders could not be looked into");
        }
        confirmations(&gateway).await;
    })
    .await;
}

async fn partner_folders(gateway: &Gateway, spool: &Path) -> Result<(), String> {
    let rows = connections(gateway, "folder")
        .await
        .map_err(|failure| failure.to_string())?;
    for row in rows {
        let settings: Folder = serde_json::from_str(&row.body).unwrap_or_default();
        let path = gateway.settings.data_path(&settings.inbound);
        let problem = look_into(gateway, &row, path, spool).await.err();
        if let Some(problem) = &problem {
            tracing::warn!(connection = row.name, %problem, "a watched folder is in trouble");
        }
        if row.problem != problem {
            note(gateway, row.id, problem)
                .await
                .map_err(|failure| failure.to_string())?;
        }
    }
    Ok(())
}

async fn look_into(
    gateway: &Gateway,
    row: &ConnectionRow,
    path: PathBuf,
    spool: &Path,
) -> Result<(), String> {
    std::fs::create_dir_all(&path)
        .map_err(|error| format!("{} can not be made: {error}", path.display()))?;
    let folder = WatchedFolder {
        connection_id: row.id,
        after: AfterCommit::MoveTo(path.join("processed")),
        path,
        file_bytes: gateway.settings.limits.file_bytes_max,
        settle: Duration::from_secs(1),
    };
    let spool = SpoolFolder::open(spool).map_err(|error| error.to_string())?;
    let report = folder
        .fetch(Arc::new(spool), Arc::new(Arrivals::new(gateway.clone())))
        .await
        .map_err(|error| error.to_string())?;
    match report.left.first() {
        None => Ok(()),
        Some(left) => Err(format!("{} stays there: {}", left.name, left.reason)),
    }
}

/// Takes in what warehouses that confirm by file have laid into `warehouses/CODE/`: JSON in the shape of
/// `shipment confirm`. A file that is refused is moved to `refused/` with the reason beside it.
async fn confirmations(gateway: &Gateway) {
    let root = gateway.settings.data_path("warehouses");
    let Ok(codes) = std::fs::read_dir(&root) else {
        return;
    };
    for folder in codes
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
    {
        let Ok(files) = std::fs::read_dir(&folder) else {
            continue;
        };
        let mut names: Vec<PathBuf> = files
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| {
                path.extension()
                    .is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
            })
            .collect();
        names.sort();
        for path in names {
            confirm(gateway, &folder, &path).await;
        }
    }
}

async fn confirm(gateway: &Gateway, folder: &Path, path: &Path) {
    let name = path.file_name().unwrap_or_default();
    let outcome = match std::fs::read(path) {
        Ok(bytes) => {
            let code = folder.file_name().unwrap_or_default().to_string_lossy();
            shipments::confirm_file(gateway, &code, &bytes)
                .await
                .map_err(|failure| failure.to_string())
        }
        Err(error) => Err(error.to_string()),
    };
    let to = folder.join(if outcome.is_ok() {
        "processed"
    } else {
        "refused"
    });
    let moved = std::fs::create_dir_all(&to).and_then(|()| std::fs::rename(path, to.join(name)));
    if let Err(error) = moved {
        tracing::error!(%error, path = %path.display(), "a confirmation could not be moved away");
    }
    if let Err(why) = outcome {
        tracing::warn!(%why, path = %path.display(), "a confirmation was refused");
        if let Err(failure) = shipments::tell_refused(gateway, &to.join(name), &why).await {
            tracing::error!(%failure, "ops could not be told of a refused confirmation");
        }
        let reason = to.join(format!("{}.reason.txt", name.to_string_lossy()));
        if let Err(error) = std::fs::write(&reason, format!("{why}\n")) {
            tracing::error!(%error, "the reason could not be written");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_task_that_breaks_off_is_begun_anew() {
        let (_running, stop) = watch::channel(false);
        let begun = Arc::new(AtomicUsize::new(0));
        let counting = begun.clone();
        keep("trial", &stop, move || {
            let begun = counting.clone();
            async move {
                assert!(begun.fetch_add(1, Ordering::SeqCst) >= 2, "a fault");
            }
        })
        .await
        .expect("it ends");
        assert_eq!(begun.load(Ordering::SeqCst), 3);
    }
}
