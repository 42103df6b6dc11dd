//! Starting and stopping a gateway.

use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::clock::HouseClock;
use super::endpoints::Endpoints;
use super::mailbox::Mailboxes;
use super::{occupancy, schedules};
use crate::config::roles::{self, Role};
use crate::config::settings::Settings;
use crate::domain::clock::Instant;
use crate::storage::objects::{Objects, ObjectsRefusal};
use crate::storage::work::Duty;
use crate::storage::{Class, Failure, Store, StoreLocation};

use crate::transport::sftp_server::{Limits, SftpServer, SftpServerError, SftpServerSettings};
use crate::workflow::Gateway;

/// How a gateway is to be started.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// The settings, with the data folder in `data`.
    pub settings: Settings,
    /// Where the database is.
    pub location: StoreLocation,
    /// Overrides the settings' SFTP address.
    pub sftp: Option<String>,
    /// Overrides the settings' HTTP address.
    pub http: Option<String>,
    /// What the clock shows at the start; none: the machine's time.
    pub now: Option<Instant>,
}

/// Why a gateway did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeFailure {
    /// The data folder can not be used.
    #[error(
        "the data folder {path} can not be used: {source}; choose another with --data, or mend its permissions"
    )]
    DataFolder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Another gateway serves the folder.
    #[error(
        "a gateway serves {path} already, and a data folder has one: stop it first, or give this one a folder of its own with --data (several gateways share a PostgreSQL database, not a folder)"
    )]
    Occupied {
        /// The folder.
        path: PathBuf,
    },
    /// An address that is none.
    #[error("{text:?} is no address to listen on: write host:port, such as 127.0.0.1:8080")]
    Address {
        /// As given.
        text: String,
    },
    /// The console's address can not be taken.
    #[error(
        "the console can not listen on {address}: {source}; choose another address with --http, or stop what uses it"
    )]
    Http {
        /// Where.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A mailbox over SQLite whose files nobody would work off.
    #[error(
        "a node that is {roles} and not workers would confirm files to partners and leave them lying: over SQLite one gateway serves a data folder, and no other can do the work. Add workers to its roles, or share a PostgreSQL database with a node that works (--database-url)"
    )]
    NobodyWorks {
        /// Its roles.
        roles: String,
    },
    /// A console that is turned off, and no other role.
    #[error(
        "this node would do nothing: it is a console alone, and the settings turn the console off ([http] enabled = false). Turn it on, or give the node another role"
    )]
    Idle,
    /// The object store of the settings can not be set up.
    #[error(transparent)]
    Objects(#[from] ObjectsRefusal),
    /// The mailbox did not start.
    #[error(transparent)]
    Sftp(#[from] SftpServerError),
    /// The database did not open.
    #[error(transparent)]
    Store(#[from] Failure),
}

/// A running gateway.
pub struct Service {
    /// For whoever works beside it in the same process.
    pub gateway: Gateway,
    /// Its clock, to be set by a rehearsal.
    pub clock: Arc<HouseClock>,
    /// Where it is reached.
    pub endpoints: Endpoints,
    data: PathBuf,
    stop: watch::Sender<bool>,
    sftp: Option<SftpServer>,
    tasks: Vec<JoinHandle<()>>,
    /// Held until it has stopped.
    _occupied: std::fs::File,
}

/// Makes the data folder and opens the gateway of it, without serving anything.
pub async fn open(
    settings: Settings,
    location: StoreLocation,
    now: Option<Instant>,
) -> Result<(Gateway, Arc<HouseClock>), ServeFailure> {
    make_folder(&settings.data)?;
    let clock = Arc::new(HouseClock::starting_at(now));
    let objects = Objects::of(&settings.objects, &settings.data)?;
    let store = Store::open_with(location, settings.database.connections_max)
        .await?
        .with_objects(objects);
    Ok((
        Gateway::new(store, clock.clone(), Arc::new(settings)),
        clock,
    ))
}

/// One that is made anew is not for everybody to read: it holds what was traded.
fn make_folder(path: &Path) -> Result<(), ServeFailure> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o750)
        .create(path)
        .map_err(|source| ServeFailure::DataFolder {
            path: path.to_owned(),
            source,
        })
}

impl Service {
    /// Starts everything. When this returns, partners can log in and `endpoints.json` is written.
    pub async fn start(options: ServeOptions) -> Result<Self, ServeFailure> {
        let data = options.settings.data.clone();
        check_roles(&options)?;
        make_folder(&data)?;
        let occupied = occupancy::occupy(&data)
            .map_err(|source| ServeFailure::DataFolder {
                path: data.clone(),
                source,
            })?
            .ok_or_else(|| ServeFailure::Occupied { path: data.clone() })?;
        // What one that was killed left behind would lead clients astray until ours is written.
        Endpoints::remove(&data);
        let (gateway, clock) = open(options.settings, options.location, options.now).await?;
        let settings = gateway.settings.clone();
        let node = &settings.node;
        let on_sqlite = matches!(gateway.store.location(), StoreLocation::Sqlite(_));
        if on_sqlite && node.has(Role::Workers) {
            free_lanes(&gateway).await?;
        }
        let (stop, stopping) = watch::channel(false);
        let sftp = match node.has(Role::Mailbox) && settings.sftp.enabled {
            true => Some(start_sftp(&gateway, &data, options.sftp.as_deref()).await?),
            false => None,
        };
        let mut tasks = Vec::new();
        let mut http = String::new();
        if node.has(Role::Console) && settings.http.enabled {
            let (address, task) =
                start_http(&gateway, options.http.as_deref(), stopping.clone()).await?;
            http = address.to_string();
            tasks.push(task);
        }
        let endpoints = Endpoints {
            sftp: sftp
                .as_ref()
                .map(|server| server.address().to_string())
                .unwrap_or_default(),
            http,
            roles: node.roles.clone(),
            host_key: sftp
                .as_ref()
                .map(|server| server.host_key().openssh())
                .unwrap_or_default(),
            host_key_fingerprint: sftp
                .as_ref()
                .map(|server| server.host_key().fingerprint())
                .unwrap_or_default(),
            clock_shift_micros: clock.shift().num_microseconds().unwrap_or_default(),
            pid: std::process::id(),
        };
        tasks.extend(begin(&gateway, &data, &stopping));
        endpoints
            .write(&data)
            .map_err(|source| ServeFailure::DataFolder {
                path: data.clone(),
                source,
            })?;
        Ok(Self {
            gateway,
            clock,
            endpoints,
            data,
            stop,
            sftp,
            tasks,
            _occupied: occupied,
        })
    }

    /// Tells commands beside this gateway what its clock shows, after somebody has set it.
    pub fn tell_clock(&mut self) -> std::io::Result<()> {
        let shift = self.clock.shift().num_microseconds();
        self.endpoints.clock_shift_micros = shift.unwrap_or_default();
        self.endpoints.write(&self.data)
    }

    /// Stops gracefully: no new logins, running steps end, nothing is left half done.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        Endpoints::remove(&self.data);
        if let Some(sftp) = self.sftp {
            sftp.stop().await;
        }
        let patience =
            Duration::from_secs(self.gateway.settings.work.shutdown_seconds.max(1).into());
        let all = async {
            futures::future::join_all(self.tasks).await;
            self.gateway.all_told().await;
        };
        if tokio::time::timeout(patience, all).await.is_err() {
            tracing::warn!(
                "some tasks did not end in time; what they had begun is done again at the next start"
            );
        }
    }
}

/// Takes over at once what a gateway had begun that was killed: over SQLite there is no other. A command that works beside
/// us loses its lanes, and its fence sees to it that it does nothing more in them.
async fn free_lanes(gateway: &Gateway) -> Result<(), Failure> {
    gateway
        .store
        .write(Class::Urgent, |connection| {
            Box::pin(async move { connection.free_lanes().await })
        })
        .await
}

/// Refuses roles with which this gateway would leave work lying, or do nothing.
fn check_roles(options: &ServeOptions) -> Result<(), ServeFailure> {
    let node = &options.settings.node;
    let on_sqlite = matches!(options.location, StoreLocation::Sqlite(_));
    if on_sqlite && node.has(Role::Mailbox) && !node.has(Role::Workers) {
        return Err(ServeFailure::NobodyWorks {
            roles: roles::words(&node.roles),
        });
    }
    if node.roles == [Role::Console] && !options.settings.http.enabled {
        return Err(ServeFailure::Idle);
    }
    Ok(())
}

/// The workers of a node, by what each is there for. Over SQLite one does everything: where one transaction is written at
/// a time, another that reads would only take fewer files into each of its own.
fn workers(gateway: &Gateway) -> Vec<Duty> {
    const MOST: usize = 4;
    let of_the_rest = match (gateway.store.location(), gateway.settings.work.workers) {
        (StoreLocation::Sqlite(_), _) => return vec![Duty::Everything],
        (StoreLocation::Postgres(_), 0) => {
            std::thread::available_parallelism().map_or(1, |cores| cores.get().min(MOST))
        }
        (StoreLocation::Postgres(_), workers) => workers as usize,
    };
    let mut workers = vec![Duty::TheRest; of_the_rest];
    workers.push(Duty::Files);
    workers
}

/// Begins the tasks that this node's roles ask for.
fn begin(gateway: &Gateway, data: &Path, stopping: &schedules::Stop) -> Vec<JoinHandle<()>> {
    let spool = data.join("spool").join("polls");
    let node = &gateway.settings.node;
    let mut tasks = Vec::new();
    let mut keep = |name: &'static str, task: fn(Gateway, PathBuf, schedules::Stop) -> Running| {
        let (house, at, until) = (gateway.clone(), spool.clone(), stopping.clone());
        tasks.push(schedules::keep(name, stopping, move || {
            task(house.clone(), at.clone(), until.clone())
        }));
    };
    keep("outages", |house, _, until| {
        Box::pin(schedules::outages(house, until))
    });
    if matches!(gateway.store.location(), StoreLocation::Postgres(_)) {
        keep("announcements", |house, _, until| {
            Box::pin(schedules::announce(house, until))
        });
    }
    if node.has(Role::Mailbox) {
        keep("folders", |house, at, until| {
            Box::pin(schedules::folders(house, at, until))
        });
    }
    if node.has(Role::Workers) {
        keep("hearing", |house, _, until| {
            Box::pin(schedules::hear(house, until))
        });
        keep("clocks", |house, _, until| {
            Box::pin(schedules::overdue(house, until))
        });
        keep("seals", |house, _, until| {
            Box::pin(schedules::seals(house, until))
        });
        keep("mail", |house, _, until| {
            Box::pin(schedules::mail(house, until))
        });
        keep("polls", |house, at, until| {
            Box::pin(schedules::polls(house, at, until))
        });
        for duty in workers(gateway) {
            let (house, until) = (gateway.clone(), stopping.clone());
            tasks.push(schedules::keep("work", stopping, move || {
                schedules::work(house.clone(), duty, until.clone())
            }));
        }
    }
    tasks
}

/// A task on its way.
type Running = BoxFuture<'static, ()>;

fn listen(text: &str) -> Result<SocketAddr, ServeFailure> {
    use std::net::ToSocketAddrs;
    text.to_socket_addrs()
        .ok()
        .and_then(|mut addresses| addresses.next())
        .ok_or_else(|| ServeFailure::Address {
            text: text.to_owned(),
        })
}

async fn start_sftp(
    gateway: &Gateway,
    data: &Path,
    address: Option<&str>,
) -> Result<SftpServer, ServeFailure> {
    let settings = SftpServerSettings {
        listen: listen(address.unwrap_or(&gateway.settings.sftp.listen))?,
        host_key_folder: data.join("keys"),
        spool_folder: data.join("spool").join("uploads"),
        limits: Limits::from_settings(&gateway.settings),
    };
    Ok(SftpServer::start(settings, Arc::new(Mailboxes::new(gateway.clone()))).await?)
}

async fn start_http(
    gateway: &Gateway,
    address: Option<&str>,
    mut stopping: schedules::Stop,
) -> Result<(SocketAddr, JoinHandle<()>), ServeFailure> {
    let address = listen(address.unwrap_or(&gateway.settings.http.listen))?;
    let bound = |source| ServeFailure::Http { address, source };
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .map_err(bound)?;
    let address = listener.local_addr().map_err(bound)?;
    let router = crate::web::router(gateway.clone());
    let task = tokio::spawn(async move {
        let until = async move {
            // An error means that the sender is gone, which is a stop too.
            let _ = stopping.changed().await;
        };
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        if let Err(error) = axum::serve(listener, service)
            .with_graceful_shutdown(until)
            .await
        {
            tracing::error!(%error, "the console ended badly");
        }
    });
    Ok((address, task))
}
