//! What all connections of the server use.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::desk::Desk;
use super::gate::Gate;
use super::limits::Limits;
use super::port::MailboxPort;
use crate::transport::spool::SpoolFolder;

pub(super) struct Shared {
    pub(super) port: Arc<dyn MailboxPort>,
    pub(super) limits: Limits,
    pub(super) spool: SpoolFolder,
    pub(super) gate: Arc<Gate>,
    pub(super) desk: Arc<Desk>,
    pub(super) password_checks: Semaphore,
}
