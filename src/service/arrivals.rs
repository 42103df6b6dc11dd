//! Fills the port of polls and watched folders: what they fetch is received.

use crate::domain::ids::ConnectionId;
use crate::transport::port::{ArrivalPort, ArrivedFile, NotTaken, PortFuture, Unavailable};
use crate::workflow::Gateway;
use crate::workflow::receive::{Upload, UploadSource, receive};

/// The port over a gateway.
pub struct Arrivals {
    gateway: Gateway,
}

impl Arrivals {
    /// The port.
    pub fn new(gateway: Gateway) -> Self {
        Self { gateway }
    }
}

impl ArrivalPort for Arrivals {
    fn receive<'a>(&'a self, file: ArrivedFile<'a>) -> PortFuture<'a, Result<(), NotTaken>> {
        Box::pin(async move {
            let modified = file
                .modified
                .map(|at| at.timestamp_micros())
                .unwrap_or_default();
            let upload = Upload {
                connection: Some(ConnectionId(file.connection_id)),
                partner: None,
                name: file.name.to_owned(),
                source: UploadSource::Path(file.spooled.to_owned()),
                actor: file.origin.to_owned(),
                // The same file fetched again because it could not be taken away there is the same upload.
                key: Some(format!(
                    "{}:{}:{modified}:{}",
                    file.connection_id,
                    file.name,
                    hex::encode(file.sha256)
                )),
            };
            receive(&self.gateway, upload)
                .await
                .map(|_| ())
                .map_err(|failure| {
                    tracing::error!(%failure, name = file.name, "a file could not be received");
                    NotTaken::Unavailable(Unavailable {
                        reason: failure.to_string(),
                    })
                })
        })
    }
}
