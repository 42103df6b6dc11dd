//! A clock that goes backwards: what was due by the clock as it was stays due, and a person is told. The machine's clock
//! may have been wrong for years or for seconds; order and numbers never come from it, only waiting does.

use super::Gateway;
use super::notice::{self, Notice};
use crate::storage::journal::Subject;
use crate::storage::{Class, Failure};

/// Backwards by less than this is what clocks of several nodes differ by.
const TOLERANCE: chrono::Duration = chrono::Duration::seconds(30);

/// What a step asks for is due by the clock at that moment, a little after the time that it wrote down as its own: so much
/// later than the latest time written may be due what nobody came to. A step that is asked too early puts itself off.
const WRITTEN_LATE: chrono::Duration = chrono::Duration::minutes(10);

/// Compares the clock with the latest time that anything was written at; where it lies behind, brings forward what was
/// due by then. How far it lies behind.
pub async fn mend(gateway: &Gateway) -> Result<Option<chrono::Duration>, Failure> {
    let now = gateway.now();
    let latest = gateway.store.read().await?.latest_written().await?;
    let Some(latest) = latest.filter(|latest| *latest > now + TOLERANCE) else {
        return Ok(None);
    };
    let (inside, behind) = (gateway.clone(), latest - now);
    gateway
        .store
        .write(Class::Ordinary, move |connection| {
            let gateway = inside.clone();
            Box::pin(async move {
                let lease = i64::from(gateway.settings.work.lease_seconds.max(1));
                let leases = now + chrono::Duration::seconds(lease) * 2;
                connection
                    .bring_forward(now, latest + WRITTEN_LATE, leases)
                    .await?;
                let notice = Notice {
                    // Once for each time that was reached before the clock went back.
                    key: format!("clock-went-back:{}", latest.timestamp()),
                    kind: "clock-went-back",
                    subject: Subject::new("clock", 0),
                    title: format!(
                        "the clock says {} and lies behind what was written at {}",
                        now.format("%Y-%m-%d %H:%M:%S"),
                        latest.format("%Y-%m-%d %H:%M:%S UTC")
                    ),
                    text: "Work that was due by the later time has been brought forward; nothing is lost and nothing happens twice. What to do: see to it that the machine's clock is right (NTP); ship windows and acknowledgments that were looked at meanwhile were judged by the other time.".to_owned(),
                };
                notice::tell(&gateway, connection, None, notice).await
            })
        })
        .await?;
    Ok(Some(behind))
}
