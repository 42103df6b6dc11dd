//! Files handed over as partners do, and how long each waits for its 997.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use supercargo::domain::ids::ConnectionId;
use supercargo::storage::{Connection, Store};
use supercargo::workflow::Gateway;
use supercargo::workflow::receive::{Upload, UploadSource, receive};

use super::house::Sender;
use super::{Broken, Outcome};

/// How often the mailboxes are looked into: the error of a measured wait. At a steady rate more often, for the waits are
/// short, and what looking costs is not missing.
const LOOK: Duration = Duration::from_millis(10);
const LOOK_STEADILY: Duration = Duration::from_millis(4);

/// Hands a file over; its number.
pub async fn hand_over(gateway: &Gateway, sender: &Sender, source: UploadSource) -> Outcome<i64> {
    let upload = Upload {
        connection: Some(ConnectionId(sender.mailbox)),
        partner: None,
        name: "po.edi".to_owned(),
        source,
        actor: sender.id.clone(),
        key: None,
    };
    Ok(receive(gateway, upload).await?.0)
}

/// Which files wait for their 997, each since when, and how long others have waited.
#[derive(Default)]
struct Waits {
    complete: HashMap<i64, Instant>,
    took: Vec<Duration>,
}

/// Watches the mailboxes for 997s.
#[derive(Clone)]
pub struct Watch {
    waits: Arc<Mutex<Waits>>,
    open: Arc<AtomicI64>,
    stop: Arc<AtomicBool>,
}

impl Watch {
    /// Begins, for files that come at a steady rate or as fast as they are answered.
    pub fn begin(store: Store, steadily: bool) -> (Self, tokio::task::JoinHandle<Outcome<()>>) {
        let watch = Self {
            waits: Arc::default(),
            open: Arc::default(),
            stop: Arc::default(),
        };
        let inside = watch.clone();
        let look = if steadily { LOOK_STEADILY } else { LOOK };
        (
            watch,
            tokio::spawn(async move { inside.look(store, look).await }),
        )
    }

    /// Files that wait for their 997.
    pub fn open(&self) -> i64 {
        self.open.load(Ordering::Relaxed)
    }

    /// A file is complete from `at` on; called when its number is known.
    pub fn complete(&self, file: i64, at: Instant) -> Outcome<()> {
        let mut waits = self
            .waits
            .lock()
            .map_err(|_| Broken("the watch broke".to_owned()))?;
        waits.complete.insert(file, at);
        self.open.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Looks after those alone that wait, for what is spent on looking is missing where it is measured.
    async fn look(self, store: Store, look: Duration) -> Outcome<()> {
        while !self.stop.load(Ordering::Relaxed) {
            let waiting = self.waiting()?;
            let mut connection = store.read().await?;
            for files in waiting.chunks(500) {
                let answered = answered(&mut connection, files).await?;
                self.note(&answered)?;
            }
            drop(connection);
            tokio::time::sleep(look).await;
        }
        Ok(())
    }

    /// The files that wait for their 997.
    fn waiting(&self) -> Outcome<Vec<i64>> {
        let waits = self
            .waits
            .lock()
            .map_err(|_| Broken("the watch broke".to_owned()))?;
        Ok(waits.complete.keys().copied().collect())
    }

    /// These received files have their 997.
    fn note(&self, files: &[i64]) -> Outcome<()> {
        let now = Instant::now();
        let mut waits = self
            .waits
            .lock()
            .map_err(|_| Broken("the watch broke".to_owned()))?;
        for file in files {
            if let Some(complete) = waits.complete.remove(file) {
                waits.took.push(now.duration_since(complete));
                self.open.fetch_sub(1, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    /// Ends; the waits, shortest first.
    pub fn end(&self) -> Outcome<Vec<Duration>> {
        self.stop.store(true, Ordering::Relaxed);
        let mut waits = self
            .waits
            .lock()
            .map_err(|_| Broken("the watch broke".to_owned()))?;
        let mut took = std::mem::take(&mut waits.took);
        took.sort_unstable();
        Ok(took)
    }
}

/// Of these received files those whose 997 lies in the mailbox.
async fn answered(connection: &mut Connection, files: &[i64]) -> Outcome<Vec<i64>> {
    let places: Vec<String> = (1..=files.len()).map(|n| format!("${n}")).collect();
    let sql = format!(
        "SELECT interchange.file_id FROM interchange JOIN document ON document.subject_kind = 'interchange'
         AND document.subject_id = interchange.id AND document.delivery = 'delivered'
         WHERE interchange.file_id IN ({})",
        places.join(", ")
    );
    let values = files.iter().map(|id| (*id).into()).collect();
    let files: Vec<(i64,)> = connection.rows(&sql, values).await?;
    Ok(files.into_iter().map(|(file,)| file).collect())
}

/// The wait that `percent` of the waits do not exceed, in milliseconds.
pub fn percentile(waits: &[Duration], percent: usize) -> u128 {
    let at = (waits.len() * percent / 100).min(waits.len().saturating_sub(1));
    waits.get(at).map_or(0, Duration::as_millis)
}
