//! The gateway that is measured: a fresh database, the lists and partners of the measurement, and the service's own
//! workers. Only the SFTP server and the console are left out; files are handed to `receive` as the mailbox does.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use supercargo::config::settings::Settings;
use supercargo::service::{ServeOptions, Service};
use supercargo::storage::StoreLocation;
use supercargo::workflow::lists::{self, ListKind};
use supercargo::workflow::partners;

use super::orders::Catalogue;
use super::{Broken, Outcome};

/// The warehouse that everything ships from.
pub const WAREHOUSE: &str = "EAST";
const WAREHOUSES: &str = "code,name,street,city,state,zip,country,zone,fulfilment,carrier\n\
    EAST,Supercargo East Warehouse,1 Harbor Street,Baltimore,MD,21201,US,America/New_York,at_once,SMPL\n";
const PROFILE: &str = include_str!("profile.toml");

/// Where databases are made for the measurement, and thrown away after it.
pub enum Ground {
    /// SQLite files in a folder.
    Folder(tempfile::TempDir),
    /// Databases of a PostgreSQL cluster.
    Cluster {
        /// The URL that was given.
        url: String,
        /// A folder for what is no row.
        folder: tempfile::TempDir,
    },
}

impl Ground {
    /// `sqlite`: in a folder under `beside`, for the folder for temporary files may be memory. Else a PostgreSQL URL.
    pub fn open(store: &str, beside: &Path) -> Outcome<Self> {
        std::fs::create_dir_all(beside)?;
        let folder = tempfile::tempdir_in(beside)?;
        match store {
            "sqlite" => Ok(Self::Folder(folder)),
            url if url.starts_with("postgres") => Ok(Self::Cluster {
                url: url.to_owned(),
                folder,
            }),
            other => Err(Broken(format!("--store {other}: write sqlite or postgres://…")).into()),
        }
    }

    /// `sqlite` or `postgres`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Folder(_) => "sqlite",
            Self::Cluster { .. } => "postgres",
        }
    }

    /// A folder that goes with it.
    pub fn folder(&self) -> &Path {
        match self {
            Self::Folder(folder) | Self::Cluster { folder, .. } => folder.path(),
        }
    }

    /// An empty database.
    pub async fn fresh(&self, name: &str) -> Outcome<StoreLocation> {
        match self {
            Self::Folder(folder) => Ok(StoreLocation::Sqlite(
                folder.path().join(format!("{name}.db")),
            )),
            Self::Cluster { url, .. } => {
                let name = self.database(name);
                statement(url, format!("CREATE DATABASE {name}")).await?;
                Ok(StoreLocation::Postgres(with_database(url, &name)?))
            }
        }
    }

    /// Throws a database away.
    pub async fn drop(&self, name: &str) -> Outcome<()> {
        if let Self::Cluster { url, .. } = self {
            let name = self.database(name);
            statement(url, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?;
        }
        Ok(())
    }

    /// The URL of a database.
    pub fn url(&self, name: &str) -> Outcome<String> {
        match self {
            Self::Folder(_) => Err(Broken("SQLite has no URL".to_owned()).into()),
            Self::Cluster { url, .. } => with_database(url, &self.database(name)),
        }
    }

    fn database(&self, name: &str) -> String {
        format!("supercargo_speed_{}_{name}", std::process::id())
    }
}

async fn statement(url: &str, sql: String) -> Outcome<()> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::query(AssertSqlSafe(sql))
        .execute(&mut connection)
        .await?;
    Ok(connection.close().await?)
}

fn with_database(url: &str, name: &str) -> Outcome<String> {
    let mut url = url::Url::parse(url)?;
    url.set_path(name);
    Ok(url.to_string())
}

/// A partner of the measurement.
#[derive(Clone)]
pub struct Sender {
    /// ISA06.
    pub id: String,
    /// Its mailbox.
    pub mailbox: i64,
}

/// Starts the service over a database.
pub async fn serve(location: StoreLocation, data: PathBuf) -> Outcome<Service> {
    let mut settings = Settings {
        data,
        ..Settings::default()
    };
    settings.sftp.enabled = false;
    settings.http.enabled = false;
    Ok(Service::start(ServeOptions {
        settings,
        location,
        sftp: None,
        http: None,
        now: None,
    })
    .await?)
}

/// Loads the lists and partners.
pub async fn furnish(
    service: &Service,
    catalogue: &Catalogue,
    partners_count: u64,
) -> Outcome<Vec<Sender>> {
    let gateway = &service.gateway;
    for (kind, csv) in [
        (ListKind::Warehouses, WAREHOUSES.to_owned()),
        (ListKind::Items, catalogue.item_list()),
        (ListKind::Stock, catalogue.stock_list(WAREHOUSE)),
    ] {
        lists::load(gateway, kind, csv.as_bytes(), None, "speed").await?;
    }
    let mut senders = Vec::new();
    for n in 1..=partners_count {
        let (name, id) = (format!("buyer{n}"), format!("BUYERCO{n}"));
        let profile = PROFILE
            .replace("\"NAME", &format!("\"{name}"))
            .replace("\"ID\"", &format!("\"{id}\""));
        let (partner, _) = partners::apply(gateway, &profile, "speed").await?;
        let stores = catalogue.store_list();
        lists::load(
            gateway,
            ListKind::Locations,
            stores.as_bytes(),
            Some(&name),
            "speed",
        )
        .await?;
        let connections = gateway.store.read().await?.connections("mailbox").await?;
        let mailbox = connections
            .iter()
            .find(|row| row.partner_id == Some(partner.0))
            .ok_or_else(|| Broken(format!("partner {name} has no mailbox")))?
            .id;
        senders.push(Sender { id, mailbox });
    }
    Ok(senders)
}

/// Waits until nothing is due.
pub async fn settle(service: &Service) -> Outcome<()> {
    loop {
        let now = service.gateway.now();
        if service.gateway.store.read().await?.count_due(now).await? == 0 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
