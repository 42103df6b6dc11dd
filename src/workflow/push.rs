//! Push: a finished file goes to the partner's own server, or into its folder. The same bytes under the same name go
//! again until they are known to have arrived.

use super::Gateway;
use super::notice::{self, Notice};
use crate::config::profile::connection::{Folder, RemoteServer};
use crate::domain::ids::PartnerId;
use crate::storage::documents::TransmissionRow;
use crate::storage::journal::Subject;
use crate::storage::work::{Lease, Work};
use crate::storage::{Class, Failure};
use crate::transport::folder;
use crate::transport::sftp_client::{self, Parcel, PartnerServer, PartnerServerError};
use crate::waypoint::{self, BEGUN, COMMITTED};

/// How a push ended.
enum Pushed {
    Delivered,
    /// It may or may not have arrived.
    Uncertain(String),
    /// It has not arrived.
    Failed(String),
}

/// Pushes one file. The outcome commits with the end of the work, or with the time of the next attempt.
pub async fn run(gateway: &Gateway, leases: &[Lease], work: &Work) -> Result<(), Failure> {
    let mut reading = gateway.store.read().await?;
    let Some(transmission) = reading.transmission(work.subject).await? else {
        return finish(gateway, leases, work.id, None).await;
    };
    let over = reading.connection(transmission.connection_id).await?;
    let bytes = reading.content(&transmission.sha256).await?;
    drop(reading);
    let Some(over) = over else {
        return finish(gateway, leases, work.id, None).await;
    };
    waypoint::pass("push", BEGUN);
    let pushed = match over.kind.as_str() {
        "sftp" => push_remote(gateway, &over.body, &transmission, bytes).await?,
        "folder" => push_folder(gateway, &over.body, &transmission, bytes).await?,
        _ => Pushed::Delivered,
    };
    waypoint::pass("push", "arrived");
    settle(gateway, leases, work, transmission, &over.body, pushed).await?;
    waypoint::pass("push", COMMITTED);
    Ok(())
}

async fn push_remote(
    gateway: &Gateway,
    settings: &str,
    transmission: &TransmissionRow,
    bytes: Vec<u8>,
) -> Result<Pushed, Failure> {
    let server: RemoteServer = parse(settings, transmission.connection_id)?;
    let partner = match PartnerServer::from_profile(&server, &gateway.settings.key_folder()) {
        Ok(partner) => partner,
        Err(refusal) => return Ok(Pushed::Failed(refusal.to_string())),
    };
    let parcel = Parcel {
        name: transmission.name.clone(),
        bytes: bytes.into(),
    };
    Ok(match partner.push(&server.deliver_to, parcel).await {
        Ok(_) => Pushed::Delivered,
        Err(error)
            if matches!(
                error,
                PartnerServerError::TimedOut { .. } | PartnerServerError::ConnectionLost { .. }
            ) =>
        {
            Pushed::Uncertain(error.to_string())
        }
        Err(error) => Pushed::Failed(error.to_string()),
    })
}

fn parse<T: serde::de::DeserializeOwned>(settings: &str, connection: i64) -> Result<T, Failure> {
    serde_json::from_str(settings).map_err(|error| Failure::Corrupt {
        table: "connection",
        key: connection.to_string(),
        why: error.to_string(),
    })
}

async fn push_folder(
    gateway: &Gateway,
    settings: &str,
    transmission: &TransmissionRow,
    bytes: Vec<u8>,
) -> Result<Pushed, Failure> {
    let settings: Folder = parse(settings, transmission.connection_id)?;
    let parcel = Parcel {
        name: transmission.name.clone(),
        bytes: bytes.into(),
    };
    let path = gateway.settings.data_path(&settings.outbound);
    let laid = match std::fs::create_dir_all(&path) {
        Ok(()) => folder::deliver(&path, parcel)
            .await
            .map_err(|error| error.to_string()),
        Err(error) => Err(format!("{} can not be made: {error}", path.display())),
    };
    Ok(match laid {
        Ok(_) => Pushed::Delivered,
        Err(problem) => Pushed::Failed(problem),
    })
}

async fn finish(
    gateway: &Gateway,
    leases: &[Lease],
    work: i64,
    state: Option<(i64, &'static str)>,
) -> Result<(), Failure> {
    let (leases, now) = (leases.to_vec(), gateway.now());
    gateway
        .store
        .write(Class::Ordinary, move |connection| {
            let leases = leases.clone();
            Box::pin(async move {
                connection.check_fences(&leases).await?;
                connection.finish_work(&[work]).await?;
                if let Some((transmission, state)) = state {
                    connection
                        .settle_transmission(transmission, state, None, now)
                        .await?;
                }
                Ok(())
            })
        })
        .await
}

async fn settle(
    gateway: &Gateway,
    leases: &[Lease],
    work: &Work,
    transmission: TransmissionRow,
    settings: &str,
    pushed: Pushed,
) -> Result<(), Failure> {
    let (state, problem) = match pushed {
        Pushed::Delivered => {
            return finish(
                gateway,
                leases,
                work.id,
                Some((transmission.id, "delivered")),
            )
            .await;
        }
        Pushed::Uncertain(problem) => ("uncertain", problem),
        Pushed::Failed(problem) => ("queued", problem),
    };
    tracing::warn!(name = transmission.name, %problem, "push failed");
    let server: RemoteServer = serde_json::from_str(settings).unwrap_or_default();
    let now = gateway.now();
    let pause =
        sftp_client::backoff(&server).after(u32::try_from(work.attempts + 1).unwrap_or(u32::MAX));
    let due = now + chrono::Duration::from_std(pause).unwrap_or(chrono::Duration::hours(1));
    let (inside, leases, work) = (gateway.clone(), leases.to_vec(), work.clone());
    gateway
        .store
        .write(Class::Ordinary, move |connection| {
            let (gateway, leases, work, transmission, problem) = (
                inside.clone(),
                leases.clone(),
                work.clone(),
                transmission.clone(),
                problem.clone(),
            );
            let attempts_max = i64::from(server.attempts);
            Box::pin(async move {
                connection.check_fences(&leases).await?;
                connection
                    .settle_transmission(transmission.id, state, Some(&problem), now)
                    .await?;
                connection
                    .put_off(work.id, due, true, Some(&problem))
                    .await?;
                if work.attempts + 1 >= attempts_max {
                    let trading = gateway
                        .trading(connection, PartnerId(transmission.partner_id))
                        .await?;
                    notice::tell(
                        &gateway,
                        connection,
                        Some(&trading),
                        failing(&transmission, work.attempts + 1, &problem),
                    )
                    .await?;
                }
                Ok(())
            })
        })
        .await
}

fn failing(transmission: &TransmissionRow, attempts: i64, problem: &str) -> Notice {
    Notice {
        key: format!("push-failing:{}", transmission.id),
        kind: "connection-failing",
        subject: Subject::new("connection", transmission.connection_id),
        title: format!(
            "{} could not be delivered in {attempts} attempts",
            transmission.name
        ),
        text: format!(
            "{problem}\nIt is tried again at longer intervals, with the same bytes under the same name; nothing is lost."
        ),
    }
}
