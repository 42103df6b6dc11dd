//! How files come and go: the embedded SFTP mailbox, partners' own SFTP servers, watched folders.
//!
//! Every way speaks through a port, a trait defined here and filled by the service, so that this room knows neither
//! the database nor the steps of the pipeline. What all ways promise: a file is taken from its sender only after the
//! port has said that it is committed, and a file that was not taken whole leaves nothing behind.

pub mod arrival;
pub mod delivery;
pub mod folder;
pub mod name;
pub mod port;
pub mod sftp_client;
pub mod sftp_server;
pub mod spool;
