//! The steps of order-to-cash, one file each, in the order of the path of the data: receive, read, translate, verify,
//! allocate, fulfil, invoice, collect, deliver; and what people do between them.
//!
//! Every step may run twice and may die at any instant: its effects commit together, each under a key that the database
//! keeps unique.

pub mod allocate;
pub mod collect;
pub mod correction;
pub mod deductions;
pub mod deliver;
pub mod documents;
pub mod fate;
pub mod fulfil;
pub mod invoice;
pub mod jump;
pub mod labels;
pub mod last_day;
pub mod lists;
pub mod notice;
pub mod orders;
pub mod outage;
pub mod outbound;
pub mod pace;
pub mod partners;
pub mod payments;
pub mod prove;
pub mod push;
pub mod read;
pub mod receipts;
pub mod receive;
pub mod run;
pub mod seal;
pub mod shipments;
pub mod trail;
pub mod translate;
pub mod verify;
pub mod watch;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

use crate::config::profile::Profile;
use crate::config::settings::Settings;
use crate::domain::clock::{Clock, Instant};
use crate::domain::ids::{CompanyId, PartnerId};
use crate::storage::work::Duty;
use crate::storage::{Connection, Failure, Store};

/// The company that a gateway serves. Settings that name a second one are refused; the schema has room for it.
pub const COMPANY: CompanyId = CompanyId(1);

/// Profiles that were read, by partner and version.
type Profiles = HashMap<(i64, i64), Arc<Profile>>;

/// What every step is handed: the store, the clock, the settings. Cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    /// The database.
    pub store: Store,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Settings of the program.
    pub settings: Arc<Settings>,
    /// What could not be written down while the database was away.
    pub outage: Arc<outage::Outage>,
    pace: Arc<pace::Pace>,
    profiles: Arc<Mutex<Profiles>>,
    waker: Arc<Notify>,
    /// The same for the worker that is there for received files alone: what wakes one is not to be used up by the other.
    reader_waker: Arc<Notify>,
    teller: Arc<Notify>,
    /// Where documents are built beside the transaction that asks for them.
    beside: Option<outbound::Beside>,
    /// Where uploads wait for the transaction that takes them in.
    reception: Arc<receive::Reception>,
    trail: Arc<trail::Scribe>,
    serials: Arc<labels::Reserve>,
    unreturned: Arc<run::Unreturned>,
}

/// A partner with the version of its profile that is in force.
#[derive(Clone)]
pub struct Trading {
    /// The partner.
    pub partner: PartnerId,
    /// Version of the profile.
    pub version: i64,
    /// live or test.
    pub status: String,
    /// The profile.
    pub profile: Arc<Profile>,
}

impl Gateway {
    /// A gateway over a store.
    pub fn new(store: Store, clock: Arc<dyn Clock>, settings: Arc<Settings>) -> Self {
        Self {
            store,
            clock,
            settings,
            outage: Arc::default(),
            pace: Arc::default(),
            profiles: Arc::default(),
            waker: Arc::default(),
            reader_waker: Arc::default(),
            teller: Arc::default(),
            beside: None,
            reception: Arc::default(),
            trail: Arc::default(),
            serials: Arc::default(),
            unreturned: Arc::default(),
        }
    }

    /// The present instant.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// The same gateway for one transaction, beside which documents are built.
    fn building_beside(&self) -> Self {
        Self {
            beside: Some(outbound::Beside::default()),
            ..self.clone()
        }
    }

    /// Tells the workers that there is something to do: those of this process, and those of other nodes over the same
    /// database.
    pub fn wake(&self) {
        self.wake_workers();
        self.teller.notify_one();
    }

    /// Tells the workers of this process alone.
    pub fn wake_workers(&self) {
        for waker in [&self.waker, &self.reader_waker] {
            waker.notify_waiters();
            // For one that works now, and looks again when it has ended.
            waker.notify_one();
        }
    }

    /// Waits until the workers of this process are told. One that was told while it worked looks once more.
    pub async fn woken(&self, duty: Duty) {
        match duty {
            Duty::Files => self.reader_waker.notified().await,
            Duty::Everything | Duty::TheRest => self.waker.notified().await,
        }
    }

    /// Waits until there is something that other nodes are to be told.
    pub async fn has_news(&self) {
        self.teller.notified().await;
    }

    /// Waits until the log tells of all that was done.
    pub async fn all_told(&self) {
        self.trail.all_told().await;
    }

    /// A partner with its profile.
    pub async fn trading(
        &self,
        connection: &mut Connection,
        partner: PartnerId,
    ) -> Result<Trading, Failure> {
        let row = connection
            .partner(partner.0)
            .await?
            .ok_or_else(|| Failure::Corrupt {
                table: "partner",
                key: partner.to_string(),
                why: "a row names this partner and it is not there".to_owned(),
            })?;
        let key = (row.id, row.profile_version);
        let known = self
            .profiles
            .lock()
            .ok()
            .and_then(|profiles| profiles.get(&key).cloned());
        let profile = match known {
            Some(profile) => profile,
            None => {
                let text = connection
                    .profile(row.id, row.profile_version)
                    .await?
                    .unwrap_or_default();
                let profile =
                    Arc::new(Profile::parse(&text).map_err(|refusal| Failure::Corrupt {
                        table: "profile",
                        key: format!("{} version {}", row.code, row.profile_version),
                        why: refusal.to_string(),
                    })?);
                if let Ok(mut profiles) = self.profiles.lock() {
                    profiles.insert(key, profile.clone());
                }
                profile
            }
        };
        Ok(Trading {
            partner,
            version: row.profile_version,
            status: row.status,
            profile,
        })
    }
}
